"""Arguments that the contract rules out: refused by name, and nothing is sent."""

from __future__ import annotations

import contextlib
import datetime
import math
from decimal import Decimal
from typing import Any

import pytest
from client_calls import EXECUTE, INTERACTLY_WORKFLOW, KEY, RESULTS, RUN, SYNC, Call, Flavour, reply

from workflow_runs import BadArgument, ContractBroken, models

_RUN_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("workflow_label_name", {"workflow_label_name": 3}),
    ("workflow_version_number", {"workflow_version_number": "3"}),
    ("workflow_version_number", {"workflow_version_number": 1.5}),
    ("workflow_version_number", {"workflow_version_number": True}),
    ("metadata", {"metadata": []}),
    ("metadata.a", {"metadata": {"a": 1}}),
    ("metadata.a", {"metadata": {"a": None}}),
    ("input_variables", {"input_variables": None}),
    ("input_variables", {"input_variables": [("a", 1)]}),
    ("input_variables", {"input_variables": "a"}),
    ("input_variables", {"input_variables": {1: 2}}),
    ("input_variables.a", {"input_variables": {"a": {1, 2}}}),
    ("input_variables.a", {"input_variables": {"a": b"x"}}),
    ("input_variables.a[1]", {"input_variables": {"a": [0, math.nan]}}),
    ("input_variables.a.b", {"input_variables": {"a": {"b": math.inf}}}),
    ("input_variables.a", {"input_variables": {"a": Decimal(1)}}),
    ("input_variables.a", {"input_variables": {"a": object()}}),
    ("input_variables.a", {"input_variables": {"a": datetime.datetime(2026, 1, 1)}}),  # noqa: DTZ001 - its point
    ("return_all_outputs", {"return_all_outputs": 1}),
    ("return_all_outputs", {"return_all_outputs": "true"}),
    ("return_all_outputs", {"return_all_outputs": None}),
    ("callback_url", {"callback_url": "not a URL"}),
    ("callback_url", {"callback_url": "/relative"}),
    ("callback_url", {"callback_url": ""}),
    ("callback_url", {"callback_url": "https://example.com/a b"}),
    ("callback_url", {"callback_url": 5}),
    ("callback_url", {"callback_url": "mailto:a@b"}),
    ("callback_url", {"callback_url": "http:a"}),
    ("callback_url", {"callback_url": "http://"}),
    ("callback_url", {"callback_url": "https:///path"}),
    ("callback_url", {"callback_url": "http://user@:80/"}),
    ("callback_url", {"callback_url": "ftp://example.com/http://"}),
]
_EXECUTE_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("version", {"version": -1}),
    ("version", {"version": "1"}),
    ("version", {"version": True}),
    ("version", {"version": None}),
    ("command", {"command": "begin"}),
    ("command", {"command": "Start"}),
    ("command", {"command": None}),
    ("body_workflow_id", {"body_workflow_id": "short"}),
    ("body_workflow_id", {"body_workflow_id": INTERACTLY_WORKFLOW.upper()}),
    ("workflow_run_id", {"workflow_run_id": "g" * 24}),
    ("workflow_run_id", {"workflow_run_id": 5}),
    ("version_number", {"version_number": "0"}),
    ("run_by", {"run_by": 1}),
    ("team_id", {"team_id": []}),
    ("dynamic_variables", {"dynamic_variables": None}),
    ("runtime_variables", {"runtime_variables": []}),
    ("miscellaneous", {"miscellaneous": "x"}),
    ("thread_to_node_inputs", {"thread_to_node_inputs": []}),
    ("thread_to_node_inputs.0", {"thread_to_node_inputs": {"0": []}}),
    ("thread_to_node_inputs.0.node_run_inputs", {"thread_to_node_inputs": {"0": {"node_run_inputs": {}}}}),
]
_RESULTS_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("workflow_version_execution_id", {"workflow_version_execution_id": "5"}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": 1.5}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": False}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": None}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": 2**63}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": -(2**63) - 1}),
    ("workflow_version_execution_id", {"workflow_version_execution_id": 2.0**70}),
    ("return_all_outputs", {"return_all_outputs": "true"}),
    ("return_all_outputs", {"return_all_outputs": None}),
]
_REFUSED = [
    (call, field, keywords)
    for call, table in ((RUN, _RUN_REFUSED), (EXECUTE, _EXECUTE_REFUSED), (RESULTS, _RESULTS_REFUSED))
    for field, keywords in table
]


