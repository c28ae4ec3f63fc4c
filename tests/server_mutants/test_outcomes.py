"""What a trial amounts to, and the table that is printed of trials."""

from __future__ import annotations

from mutants import table
from mutants.defect import Defect
from mutants.outcome import Judgement, OtherTool, Outcome, Trial


def made(*, fired: tuple[str, ...] = (), equivalent: str = "", missed: str = "", problem: str = "") -> Trial:
    """Make a trial of a defect that declares the rule R-1."""
    defect = Defect(
        id="d", title="t", operator="o", operation="op", rules=("R-1",), equivalent=equivalent, missed=missed
    )
    after = 7 if fired else None
    return Trial(defect=defect, judgement=Judgement(fired=fired, after=after, seconds=2.0, problem=problem))


def test_outcomes() -> None:
    """The declared rule, another rule and none are told apart."""
    assert made(fired=("R-0", "R-1")).outcome is Outcome.FOUND
    assert made(fired=("R-0",)).outcome is Outcome.FOUND_BY_ANOTHER_RULE
    assert made().outcome is Outcome.MISSED
    assert made(equivalent="proof").outcome is Outcome.EQUIVALENT


def test_complaints() -> None:
    """Missed without a reason, found with a reason, found though equivalent and not judged are complained of."""
    assert made(fired=("R-1",)).complaint == ""
    assert made(missed="reason").complaint == ""
    assert made(equivalent="proof").complaint == ""
    assert "without a reason" in made().complaint
    assert "but is found" in made(fired=("R-1",), missed="reason").complaint
    assert "equivalent" in made(fired=("R-1",), equivalent="proof").complaint
    assert "no key" in made(problem="no key").complaint


def test_summary_leaves_out_equivalent_ones_and_compares_the_same_defects() -> None:
    """Percentages are of those that are not equivalent; the other tool's are of those that it judged."""
    found = made(fired=("R-1",))
    compared = Trial(defect=found.defect, judgement=found.judgement, other=OtherTool(seconds=9.0))
    lines = list(table.summary([compared, made(fired=("R-0",)), made(missed="x"), made(equivalent="x")], "requests"))

    assert lines[0] == "4 defects: 1 found, 1 found by another rule, 1 missed, 1 equivalent"
    assert "2 of 3 (66.7 %)" in lines[1]
    assert "1 of 3 (33.3 %) by the declared rule" in lines[1]
    assert "median 7 requests" in lines[1]
    assert "harness: 1 of 1 (100.0 %)" in lines[2]
    assert "stock: 0 of 1 (0.0 %)" in lines[3]


def test_requirements_are_the_rules() -> None:
    """A rule is kept if it found each defect of its own; others are named, and so are those without a defect."""
    lines = list(table.requirements([made(fired=("R-1",)), made(equivalent="x")], ["R-1", "R-2"], ["R-1"]))
    missed = list(table.requirements([made(fired=("R-1",)), made(fired=("R-0",))], ["R-1"], ["R-1"]))

    assert lines == [
        "rules: 1 of 1 (100.0 %) found every defect of their own",
        "1 rules have no defect of their own here: R-2",
    ]
    assert missed[1:] == ["1 rules did not find each of their own: R-1"]


def test_row_shows_what_fired_and_what_the_other_tool_said() -> None:
    """One line has the defect, its rule, the outcome, the first finding and the other tool's codes."""
    found = made(fired=("R-1", "R-2"))
    other = OtherTool(codes=("status_code_conformance",), after=40, seconds=9.0)
    line = table.row(Trial(defect=found.defect, judgement=found.judgement, other=other)).split()

    assert line[:5] == ["d", "o", "R-1", "found", "7"]
    assert {"R-2", "40", "status_code_conformance"} <= set(line)
