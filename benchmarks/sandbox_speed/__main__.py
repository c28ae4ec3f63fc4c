"""Measure the sandbox against Prism: `nox -s bench -- sandbox`, or `python benchmarks/sandbox_speed`.

It needs node and Linux. One load for both, from one contract: a run is started, its results are asked for once. Prism
answers with the contract's examples. The sandbox has every run on disk before its response and executes it; its clock
stops when the last run has ended. Both sides play in each pair, in turn, after a warm-up; a ratio is the median of the
pairs' ratios, beside the smallest and the largest. The first ratio is of the clock, the second of the servers'
processor time, which tells something on a busy machine too. Then both get the rest of a long load.

Exit status: 0 measured; 1 with --strict, fewer than twice Prism's requests per second; 2 it could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from load import Load, play
from servers import Failed, Served, kept, prism, sandbox

_ROOT = Path(__file__).resolve().parents[2]
_TARGET = 2.0
_WARM_UP = 2000


@dataclass(frozen=True)
class Measured:
    """A load, and what its server needed for it."""

    load: Load
    processor: float

    @property
    def per_second(self) -> float:
        """Requests, by the clock."""
        return len(self.load.latencies) / self.load.seconds

    @property
    def microseconds(self) -> float:
        """Processor time of a request."""
        return self.processor / len(self.load.latencies) * 1e6


def main() -> int:
    """Run the program."""
    arguments = _arguments()
    if shutil.which("node") is None:
        print("not measured: node is absent", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder:
            ratio = _measure(arguments, Path(folder) / "runs.db")
    except (Failed, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    return int(arguments.strict and ratio < _TARGET)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=7, help="pairs to measure (default: 7)")
    parser.add_argument("--runs", type=int, default=3000, help="runs of each side of a pair (default: 3000)")
    parser.add_argument("--connections", type=int, default=8, help="connections at a time (default: 8)")
    parser.add_argument("--total", type=int, default=100_000, help="runs of the long load (default: 100000)")
    parser.add_argument("--strict", action="store_true", help="exit 1 if the target is not met")
    parser.add_argument(
        "--environments",
        type=Path,
        default=_ROOT / ".bench",
        metavar="DIR",
        help="where Prism is kept (default: .bench)",
    )
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, database: Path) -> float:
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(sandbox(database))
        theirs = stack.enter_context(prism(arguments.environments / "prism"))
        started = _WARM_UP
        for served in (ours, theirs):
            play(served.url, _WARM_UP, arguments.connections)
        pairs = []
        for number in range(arguments.pairs):
            pair = [_played(served, arguments.runs, arguments) for served in (ours, theirs)[:: -1 if number % 2 else 1]]
            pairs.append((pair[number % 2], pair[1 - number % 2]))
            started += arguments.runs
        ratio = _told("requests per second", [(our.per_second, their.per_second) for our, their in pairs])
        _told("µs of processor per request", [(our.microseconds, their.microseconds) for our, their in pairs])
        for served in (ours, theirs):
            rest = _played(served, max(arguments.total - started, 1), arguments)
            print(
                f"{served.name}: {rest.per_second:.0f} requests per second, p99 {rest.load.p99 * 1000:.1f} ms,"
                f" {served.mebibytes:.0f} MiB after {max(arguments.total, started + 1)} runs",
                flush=True,
            )
    runs, others = kept(database)
    print(f"sandbox: {runs} runs on disk, {others} nodes that have not succeeded")
    return ratio


def _played(served: Served, runs: int, arguments: argparse.Namespace) -> Measured:
    before = served.processor_seconds
    load = play(served.url, runs, arguments.connections)
    return Measured(load, served.processor_seconds - before)


def _told(what: str, pairs: list[tuple[float, float]]) -> float:
    ratios = [our / their for our, their in pairs]
    our, their = (median(side) for side in zip(*pairs, strict=True))
    print(
        f"{what}: {our:.0f} against {their:.0f}, ratio {median(ratios):.2f} [{min(ratios):.2f} .. {max(ratios):.2f}]",
        flush=True,
    )
    return median(ratios)


if __name__ == "__main__":
    sys.exit(main())
