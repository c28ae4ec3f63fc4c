"""Measure the client against what else there is: `nox -s bench`, or `python benchmarks/client_speed`.

Prints one table of ratios, ours divided by the rival's. Both sides of a row do the same work in the same run, in turn;
a ratio is the median of the pairs' ratios, beside the smallest and the largest. Figures are the processor time of the
measured process alone, unless the row says otherwise, so that they tell something on a busy machine too. An import is
measured in a fresh process, on top of the bare interpreter. For each row that is not met, where the time goes follows.

Exit status: 0 measured, whether or not every target is met; 1 with --strict, a target is not met; 2 a side environment
could not be made or a row could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import table
from environments import Failed, Here, Side, prepare
from measuring import Bench
from rows import ROWS
from stub import running_stub

if TYPE_CHECKING:
    from measuring import Measured
    from rows import Row

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the program."""
    arguments = _arguments()
    chosen = [row for row in ROWS if any(fnmatch.fnmatch(row.name, only) for only in arguments.only)]
    if not chosen:
        names = " ".join(row.name for row in ROWS)
        print(f"no row is called {' or '.join(arguments.only)}; there are: {names}", file=sys.stderr)
        return 2
    done: list[Measured] = []
    try:
        _measure(arguments, chosen, done)
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if arguments.json:
            arguments.json.write_text(json.dumps(table.as_json(done, arguments.pairs), indent=1), encoding="utf-8")
    return int(arguments.strict and not all(measured.met for measured in done))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=["*"], metavar="ROW", help="rows of these names, `*` allowed")
    parser.add_argument("--pairs", type=_count, default=7, help="pairs to measure for each row (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a target is not met")
    parser.add_argument("--profile", action="store_true", help="show where the time goes for every row")
    parser.add_argument(
        "--environments", type=Path, default=ROOT / ".bench", metavar="DIR",
        help="where the rivals' virtualenvs are made and kept (default: .bench)",
    )  # fmt: skip
    parser.add_argument(
        "--here", action="store_true",
        help="make no virtualenv: use what is installed beside this interpreter, and leave out rows that need more",
    )  # fmt: skip
    return parser.parse_args()


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return count


def _measure(arguments: argparse.Namespace, chosen: list[Row], done: list[Measured]) -> None:
    with contextlib.ExitStack() as stack:
        places: Side = (
            Here.made(ROOT, chosen, stack) if arguments.here else prepare(ROOT, arguments.environments, chosen)
        )
        bench = Bench(places, stack.enter_context(running_stub(places)), arguments.pairs)
        print(table.heading(arguments.pairs), flush=True)
        for row in chosen:
            lacking = places.lacking(row)
            if lacking:
                print(f"{row.what:<{table.WIDTH}} not measured: {lacking} is not installed here")
                continue
            done.append(bench.measure(row))
            print(table.line(done[-1]), flush=True)
        for measured in done:
            if arguments.profile or not measured.met:
                print(*table.profile(measured, bench.profile(measured.row)), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
