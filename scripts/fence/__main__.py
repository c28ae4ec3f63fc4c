"""Hold the harness against a frozen state: `python scripts/fence`; --freeze writes the state, --all tries every mutant.

What is frozen, all for one seed: the rows of every correct subject (sandbox, the second server, our client, the client
of the shelf), what became of each mutant, and which known defects are found in the stock generator's output. Compared
by id, never by words. A difference is allowed only if `allowed.toml` names it with a reason.

Exit status: 0 nothing differs but what is allowed; 1 something does; 2 it could not be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

from measured import CouldNotMeasure, State, measure

STATE = Path(__file__).with_name("state.json")
ALLOWED = Path(__file__).with_name("allowed.toml")


def main() -> int:
    """Run the program; return the exit status."""
    given = _arguments()
    try:
        with tempfile.TemporaryDirectory() as folder:
            now = measure(Path(folder), parts=given.part, all_mutants=given.all, workers=given.workers)
    except CouldNotMeasure as error:
        print(f"fence: {error}", file=sys.stderr)
        return 2
    if not STATE.exists() and not given.freeze:
        print("fence: nothing is frozen yet; --freeze writes the state to compare with", file=sys.stderr)
        return 2
    before: State = json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else {}
    if given.freeze:
        _write(before | now)
        return 0
    return _compare(before, now)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fence", description=__doc__)
    parser.add_argument("--part", action="append", metavar="GLOB", help="only such parts, as 'rows *'; repeatable")
    parser.add_argument("--all", action="store_true", help="all mutants, not the core alone")
    parser.add_argument("--freeze", action="store_true", help="write what is measured as the state to compare with")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="mutants that are judged at a time (2)")
    return parser.parse_args()


def _write(state: State) -> None:
    STATE.write_text(json.dumps(state, indent=0, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{sum(map(len, state.values()))} entries frozen in {len(state)} parts")


def _compare(before: State, now: State) -> int:
    allowed = tomllib.loads(ALLOWED.read_text(encoding="utf-8"))["allowed"]
    compared, differences, excused = 0, 0, 0
    for part, entries in now.items():
        for name in sorted({*before.get(part, {}), *entries}):
            was, is_now = before.get(part, {}).get(name, "absent"), entries.get(name, "absent")
            if is_now == "absent" and part.startswith("mutants") and len(entries) < len(before.get(part, {})):
                continue  # the core alone was tried
            compared += 1
            if was == is_now:
                continue
            reason = next((one["reason"] for one in allowed if fnmatchcase(f"{part}: {name}", one["name"])), None)
            excused += reason is not None
            differences += reason is None
            print(
                f"{'allowed' if reason else 'DIFFERS'}  {part}: {name}: {was} -> {is_now}"
                + (f" ({reason})" if reason else "")
            )
    print(f"{compared} compared, {differences} differ, {excused} more are allowed to")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
