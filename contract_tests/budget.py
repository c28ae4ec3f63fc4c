"""How many cases a property may try: a number of cases, or as many as fit into a number of seconds."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Self

QUICK: Final = "quick"
QUICK_CASES: Final = 20
MANY_OPERATIONS: Final = 40
QUICK_CASES_OF_MANY: Final = 10  # where the contract has more operations than that
NIGHTLY_CASES: Final = 500
BATCH: Final = 20
PER_CONSTRAINT: Final = 6
# For each case of a budget in cases. Rows on the contract take seconds; this ends what would never end.
SECONDS_PER_CASE: Final = 6.0
# Seconds for the case that is on its way when the time is spent: what looks at the clock itself ends with a verdict.
GRACE: Final = 3.0


@dataclass
class Budget:
    """What one run may spend on generated cases."""

    cases: int | None = QUICK_CASES  # cases for each property and operation; None if `seconds` limits them
    seconds: float | None = None  # time for the whole run in seconds, shared among the rows that are still to come
    rows_left: int = 1  # rows still to be judged, the present one included; the plugin counts them down
    name: str = QUICK  # how the command line says it
    has_many_operations: bool = False  # where operations are alike, each gets fewer cases of each kind, too
    clock: Callable[[], float] = time.monotonic
    _deadline: float = field(default=0.0, init=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``quick``, ``nightly`` or a positive number of seconds; raises ValueError."""
        named = {QUICK: QUICK_CASES, "nightly": NIGHTLY_CASES}
        if text in named:
            return cls(cases=named[text], name=text)
        seconds = float(text)
        if not 0 < seconds < float("inf"):
            raise ValueError(text)
        return cls(cases=None, seconds=seconds, name=text)

    def for_operations(self, count: int) -> Self:
        """Return what there is for each of so many operations: the quick budget has fewer cases for each of many."""
        is_for_many = self.cases == QUICK_CASES and count > MANY_OPERATIONS
        return replace(self, cases=QUICK_CASES_OF_MANY, has_many_operations=True) if is_for_many else self

    @property
    def cases_of_a_constraint(self) -> int:
        """How many values may break the same constraint of a schema."""
        return PER_CONSTRAINT // 3 if self.has_many_operations else PER_CONSTRAINT

    def start(self) -> None:
        """Start the clock of a budget in seconds."""
        self._deadline = self.clock() + (self.seconds or 0.0)

    @property
    def left(self) -> float:
        """Seconds that are left; infinity for a budget in cases."""
        return math.inf if self.seconds is None else self._deadline - self.clock()

    def row_limit(self, *, can_be_cut: bool) -> float | None:
        """
        Return the seconds after which the present row is ended; None for no end.

        Args:
            can_be_cut: Whether rows go on after one that was ended in the midst; else only the end of the run ends it.
        """
        if self.cases is not None:
            return self.cases * SECONDS_PER_CASE if can_be_cut else None
        # One row that knows no end leaves half of the time to those after it.
        return GRACE + (self.left / 2 if can_be_cut and self.rows_left > 1 else self.left)

    def row_ends(self, rows: int = 1) -> float:
        """Return the time of the clock at which what looks at it should end, on behalf of so many rows."""
        if self.cases is not None:
            return self.clock() + self.cases * SECONDS_PER_CASE / 2
        share = min(1.0, rows / max(1, self.rows_left))
        return self.clock() + max(0.0, self.left) * share

    def batches(self, rows: int = 1) -> Iterator[int]:
        """Return sizes of batches of cases until the share of so many rows is spent; at least one batch."""
        if self.cases is not None:
            yield self.cases
            return
        row_ends = self.row_ends(rows)
        yield BATCH
        while self.clock() < row_ends:
            yield BATCH
