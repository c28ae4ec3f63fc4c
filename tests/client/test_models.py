"""Models behave like the plain values they are: equal, copied, pickled, evolved, and never sharing what is inside."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import attrs
import pytest
from client_calls import CONTRACT, NODES, WORKFLOW_RUN

from workflow_runs import UNSET, ExecutionResults, Unset, models


def _named_examples(value: Any) -> list[tuple[str, Any]]:
    """Every example of the contract whose schema is a component, with the component's name."""
    found: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        schema = value.get("schema", {})
        if isinstance(schema, dict) and "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            found += [(name, example["value"]) for example in value.get("examples", {}).values()]
        for inner in value.values():
            found += _named_examples(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _named_examples(inner)
    return found


_EXAMPLES = [
    (name, example)
    for name, example in [
        *_named_examples(CONTRACT),
        ("NodeOutput", NODES["Reply"]),
        ("WorkflowRun", WORKFLOW_RUN),
        ("WorkflowRunInput", {"command": "start", "dynamic_variables": {"customer_name": "Ada"}}),
    ]
    if attrs.has(getattr(models, name, object))
]
# Only a model that takes unknown members can be tried with one.
_OPEN = [each for each in _EXAMPLES if "additional_properties" in attrs.fields_dict(getattr(models, each[0]))]
_IDS = [f"{name}-{number}" for number, (name, _) in enumerate(_EXAMPLES)]
_EVERY = pytest.mark.parametrize(("name", "example"), _EXAMPLES, ids=_IDS)
_EVERY_OPEN = pytest.mark.parametrize(
    ("name", "example"), _OPEN, ids=[f"{name}-{i}" for i, (name, _) in enumerate(_OPEN)]
)


def _read(name: str, example: Any) -> Any:
    return getattr(models, name).from_dict(example)


def test_the_examples_cover_requests_replies_and_errors() -> None:
    """The tests below are about what the contract has, not about nothing."""
    assert {name for name, _ in _EXAMPLES} >= {
        "RunWorkflow", "WorkflowRunInput", "RunCreated", "RunAccepted", "WorkflowRun", "ExecutionFailed",
        "WorkflowFinished", "ErrorResponse", "NodeOutput",
    }  # fmt: skip


@_EVERY
def test_a_model_is_written_as_it_was_read(name: str, example: Any) -> None:
    """Nothing is lost or added on the way through a model."""
    assert json.dumps(_read(name, example).to_dict(), sort_keys=True) == json.dumps(example, sort_keys=True)


@_EVERY_OPEN
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, attrs.evolve, lambda model: pickle.loads(pickle.dumps(model))],  # noqa: S301
    ids=["copy", "deepcopy", "evolve", "pickle"],
)
def test_copies_are_equal(name: str, example: Any, copied: Any) -> None:
    """However a model is copied, it equals the original and writes the same JSON."""
    extended = {**example, "brand_new": {"list": [1]}}
    model = _read(name, extended)
    again = copied(model)
    assert again == model
    assert again is not model
    assert type(again) is type(model)
    assert again.to_dict() == extended


@_EVERY_OPEN
def test_a_change_makes_models_unequal(name: str, example: Any) -> None:
    """Equality looks at all members, unknown ones included."""
    model = _read(name, example)
    assert model == _read(name, example)
    assert model != _read(name, {**example, "brand_new": 1})
    assert model != example


@_EVERY_OPEN
def test_nothing_is_shared_with_the_source(name: str, example: Any) -> None:
    """Changing what a model was read from, or what it wrote, doesn't change the model."""
    source = copy.deepcopy({**example, "brand_new": {"list": [1]}})
    model = _read(name, source)
    expected = copy.deepcopy(source)
    _spoil(source)
    assert model.to_dict() == expected
    written = model.to_dict()
    _spoil(written)
    assert model.to_dict() == expected


def _spoil(value: Any) -> None:
    """Change everything inside that can be changed."""
    if isinstance(value, dict):
        for inner in value.values():
            _spoil(inner)
        value["spoilt"] = True
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoilt")


def test_evolving_keeps_the_rest() -> None:
    """A changed copy keeps unknown members and leaves the original alone."""
    run = models.WorkflowRun.from_dict({**WORKFLOW_RUN, "brand_new": 1})
    paused = attrs.evolve(run, status="paused")
    assert paused.to_dict() == {**WORKFLOW_RUN, "brand_new": 1, "status": "paused"}
    assert run.status == "waiting_for_user_input"


def test_members_can_be_set() -> None:
    """A model is changed by assignment; a name it doesn't have is a mistake."""
    run = models.RunWorkflow()
    run.workflow_label_name = "production"
    run.additional_properties["new"] = 1
    assert run.to_dict() == {"workflow_label_name": "production", "new": 1}
    with pytest.raises(AttributeError):
        run.workflow_lable_name = "typo"  # type: ignore[attr-defined]


def test_a_named_member_goes_before_an_unknown_one() -> None:
    """What a model names can't be overridden in the back."""
    run = models.RunWorkflow(return_all_outputs=True, additional_properties={"return_all_outputs": "no"})
    assert run.to_dict() == {"return_all_outputs": True}


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value)), lambda value: type(value)()],  # noqa: S301
    ids=["copy", "deepcopy", "pickle", "new"],
)
def test_there_is_one_unset(copied: Any) -> None:
    """Absence is told by identity, and no copy breaks that."""
    assert copied(UNSET) is UNSET
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert type(UNSET) is Unset


def test_absent_members_stay_absent_through_copies() -> None:
    """A deep copy or a pickle doesn't turn absent members into present ones."""
    run = models.RunWorkflow(metadata=None)
    for again in (copy.deepcopy(run), pickle.loads(pickle.dumps(run))):  # noqa: S301
        assert again.callback_url is UNSET
        assert again.to_dict() == {"metadata": None}


def test_results_are_values() -> None:
    """A result is compared by its body, copied and pickled like a model, and can't be changed."""
    result = ExecutionResults({"a": [1]})
    for again in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):  # noqa: S301
        assert again == result
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.value = 1  # type: ignore[misc]
    written = result.to_json()
    written["a"].append(2)
    assert result.value == {"a": [1]}


def test_a_repr_shows_the_members() -> None:
    """A model can be read off its repr."""
    assert repr(models.ThreadInputs(node_run_inputs=[1])) == "ThreadInputs(node_run_inputs=[1])"
    assert repr(models.ThreadInputs.from_dict({"new": None})) == "ThreadInputs(additional_properties={'new': None})"
    endless = models.ThreadInputs()
    endless.node_run_inputs = [endless]
    assert repr(endless) == "ThreadInputs(node_run_inputs=[...])"