def _refusal(call: Call, flavour: Flavour, *positional: Any, **keywords: Any) -> BadArgument:
    client, wire = flavour.over(call, call.ok())
    with pytest.raises(BadArgument) as caught:
        flavour.do(client, call.operation, *(positional or call.positional), **{**call.keywords, **keywords})
    assert wire.requests == []
    assert caught.value.operation == call.operation
    assert not caught.value.may_have_run
    return caught.value


@pytest.mark.parametrize(
    ("call", "field", "keywords"),
    _REFUSED,
    ids=[f"{number}-{call}-{field}" for number, (call, field, _) in enumerate(_REFUSED)],
)
def test_what_the_contract_rules_out_is_refused_by_name(call: Call, field: str, keywords: dict[str, Any]) -> None:
    """A wrong value is refused before anything is sent, and the error names where it stands."""
    refusal = _refusal(call, SYNC, **keywords)
    assert refusal.field == field
    assert str(refusal).startswith(f"{call}: {field}: expected ")


def test_a_refusal_is_the_same_for_asyncio(flavour: Flavour) -> None:
    """Both flavours refuse, and a refusal is a ValueError too."""
    refusal = _refusal(RUN, flavour, metadata={"a": 1})
    assert isinstance(refusal, ValueError)
    assert refusal.field == "metadata.a"


def test_a_label_and_a_version_number_together_are_refused(flavour: Flavour) -> None:
    """The contract's exclusion is told in its words and with both names."""
    refusal = _refusal(RUN, flavour, workflow_label_name="a", workflow_version_number=1)
    assert "workflow_label_name" in refusal.field
    assert "workflow_version_number" in refusal.field
    assert "together" in str(refusal)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_refused(name: str, flavour: Flavour) -> None:
    """An empty segment or a dot would change the path of the request."""
    assert _refusal(RUN, flavour, name).field == "workflow_name"


@pytest.mark.parametrize("name", [5, None, b"a", ["a"], "\ud800"], ids=ascii)
def test_a_name_is_a_text(name: Any) -> None:
    """Only a text that UTF-8 can write fits into a path."""
    assert _refusal(RUN, SYNC, name).field == "workflow_name"


@pytest.mark.parametrize(
    "workflow_id",
    ["", "5eb7cf5a86d9755df3a6c59", "5eb7cf5a86d9755df3a6c5933", "5EB7CF5A86D9755DF3A6C593", "5eb7cf5a86d9755df3a6c59g",
     "5eb7cf5a86d9755df3a6c593\n", "5eb7cf5a86d9755df3a6c59\n", "5eb7cf5a86d9755df3a6c59٣"],
    ids=ascii,
)  # fmt: skip
def test_an_object_id_is_24_hexadecimal_digits(workflow_id: str, flavour: Flavour) -> None:
    """No other length, case, script or line feed passes."""
    assert _refusal(EXECUTE, flavour, workflow_id).field == "workflow_id"


@pytest.mark.parametrize("call", [RUN, EXECUTE, RESULTS], ids=str)
def test_an_unknown_keyword_is_a_type_error(call: Call, flavour: Flavour) -> None:
    """A misspelt argument ends in Python's own error."""
    client, wire = flavour.over(call, call.ok())
    with pytest.raises(TypeError, match="no_such_argument"):
        flavour.make(call, client, no_such_argument=1)
    assert wire.requests == []


