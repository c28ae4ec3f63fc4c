"""Print what ten faults do to the client: `python scripts/faults_table.py`.

Each cell is one call with the default policy over a real socket, with a time-out of 1 s; 503, 429 and 529 ask to wait
for 1 s. Tries are the requests that the server saw. The same table is data of the tests, which hold it to its cells.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(_TESTS / "faults"), str(_TESTS / "client")]

from client_calls import ASYNC, SYNC, Call, Flavour  # noqa: E402 - the tests are no package
from ten_faults import CALLS, FAULTS, Cell, suffer  # noqa: E402

from workflow_runs import Retries  # noqa: E402

_ROW = "{:<21} {:<8} {:<6} {:>5} {:>7}  {:<17} {:>6} {:<14} {}"


def main() -> int:
    """Make every call and print its row; exit status 1 if a cell isn't the expected one."""
    print(_ROW.format("fault", "call", "", "tries", "time", "ends in", "status", "may have run", "message"))
    wrong = sum(_row(name, call, flavour) for name in FAULTS for call in CALLS for flavour in (SYNC, ASYNC))
    print(f"{wrong} of {len(FAULTS) * len(CALLS) * 2} cells are not what the table says")
    return 1 if wrong else 0


def _row(name: str, call: Call, flavour: Flavour) -> bool:
    cell = suffer(FAULTS[name], call, flavour, Retries(), timeout=1.0, retry_after="1")
    outcome = cell.outcome
    short = call.operation.partition("_")[0].replace("get", "results")
    doubt = "yes" if outcome.may_have_run else "no"
    print(
        _ROW.format(
            name, short, flavour.name, outcome.tries, f"{cell.seconds:.2f} s", outcome.ending, outcome.status or "-",
            doubt, _message(cell),
        ),
        flush=True,
    )  # fmt: skip
    return outcome != FAULTS[name].outcome(call)


def _message(cell: Cell) -> str:
    return str(getattr(cell.ended_in, "message", "a result within the contract"))


if __name__ == "__main__":
    sys.exit(main())
