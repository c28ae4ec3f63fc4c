"""Seeded defects of servers: a whole run finds one of each family by its declared rule; `nox -s mutants` tries more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.openapi.document import Contract
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import Side
from contract_tests.runner.command_line import default_spec
from mutants.defect import core
from mutants.outcome import Outcome, Trial
from mutants.runner import RunnerOptions
from mutants.servers.all_defects import defect, defects
from mutants.servers.messages import EXECUTE
from mutants.servers.runner import open_runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mutants.runner import Runner

FAMILIES = [
    *(
        pytest.param(name, marks=pytest.mark.nightly)
        for name in (
            "run.404.media-type",
            "callback.method-put",
            "results.200.all.each.status.retyped",
            "results.back-to-202",
            "execute.workflow_id.pattern-not-enforced",
        )
    ),
    pytest.param("execute.stop-ignored", marks=pytest.mark.slow),
]
MANY = 150  # of the requests of a whole run
EQUIVALENT = "run.422.status-400"


@pytest.fixture(scope="module")
def made() -> Iterator[Runner]:
    """What judges servers; the data that it generates is shared by all tests."""
    with open_runner(RunnerOptions(seed=1)) as ready:
        yield ready


def test_defects_cover_both_services_and_every_operator() -> None:
    """There are at least 60, on every operation, and the core is the first of each operator on each operation."""
    found = defects()
    assert len(found) >= 60
    assert {one.operation for one in found} == {one.id for one in Contract.load(default_spec()).operations}
    assert sum(one.operation == EXECUTE for one in found) >= 60
    assert {(one.operator, one.operation) for one in core(found)} == {(one.operator, one.operation) for one in found}
    assert len(core(found)) >= 60


def test_declared_rules_exist() -> None:
    """A defect declares a rule of the server side that the package has."""
    known = {rule.id for rule in rules_of_this_package() if rule.side is Side.SERVER}
    assert {rule for one in defects() for rule in one.rules} - known == set()


@pytest.mark.parametrize("name", FAMILIES)
def test_declared_rule_finds_the_defect(name: str, made: Runner) -> None:
    """The rule that the defect declares has a violation, and the first finding comes within few requests."""
    trial = Trial(defect=defect(name), judgement=made.judge(defect(name)))

    assert (trial.outcome, trial.complaint) == (Outcome.FOUND, "")
    assert trial.judgement.after is not None
    assert 0 < trial.judgement.after <= MANY


@pytest.mark.nightly
def test_equivalent_defect_is_not_found(made: Runner) -> None:
    """What is declared equivalent no rule tells from a correct server."""
    trial = Trial(defect=defect(EQUIVALENT), judgement=made.judge(defect(EQUIVALENT)))

    assert (trial.outcome, trial.complaint) == (Outcome.EQUIVALENT, "")
