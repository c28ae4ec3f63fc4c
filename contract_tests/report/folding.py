"""
Counts a violation once: a finding of a general rule is left out if a more specific rule has reported the same breach.

Rules know nothing of each other. What two findings have in common is in their data: the constraint, or the exchange
and what of its response is wrong as a whole.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from contract_tests.outcomes import Outcome, Row, finding
from contract_tests.rules import Rule, Verdict, Violation, Wrong, first_of_each

CRASHED: Final = 500  # from this status on each response has a reason of its own
Place = tuple[str, str]  # a target and an operation


class Folding:
    """What was reported so far."""

    def __init__(self) -> None:
        self._reported: dict[tuple[Place, Hashable], Rule] = {}

    def report(self, rule: Rule, place: Place, found: Sequence[Violation]) -> None:
        """Take down what a rule has found; of two that find the same, the more specific one reports it."""
        for breach in (breach for violation in found for breach in _reports(rule, violation)):
            known = self._reported.setdefault((place, breach), rule)
            if known.specificity < rule.specificity:
                self._reported[place, breach] = rule

    def left(self, rule: Rule, place: Place, found: Sequence[Violation]) -> list[Violation]:
        """Return the findings that no more specific rule has reported."""
        return [violation for violation in found if not self._reporters(rule, place, violation)]

    def reason(self, rule: Rule, place: Place, found: Sequence[Violation]) -> str:
        """Return what a row says of which no finding is left."""
        reporters = {one for violation in found for one in self._reporters(rule, place, violation)}
        return f"what was found is told by {', '.join(sorted(reporters))}"

    def outcome(self, row: Row, chapter: str, found: Sequence[Violation]) -> Outcome:
        """Return the outcome of a row with findings, of which it reports those that are left."""
        left = self.left(row.rule, row.place, found)
        self.report(row.rule, row.place, left)
        what = (row.rule, row.operation, row.service, row.target, chapter)
        if not left:
            return Outcome(*what, Verdict.PASS, self.reason(row.rule, row.place, found))
        told = first_of_each(left)
        findings = tuple(finding(row.rule, one) for one in told)
        counted = [one.found_after for one in told if one.found_after is not None]
        return Outcome(*what, Verdict.VIOLATION, findings=findings, found_after=min(counted, default=None))

    def _reporters(self, rule: Rule, place: Place, violation: Violation) -> set[str]:
        known = [self._reported.get((place, breach), rule) for breach in _is(violation)]
        return {one.id for one in known if one.specificity > rule.specificity}


def _reports(rule: Rule, violation: Violation) -> Iterator[Hashable]:
    """Yield the violations that are reported with a finding, in the words of :func:`_is`."""
    yield violation.constraint
    evidence = violation.evidence
    if evidence is None:
        return
    yield from evidence.tried
    if evidence.wrong is Wrong.STATUS:
        # Under a wrong status neither media type nor body can be right.
        yield from ((wrong, evidence.exchange) for wrong in Wrong)
        if evidence.status < CRASHED or rule.is_about_success:
            yield evidence.status
    elif evidence.wrong is not None:
        yield evidence.wrong, evidence.exchange


def _is(violation: Violation) -> Iterator[Hashable]:
    """Yield the violations that a finding is; it is reported if one of them was."""
    yield violation.constraint
    evidence = violation.evidence
    if evidence is not None and evidence.wrong is not None:
        yield evidence.wrong, evidence.exchange
    if evidence is not None and evidence.wrong is Wrong.STATUS:
        yield evidence.status
