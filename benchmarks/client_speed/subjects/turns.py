"""What the subjects have in common: they take turns within a process, profile themselves and tell it as JSON."""

from __future__ import annotations

import cProfile
import importlib.metadata
import io
import json
import os
import platform
import pstats
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LINES_SHOWN = 12
_SLICE, _SLICES = 0.02, 12


def tell(**told: Any) -> None:
    """Print it for the program that has started this one."""
    print(json.dumps(told))


def version(distribution: str) -> str:
    """A distribution's version, or Python's own."""
    return platform.python_version() if distribution == "python" else importlib.metadata.version(distribution)


def profile(work: Callable[[], object]) -> list[str]:
    """The functions that take most of the time, each without what it calls."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(_LINES_SHOWN)
    lines = text.getvalue().splitlines()
    start = next(index for index, line in enumerate(lines) if "tottime" in line)
    total = next(line.strip() for line in lines if "function calls" in line)
    return [total, *(line.rstrip() for line in lines[start:] if line.strip())]


def tell_in_turn(ours: Callable[[], object], rival: Callable[[], object], rivals_version: str) -> None:
    """Do what the command line says: measure both in turn, or profile both."""
    for work in (ours, rival) * 5:
        work()
    calls = max(1, int(_SLICE / min(_cpu(ours, 10), _cpu(rival, 10))))
    if sys.argv[1] == "profile":
        tell(ours=profile(_repeated(ours, calls)), rival=profile(_repeated(rival, calls)))
        return
    tell(pairs=[_pair(ours, rival, calls) for _ in range(int(os.environ["PAIRS"]))], version=rivals_version)


def _pair(ours: Callable[[], object], rival: Callable[[], object], calls: int) -> tuple[float, float]:
    # In thin slices, each side first in every other one: whatever else the machine does meanwhile falls on both.
    seconds = dict.fromkeys((ours, rival), 0.0)
    for turn in range(_SLICES):
        for work in (ours, rival) if turn % 2 == 0 else (rival, ours):
            seconds[work] += _cpu(work, calls) / _SLICES
    return seconds[ours], seconds[rival]


def _repeated(work: Callable[[], object], calls: int) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(calls):
            work()

    return repeated


def _cpu(work: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls
