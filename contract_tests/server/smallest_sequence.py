"""Tells what a drawn sequence has shown by the one of the fewest steps that shows it too."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from contract_tests.outcomes import Row
from contract_tests.rules import NotExercised, Violation, Violations
from contract_tests.server.sequences import Player, Trace, exchanges_of, steps_of

Check = Callable[[dict[str, Any]], None]


def with_fewest_steps(
    found: list[Violation], row: Row, check: Check, player: Player, command: str
) -> Iterator[Violation]:
    """
    Return violations of a row, those that drawn sequences have shown with the fewest steps.

    Args:
        found: The violations.
        row: The row.
        check: Judges it again, with other fixtures.
        player: Who has played the sequences.
        command: Draws the same sequences for the rule of the row alone.
    """

    def judge_again(trace: Trace) -> list[Violation]:
        if row.rule.is_property:
            return player.server.watch.found(row.rule.id, row.operation)
        with suppress(NotExercised):
            try:
                check(player.fixtures(trace))
            except Violations as violations:
                return violations.all or violations.found
        return []

    for violation in found:
        drawn = next((trace for trace in player.sequences.played if _shows(violation, trace)), None)
        if drawn is None:
            yield violation
            continue

        def shown(trace: Trace, constraint: str = violation.constraint) -> Violation | None:
            again = [one for one in judge_again(trace) if one.constraint == constraint]
            return next((one for one in again if _shows(one, trace)), None)

        trace = player.sequences.smallest(lambda trace: shown(trace) is not None) or drawn
        smallest = shown(trace) or violation
        yield replace(
            violation,
            received=f"{smallest.received}; fewest steps: {', '.join(steps_of(trace))}",
            reproduce="\n".join([*(one.curl for one in exchanges_of(trace)), command]),
        )


def _shows(violation: Violation, trace: Trace) -> bool:
    return violation.found_after in {exchange.number for exchange in exchanges_of(trace)}
