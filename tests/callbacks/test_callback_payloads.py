"""A run callback's payload: every legal one is read losslessly, every illegal one ends in one typed error."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
import schemathesis
from callback_subjects import CALLBACK, CALLBACKS, CONTRACT, finished, json_bytes, node, shown, validator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from workflow_runs import UNSET, ContractBroken, InteractlyEvent, RunFailed, RunOutcome
from workflow_runs.callbacks import RunFinished, read_callback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemathesis import Case

_WORD = "a-word-of-the-payload-that-nobody-may-see"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_VALID = validator("WorkflowFinished")


def _generated(mode: GenerationMode) -> st.SearchStrategy[Case[Any]]:
    """Requests to a receiver as the contract's callback describes it."""
    document = {**CONTRACT, "paths": {"/done": {"post": {**CALLBACK, "operationId": "receive"}}}, "webhooks": {}}
    return schemathesis.openapi.from_dict(document)["/done"]["POST"].as_strategy(generation_mode=mode)


def _broken(body: Any, **options: Any) -> ContractBroken:
    with pytest.raises(ContractBroken) as caught:
        read_callback(body, **options)
    assert _WORD not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    return caught.value


@pytest.mark.parametrize("name", CALLBACKS)
def test_examples_of_the_contract_are_read(name: str) -> None:
    """Each of the contract's examples is read, and says that the run succeeded with its output."""
    read = read_callback(json.dumps(CALLBACKS[name]))

    assert (read.execution_id, read.output, read.succeeded) == (98765, "Your invoice is attached.", True)
    assert read.raw == CALLBACKS[name]
    assert (read.nodes is None) is (name == "bareValue")


@pytest.mark.parametrize("output", [None, False, 0, "", {}, [], 1.5, "text", [1, [2]], {"a": {"b": None}}], ids=repr)
def test_any_bare_value_is_an_output(output: Any) -> None:
    """null, false, 0, "" and {} are outputs like any other, of a run that has succeeded."""
    read = read_callback(json_bytes(finished(output=output)))

    assert (read.output, read.nodes, read.succeeded) == (output, None, True)
    assert read.outcome() == RunOutcome(98765, output, None)


@pytest.mark.parametrize("word", ["FAILED", "FAILURE"])
def test_both_words_for_failure_mean_the_same(word: str) -> None:
    """FAILED and FAILURE read the same and raise `RunFailed` with the nodes; the raw payload keeps its own word."""
    payload = finished(output={"Draft": node(), "Reply": node(word, None, error_message="too long")})
    payload["final_output"]["Draft"]["is_output_node"] = False

    read = read_callback(payload)

    assert read.nodes is not None
    assert (read.succeeded, read.output, read.nodes["Reply"].status) == (False, None, "FAILED")
    assert read.raw["final_output"]["Reply"]["status"] == word
    with pytest.raises(RunFailed, match="no output node succeeded") as caught:
        read.outcome()
    assert (caught.value.execution_id, caught.value.nodes) == (98765, read.nodes)


@pytest.mark.parametrize("kind", [RunFinished, InteractlyEvent])
def test_types_of_the_fields_can_be_asked_for(kind: type[Any]) -> None:
    """Converters and validators of other makers read them at run time."""
    assert get_type_hints(kind).keys() == {each.name for each in dataclasses.fields(kind)}


def test_a_failures_text_holds_nothing_of_the_payload() -> None:
    """A node's words may repeat inputs of the run, which nobody knows here: the text does without, `nodes` has them."""
    secret = "input-of-the-run"
    payload = finished(output={secret: node("FAILED", None, error_message=f"no {secret}", raw_error_message=secret)})
    with pytest.raises(RunFailed) as caught:
        read_callback(payload).outcome()
    assert secret not in str(caught.value) + repr(caught.value)
    assert caught.value.nodes is not None
    assert caught.value.nodes[secret].error_message == f"no {secret}"


def test_first_output_node_that_succeeded_gives_the_output() -> None:
    """With several output nodes, the first one that succeeded gives the output, a null one as well."""
    entries = {"A": node("FAILED", None), "B": node(value=None), "C": node(value="late")}

    read = read_callback(finished(output=entries))

    assert (read.output, read.succeeded, list(read.nodes or {})) == (None, True, ["A", "B", "C"])


