"""Seeded client defects: each can be made, none is made twice, and the harness finds what it is said to find."""

import ast
from pathlib import Path

import pytest

from contract_tests.rules import SetUpError
from mutants.clients import defects, open_runner
from mutants.clients.edits import (
    OPTIONS,
    ClientDefect,
    Edit,
    changed,
    folder_of,
    generated,
    make_copies,
    source_of,
)
from mutants.clients.judging import Judge, client_rules
from mutants.clients.operators import RUN, argument, reads
from mutants.runner import RunnerOptions

DEFECTS = {defect.id: defect for defect in defects()}
RULES = {rule.id for rule in client_rules()}
# One for each way in which a client can be wrong; the whole list takes the better part of an hour.
SAMPLE = ("path.steps", "results.202-for-200", "key.in-repr", "duplicate.handed-on")
BY_NIGHT = (
    "run.metadata.wrong-key",
    "keyword.not",
    "run_created.success.unchecked",
    "repeated.post",
    "batch.doubt-repeated",
)


@pytest.fixture(scope="module")
def judge(few: tuple[str, str]) -> Judge:
    """Make the cases once for all clients."""
    return Judge(["--seed", "1", "--budget", "quick", *few])


def test_there_are_as_many_as_there_should_be() -> None:
    """At least a hundred that are not equivalent, each with an id of its own."""
    every = defects()
    assert len(DEFECTS) == len(every)
    assert sum(not defect.equivalent for defect in every) >= 100


@pytest.mark.filterwarnings("ignore:.*invalid escape sequence")  # which is one of the defects
@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_can_be_made(defect: ClientDefect) -> None:
    """What is to be changed stands there, and what comes of it is Python; its rules are rules of the client side."""
    texts: dict[tuple[str, str], str] = {}
    for edit in defect.edits:
        place = edit.package, edit.module
        texts[place] = changed(texts.get(place) or source_of(*place), edit)
    for text in texts.values():
        ast.parse(text)
    assert defect.edits
    assert set(defect.rules) <= RULES
    assert not (defect.equivalent and defect.missed)


def test_every_rule_has_a_defect_of_its_own() -> None:
    """Each rule is the declared one of a defect that it must find."""
    assert {defect.rules[0] for defect in defects() if not (defect.equivalent or defect.missed)} == RULES


@pytest.mark.parametrize("times", [0, 2])
def test_a_change_that_does_not_fit_is_refused(times: int) -> None:
    """A text that stands there less or more often than it should makes nobody believe in a defect."""
    edit = Edit(package="workflow_runs", module="retries.py", old="class Retries:\n", new="class Other:\n", times=times)
    with pytest.raises(SetUpError, match=f"found 1 times, not {times}"):
        changed(source_of("workflow_runs", "retries.py"), edit)


def test_a_change_of_nothing_is_refused() -> None:
    """The same text again is no defect."""
    with pytest.raises(SetUpError, match="found 1 times"):
        changed("only once", generated("any.py", "only", "only"))


def test_places_are_found_by_syntax() -> None:
    """Arguments and members that are not there are an error of the set-up, with the module's name."""
    assert argument(RUN, "metadata").value == "metadata"
    with pytest.raises(SetUpError, match=r"run_workflow\.py has no argument 'nothing' in members"):
        argument(RUN, "nothing")
    with pytest.raises(SetUpError, match=r"run_created\.py reads no member 'nothing'"):
        reads("run_created", "nothing")


def test_only_what_is_changed_is_copied(tmp_path: Path) -> None:
    """The installed packages stay as they are."""
    before = source_of("workflow_runs_api", "operation.py")
    copies = make_copies(DEFECTS["null-dropped"].edits, tmp_path)

    assert copies == {"workflow_runs_api": tmp_path / "workflow_runs_api"}
    assert (copies["workflow_runs_api"] / "operation.py").read_text(encoding="utf-8") != before
    assert (folder_of("workflow_runs_api") / "operation.py").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.slow) for name in SAMPLE),
        *(pytest.param(name, marks=pytest.mark.nightly) for name in BY_NIGHT),
    ],
)
def test_the_declared_rule_finds_a_defect(name: str, judge: Judge, tmp_path: Path) -> None:
    """A copy with the defect breaks the rule that must find it."""
    defect = DEFECTS[name]
    copies = make_copies(defect.edits, tmp_path)
    arguments = [word for package, copy in copies.items() for word in (OPTIONS[package], str(copy))]

    assert defect.rules[0] in {rule.id for rule, _ in judge.violations(arguments, defect.rules)}


@pytest.mark.nightly
def test_no_rule_finds_a_defect_in_the_correct_client(judge: Judge) -> None:
    """What finds the defects above says nothing of the client without them."""
    assert judge.violations([], [DEFECTS[name].rules[0] for name in (*SAMPLE, *BY_NIGHT)]) == []


@pytest.mark.slow
def test_a_client_of_another_contract_is_judged_by_that() -> None:
    """What our contract gives no occasion for is seen, and the whole of what the client needs is copied."""
    with open_runner(RunnerOptions(pattern="CL-SEC-03")) as chosen:
        assert chosen.judge(DEFECTS["key.everywhere"]).fired == ("CL-SEC-03",)


@pytest.mark.slow
def test_rules_can_be_chosen() -> None:
    """Only the rules that a pattern matches judge, and a pattern that matches none is an error of the set-up."""
    with open_runner(RunnerOptions(pattern="CL-CB-0[48]")) as chosen:
        assert chosen.judge(DEFECTS["duplicate.handed-on"]).fired == ("CL-CB-04",)
        assert chosen.judge(DEFECTS["illegal.taken"]).fired == ()
    with (
        pytest.raises(SetUpError, match="no rule of the client side matches 'CL-XY-"),
        open_runner(RunnerOptions(pattern="CL-XY-*")),
    ):
        pass
