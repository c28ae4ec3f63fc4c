"""Of two rules that find the same breach, the more specific one reports it, and the other one's row names it."""

from dataclasses import replace

import pytest

from contract_tests.outcomes import Row
from contract_tests.report.folding import Folding
from contract_tests.rules import EVERY_OPERATION, Basis, Evidence, Rule, Side, Verdict, Violation, Wrong

SPECIFIC = Rule(
    id="PL-1",
    title="A run is answered 201.",
    says="It is.",
    source="a page",
    basis=Basis.DOCUMENTED,
    operations=("run",),
    side=Side.SERVER,
)
GENERAL = replace(SPECIFIC, id="SRV-1", operations=EVERY_OPERATION)
LENIENT = replace(GENERAL, id="SRV-2", basis=Basis.INFERRED)
ABOUT_SUCCESS = replace(SPECIFIC, is_about_success=True)


def _found(
    constraint: str, exchange: int, status: int = 201, wrong: Wrong | None = None, tried: tuple[str, ...] = ()
) -> Violation:
    return Violation("what came", constraint, evidence=Evidence(exchange, status, wrong, tried))


def _verdicts(*found: tuple[Rule, Violation]) -> list[str]:
    folding = Folding()
    return [folding.outcome(Row(rule, "run", "s", "t"), "", [violation]).verdict for rule, violation in found]


SAME = {
    "the same constraint, by another request": (SPECIFIC, _found("#/a", 1), _found("#/a", 2)),
    "the status of one response": (
        SPECIFIC,
        _found("status", 1, 500, Wrong.STATUS),
        _found("#/x 5XX", 1, 500, Wrong.STATUS),
    ),
    "the same undocumented status elsewhere": (
        SPECIFIC,
        _found("status", 1, 299, Wrong.STATUS),
        _found("#/x 2XX", 2, 299, Wrong.STATUS),
    ),
    "a crash, where the ordinary request crashes": (
        ABOUT_SUCCESS,
        _found("status", 1, 500, Wrong.STATUS),
        _found("#/x 5XX", 2, 500, Wrong.STATUS),
    ),
    "the body under a wrong status": (
        SPECIFIC,
        _found("status", 1, 500, Wrong.STATUS),
        _found("#/b", 1, 500, Wrong.BODY),
    ),
    "the whole body": (SPECIFIC, _found("object", 1, 401, Wrong.BODY), _found("#/b", 1, 401, Wrong.BODY)),
    "a part that is refused": (SPECIFIC, _found("success", 1, 400, Wrong.STATUS, ("#/p",)), _found("#/p", 2, 400)),
}
OTHER = {
    "another constraint": (SPECIFIC, _found("#/a", 1), _found("#/b", 1)),
    "the status of another response that crashed": (
        SPECIFIC,
        _found("status", 1, 500, Wrong.STATUS),
        _found("#/x 5XX", 2, 500, Wrong.STATUS),
    ),
    "the body of another response": (
        SPECIFIC,
        _found("status", 1, 400, Wrong.STATUS),
        _found("#/b", 2, 400, Wrong.BODY),
    ),
    "the media type of a body": (
        SPECIFIC,
        _found("object", 1, 401, Wrong.BODY),
        _found("#/c", 1, 401, Wrong.MEDIA_TYPE),
    ),
    "a part beside one that is refused": (
        SPECIFIC,
        _found("success", 1, 400, Wrong.STATUS, ("#/p",)),
        _found("#/q", 2, 400),
    ),
    "what a rule of the same kind has found": (GENERAL, _found("#/a", 1), _found("#/a", 1)),
    "what a more lenient rule has found": (LENIENT, _found("#/a", 1), _found("#/a", 1)),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_breach_counts_once(name: str) -> None:
    """The general rule passes."""
    reporter, reported, seen = SAME[name]
    assert _verdicts((reporter, reported), (GENERAL, seen)) == [Verdict.VIOLATION, Verdict.PASS]


@pytest.mark.parametrize("name", OTHER)
def test_another_breach_counts_too(name: str) -> None:
    """Both rules report."""
    reporter, reported, seen = OTHER[name]
    assert _verdicts((reporter, reported), (GENERAL, seen)) == [Verdict.VIOLATION, Verdict.VIOLATION]


def test_a_row_reports_what_is_left_and_names_who_has_the_rest() -> None:
    """Of several findings under one constraint the first that nobody has reported is shown."""
    folding = Folding()
    row = Row(GENERAL, "run", "s", "t")
    crashes = [replace(_found("#/x 5XX", n, 500, Wrong.STATUS), received=f"request {n}", found_after=n) for n in (1, 2)]
    folding.outcome(Row(SPECIFIC, "run", "s", "t"), "", [_found("status", 1, 500, Wrong.STATUS)])

    outcome = folding.outcome(row, "", crashes)
    assert [one.received for one in outcome.findings] == ["request 2"]
    assert outcome.found_after == 2
    assert folding.outcome(row, "", crashes[:1]).reason == "what was found is told by PL-1"


def test_another_target_or_operation_is_another_matter() -> None:
    """What one server does excuses no other one."""
    folding = Folding()
    folding.outcome(Row(SPECIFIC, "run", "s", "t"), "", [_found("#/a", 1)])
    others = [Row(GENERAL, "run", "s", "other"), Row(GENERAL, "results", "s", "t")]
    assert [folding.outcome(row, "", [_found("#/a", 1)]).verdict for row in others] == [Verdict.VIOLATION] * 2