def test_payload_that_does_not_tell_says_so() -> None:
    """Without final_output the output is UNSET, which is not null; nodes without an output node tell no success."""
    bare = read_callback({"workflow_version_execution_id": 1})
    inner = read_callback(finished(output={"A": node(is_output_node=None), "B": node(is_output_node=False)}))

    assert (bare.output, bare.succeeded, bare.outcome().output) == (UNSET, None, UNSET)
    assert (inner.output, inner.succeeded, inner.outcome().nodes) == (None, None, inner.nodes)


def test_unknown_words_and_members_are_kept() -> None:
    """A status that nobody has documented and members that the contract doesn't name can be read."""
    payload = {**finished(output={"Reply": node("PARTIAL", cost=3)}), "attempt": 2}

    read = read_callback(payload)

    assert read.nodes is not None
    assert (read.nodes["Reply"].status, read.nodes["Reply"].additional_properties) == ("PARTIAL", {"cost": 3})
    assert read.raw == payload


@pytest.mark.parametrize(
    "entries",
    [{"Reply": {"status": "SUCCESS"}}, {"Reply": node(), "total": 3}, {"Reply": node(error_message=4)}],
    ids=["few members", "other entries", "other types"],
)
def test_object_that_is_not_all_nodes_is_a_bare_output(entries: dict[str, Any]) -> None:
    """An output of the workflow's own may resemble nodes; unless every entry is one, it is left as it is."""
    assert read_callback(finished(output=entries)).output == entries


def test_form_can_be_insisted_on() -> None:
    """Who asked for all outputs gets an error with the place; who did not keeps an output that looks like nodes."""
    few = _broken(finished(output={"Reply": {"status": "SUCCESS"}}), return_all_outputs=True)
    none = _broken({"workflow_version_execution_id": 1}, return_all_outputs=True)
    entries = {"Reply": node()}

    assert (few.path, none.path) == ("$.final_output.Reply.value", "$.final_output")
    assert read_callback(finished(output={}), return_all_outputs=True).nodes == {}
    assert read_callback(finished(output=entries), return_all_outputs=False).output == entries
    assert read_callback(finished(output={"Reply": node("FAILED")}), return_all_outputs=False).succeeded is False


@pytest.mark.parametrize(
    ("body", "path", "expected", "received"),
    [
        (b"", "$", "JSON", "an empty body"),
        (b"{" + _WORD.encode(), "$", "JSON", f"{len(_WORD) + 1} bytes that are none"),
        (b'{"workflow_version_execution_id": NaN}', "$", "JSON", "38 bytes that are none"),
        (b'{"final_output": 1e999}', "$", "JSON", "23 bytes that are none"),
        ('{"final_output": [-1e999]}', "$", "JSON", "26 bytes that are none"),
        (b"\xff\xfe\x00", "$", "JSON", "3 bytes that are none"),
        ("\ufeff{}", "$", "JSON", "3 bytes that are none"),
        (b'{"workflow_version_execution_id": ' + b"9" * 5000 + b"}", "$", "JSON", "5035 bytes that are none"),
        (b"[" * 100_000, "$", "a value nested less deeply", "one that can't be read"),
        (f'"{_WORD}"', "$", "an object", f"a text of {len(_WORD)} characters"),
        ("null", "$", "an object", "null"),
        ([], "$", "an object", "a list of 0 items"),
        (None, "$", "an object", "null"),
        (7, "$", "an object", "a number"),
        ({}, "$.workflow_version_execution_id", "a value", "nothing"),
        (finished(_WORD), "$.workflow_version_execution_id", "a whole number", f"a text of {len(_WORD)} characters"),
        (finished(bool(1)), "$.workflow_version_execution_id", "a whole number", "true"),
        (finished(None), "$.workflow_version_execution_id", "a whole number", "null"),
        (finished(1.5), "$.workflow_version_execution_id", "a whole number", "a number"),
        (finished(output={"a": object()}), "$.final_output.a", "a JSON value", "a object"),
        (finished(output=[float("nan")]), "$.final_output[0]", "a finite number", "nan"),
        ({1: 2}, "$", "member names that are texts", "a number"),
        (object(), "$", "a JSON value", "a object"),
    ],
    ids=shown,
)
def test_illegal_payload_says_what_is_wrong_where(body: Any, path: str, expected: str, received: str) -> None:
    """Whatever a payload is, the error names the place, what was expected and what came, and quotes nothing."""
    error = _broken(body)

    assert (error.path, error.expected, error.received) == (path, expected, received)
    assert error.operation == "workflow_finished"


