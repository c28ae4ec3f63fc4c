"""Runs the subjects of a row in turn, and works out medians."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environments import GENERATOR, Failed

if TYPE_CHECKING:
    from environments import Side
    from rows import Row

__all__ = ["Bench", "Measured"]

_SUBJECTS = Path(__file__).parent / "subjects"
_Figures = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What a row has come to.

    Attributes:
        pairs: Seconds of our side and of the rival's, pair by pair.
        version: The rival's.
        unwanted: What our side has loaded and should not have.
    """

    row: Row
    pairs: list[tuple[float, float]]
    version: str
    unwanted: list[str]

    @property
    def ours(self) -> float:
        """The median of our side, in seconds."""
        return statistics.median(ours for ours, _ in self.pairs)

    @property
    def rival(self) -> float:
        """The median of the rival's, in seconds."""
        return statistics.median(rival for _, rival in self.pairs)

    @property
    def ratios(self) -> tuple[float, float, float] | None:
        """The median, the smallest and the largest ratio; None where the rival takes no time."""
        if not all(rival > 0 for _, rival in self.pairs):
            return None
        found = [ours / rival for ours, rival in self.pairs]
        return statistics.median(found), min(found), max(found)

    @property
    def met(self) -> bool:
        """Whether it is what was aimed at; true where nothing is."""
        ratio = self.ratios[0] if self.ratios else 0.0
        row = self.row
        return (
            (row.at_most is None or ratio <= row.at_most)
            and (row.seconds_at_most is None or self.ours <= row.seconds_at_most)
            and not self.unwanted
        )


class Bench:
    """Measures rows.

    Args:
        address: Where the stub of the service is.
        pairs: How many pairs to measure for each row.
    """

    def __init__(self, places: Side, address: str, pairs: int) -> None:
        self._places = places
        self._address = address
        self._pairs = pairs
        self._told: dict[object, list[tuple[_Figures, _Figures]]] = {}

    def measure(self, row: Row) -> Measured:
        """Measure a row.

        Raises:
            Failed: a subject has.
        """
        if row.in_turn:
            told = self._subject(row, "both", "measure")
            return Measured(row, [(ours, rival) for ours, rival in told["pairs"]], told["version"], [])
        pairs = self._processes(row)
        figures = [(ours[row.figure] - row.beside, rival[row.figure] - row.beside) for ours, rival in pairs]
        unwanted = {name for ours, _ in pairs for name in ours.get("unwanted", ())}
        return Measured(row, figures, pairs[0][1]["version"], sorted(unwanted))

    def profile(self, row: Row) -> dict[str, list[str]]:
        """Lines that say where the time of a row goes, by side."""
        if row.in_turn:
            told = self._subject(row, "both", "profile")
            return {side: told[side] for side in ("ours", "rival")}
        return {side: self._subject(row, side, "profile")["profile"] for side in ("ours", "rival")}

    def _processes(self, row: Row) -> list[tuple[_Figures, _Figures]]:
        # Rows that differ in the figure alone are measured once.
        work = (row.subject, row.environments)
        if work not in self._told:
            self._subject(row, "ours", "measure")  # each once before, so that no side finds the disk cold
            self._subject(row, "rival", "measure")
            self._told[work] = [self._pair(row, turn) for turn in range(self._pairs)]
        return self._told[work]

    def _pair(self, row: Row, turn: int) -> tuple[_Figures, _Figures]:
        # Each side is first in every other pair.
        order = ("ours", "rival") if turn % 2 == 0 else ("rival", "ours")
        told = {side: self._subject(row, side, "measure") for side in order}
        return told["ours"], told["rival"]

    def _subject(self, row: Row, side: str, task: str) -> _Figures:
        subject, *arguments = row.subject
        environment = row.environments[side == "rival"]
        command = [str(self._places.python(environment)), str(_SUBJECTS / f"{subject}.py"), task, side, *arguments]
        settings = {"ADDRESS": self._address, "PAIRS": str(self._pairs), "GENERATOR": GENERATOR}
        settings["PYTHONPATH"] = self._places.path(environment)
        settings |= {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        began, before = time.monotonic(), _cpu_of_children()
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
        wall, cpu = time.monotonic() - began, _cpu_of_children() - before
        if done.returncode:
            raise Failed(f"{row.name}: {' '.join(command)} has failed:\n{done.stderr[-2000:]}")
        return {**json.loads(done.stdout.splitlines()[-1]), "process_cpu": cpu, "process_wall": wall}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