def test_arguments_beside_the_path_are_keywords_only(flavour: Flavour) -> None:
    """Nothing but path parameters is positional, so that new arguments never change the meaning of old calls."""
    client, _ = flavour.over(RUN, RUN.ok())
    with pytest.raises(TypeError, match="positional"):
        flavour.do(client, "run_workflow", "support-agent", {"user_message": "Hi"})


def test_a_missing_argument_is_a_type_error(flavour: Flavour) -> None:
    """What is required has no default."""
    client, _ = flavour.over(RESULTS, RESULTS.ok())
    with pytest.raises(TypeError, match="workflow_version_execution_id"):
        flavour.do(client, "get_workflow_version_execution_results")


def test_a_value_that_holds_itself_is_refused() -> None:
    """A cycle has no JSON form, and the error stays readable."""
    cycle: dict[str, Any] = {}
    cycle["again"] = cycle
    refusal = _refusal(RUN, SYNC, input_variables=cycle)
    assert refusal.field.startswith("input_variables")
    assert len(str(refusal)) < 500


def test_a_lone_surrogate_is_refused_by_name() -> None:
    """What UTF-8 can't write is refused like any other value, with the name of its argument."""
    assert _refusal(RUN, SYNC, input_variables={"a": "\ud800"}).field.startswith("input_variables")


def test_a_wrong_value_inside_a_model_is_refused_with_its_whole_place() -> None:
    """A model's members are part of the place, as those of a plain mapping are."""
    inputs = {"0": models.ThreadInputs(node_run_inputs=[object()])}
    refusal = _refusal(EXECUTE, SYNC, thread_to_node_inputs=inputs)
    assert refusal.field == "thread_to_node_inputs.0.node_run_inputs[0]"


class _Table:
    """An object of a foreign library that has a `to_dict` of its own."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def to_dict(self) -> Any:
        """Its own form."""
        return self.rows


@pytest.mark.parametrize(
    "rows", [{"when": object()}, {"x": math.nan}, {1: {2: 3}, "a": set()}], ids=["object", "nan", "set"]
)
def test_a_foreign_object_leaks_no_foreign_error(rows: Any) -> None:
    """What an unknown object makes of itself is checked like everything else."""
    _refusal(RUN, SYNC, input_variables={"table": _Table(rows)})


@pytest.mark.parametrize("value", ["top-secret-value", ["top-secret-value"], {"inner": "top-secret-value"}], ids=repr)
def test_a_refusal_never_shows_the_value(value: Any) -> None:
    """An argument may be a secret: the message tells its kind alone."""
    refusals = [
        _refusal(RUN, SYNC, return_all_outputs=value),
        _refusal(RUN, SYNC, workflow_version_number=value),
        _refusal(EXECUTE, SYNC, command=value),
        _refusal(EXECUTE, SYNC, workflow_run_id=value),
    ]
    for refusal in refusals:
        assert "top-secret" not in str(refusal) + repr(refusal)
        assert KEY not in str(refusal) + repr(refusal)


def test_a_whole_number_is_sent_as_one_at_any_depth() -> None:
    """Where the contract has an integer 2.0 goes out as 2, and data of the caller's own stays as it is."""
    client, wire = SYNC.over(EXECUTE, reply(200, {"run_id": "a", "turn_number": 1, "status": "running"}))
    with contextlib.suppress(ContractBroken):
        flat = {"version_number": 2.0, "dynamic_variables": {"a": 2.0}}
        SYNC.do(client, "execute_workflow", INTERACTLY_WORKFLOW, run_input=flat)
    assert wire.only.content == b'{"run_input":{"version_number":2,"dynamic_variables":{"a":2.0}}}'


def test_the_largest_numbers_of_a_format_are_sent() -> None:
    """Up to the last one that 64 bits have, digit by digit."""
    for number in (2**53 + 1, 2**63 - 1, -(2**63), 2.0**53):
        client, wire = SYNC.over(RESULTS, RESULTS.ok())
        SYNC.do(client, RESULTS.operation, workflow_version_execution_id=number)
        assert wire.only.url.params["workflow_version_execution_id"] == str(int(number))