def test_error_stays_short_however_deep_the_place() -> None:
    """A place far inside is cut, so that a sender can't fill a log."""
    inner: Any = object()
    for _ in range(300):
        inner = {"name": inner}

    assert len(str(_broken(finished(output=inner)))) < 600


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview], ids=lambda make: make.__name__)
def test_size_is_bounded(make: type) -> None:
    """One byte more than the bound is refused before anything is parsed, the bound itself is not."""
    body = make(json_bytes(finished()))

    assert read_callback(body, max_bytes=len(body)).output == "Hello"
    error = _broken(body, max_bytes=len(body) - 1)
    assert (error.expected, error.received) == (f"at most {len(body) - 1} bytes", str(len(body)))


@pytest.mark.parametrize(
    "spelled",
    [
        json_bytes,
        json.dumps,
        lambda payload: bytearray(json_bytes(payload)),
        lambda payload: memoryview(json_bytes(payload)),
        lambda payload: json.dumps(payload).encode("utf-16"),
        lambda payload: payload,
        OrderedDict,
        MappingProxyType,
    ],
    ids=["bytes", "str", "bytearray", "memoryview", "utf-16", "dict", "OrderedDict", "mappingproxy"],
)
def test_every_spelling_reads_the_same(spelled: Any) -> None:
    """Bytes, text and parsed JSON give equal results."""
    payload = finished(output={"Reply": node(value="Grüße \U0001f600")})

    assert read_callback(spelled(payload)) == read_callback(payload)


def test_parsed_payload_stays_the_callers() -> None:
    """What was read shares nothing with the payload it was read from, nor do its parts with each other."""
    payload = finished(output={"Reply": node("FAILURE", value=[1])})
    before = copy.deepcopy(payload)

    read = read_callback(payload)
    assert read.nodes is not None
    read.nodes["Reply"].value.append(2)

    assert payload == before == read.raw


def test_result_can_be_copied_pickled_and_shown() -> None:
    """Copies and pickles are equal, an absent output stays absent, and `repr` leaves the raw payload out."""
    for payload in (finished(output={"Reply": node()}), {"workflow_version_execution_id": 1, "extra": _WORD}):
        read = read_callback(payload)
        copies = copy.copy(read), copy.deepcopy(read), pickle.loads(pickle.dumps(read))  # noqa: S301 - our own
        assert all(each == read and (each.output is UNSET) is (read.output is UNSET) for each in copies)
        assert _WORD not in repr(read)


def _agrees(body: Any) -> None:
    """The client and a strict validator are of one opinion, and a legal payload arrives whole."""
    if not _VALID.is_valid(body):
        _broken(json_bytes(body))
        return
    read = read_callback(json.dumps(body))
    assert read.execution_id == body["workflow_version_execution_id"]
    assert read.raw == body
    assert isinstance(read, RunFinished)
    if read.nodes is None:
        assert (read.output is UNSET) is ("final_output" not in body)
        assert read.output is UNSET or read.output == body["final_output"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=_generated(GenerationMode.POSITIVE))
def test_generated_legal_payloads_are_read(case: Case[Any]) -> None:
    """Every payload that the contract's schema allows is read without loss."""
    assert _VALID.is_valid(case.body)
    _agrees(case.body)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=_generated(GenerationMode.NEGATIVE))
def test_generated_illegal_payloads_are_refused(case: Case[Any]) -> None:
    """Every payload that breaks the contract's schema ends in `ContractBroken`."""
    try:
        json.dumps(case.body)
    except TypeError:
        return  # not a JSON value: a form or bytes of some other media type
    _agrees(case.body)


@settings(max_examples=300, deadline=None)
@given(body=_JSON | st.fixed_dictionaries({"workflow_version_execution_id": _JSON}, optional={"final_output": _JSON}))
def test_any_json_is_read_or_refused(body: Any) -> None:
    """For any JSON value the client agrees with a strict validator."""
    _agrees(json.loads(json.dumps(body)))


@settings(max_examples=300, deadline=None)
@given(body=st.binary() | st.text())
def test_any_bytes_are_read_or_refused(body: bytes | str) -> None:
    """Whatever the bytes, there is no other error than `ContractBroken`."""
    try:
        parsed: Mapping[str, Any] = json.loads(body)
    except (ValueError, RecursionError):
        _broken(body)
        return
    _agrees(parsed)
