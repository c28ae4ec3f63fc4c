"""How many cases a property may try: a number of cases, or as many as fit into a number of seconds."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

QUICK_CASES: Final = 20
NIGHTLY_CASES: Final = 500
BATCH: Final = 20


@dataclass
class Budget:
    """
    What one run may spend on generated cases.

    Attributes:
        cases: Cases for each property and operation; None if ``seconds`` limits them.
        seconds: Time for the whole run in seconds, shared among the rows that are still to come.
        rows_left: Rows still to be judged, the present one included; the plugin counts them down.
    """

    cases: int | None = QUICK_CASES
    seconds: float | None = None
    rows_left: int = 1
    clock: Callable[[], float] = time.monotonic
    _deadline: float = field(default=0.0, init=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``quick``, ``nightly`` or a positive number of seconds; raises ValueError."""
        named = {"quick": QUICK_CASES, "nightly": NIGHTLY_CASES}
        if text in named:
            return cls(cases=named[text])
        seconds = float(text)
        if not 0 < seconds < float("inf"):
            raise ValueError(text)
        return cls(cases=None, seconds=seconds)

    def start(self) -> None:
        """Start the clock of a budget in seconds."""
        self._deadline = self.clock() + (self.seconds or 0.0)

    def batches(self, rows: int = 1) -> Iterator[int]:
        """Give sizes of batches of cases until the share of so many rows is spent; at least one batch."""
        if self.cases is not None:
            yield self.cases
            return
        share = min(1.0, rows / max(1, self.rows_left))
        row_ends = self.clock() + max(0.0, self._deadline - self.clock()) * share
        yield BATCH
        while self.clock() < row_ends:
            yield BATCH
