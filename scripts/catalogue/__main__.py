"""Judge what openapi-python-client writes: `python scripts/catalogue`, or with --only and a number, only some of it.

For every contract beside this file two packages are generated, one with the generator's own templates and one with this
project's, and the harness judges both. The table says of each known defect which rules find it in the first package,
and whether it is gone in the second, where nothing at all may be found, or refused by name.

Exit status: 0 every defect is found, and nothing in our packages; 1 otherwise; 2 the generator is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

from entries import ENTRIES, Entry
from judged import Judged, judge

CONTRACTS = Path(__file__).parent / "contracts"


def main() -> int:
    """Run the program."""
    arguments = _arguments()
    if importlib.util.find_spec("openapi_python_client") is None:
        print("openapi-python-client is not installed; this brings it: pip install -r requirements/dev.txt")
        return 2
    entries = [entry for entry in ENTRIES if not arguments.only or entry.number in arguments.only]
    with tempfile.TemporaryDirectory() as folder:
        rows, noise = _rows(entries, arguments.keep or Path(folder), arguments.seed)
    _print(rows, noise)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "in_ours": noise}, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["found_by"] for row in rows) and not noise else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="catalogue", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NUMBER", help="only this defect, such as R7; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as data, too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep packages and reports there")
    parser.add_argument("--seed", type=int, default=1, help="of the generated cases (1)")
    return parser.parse_args()


def _rows(entries: list[Entry], folder: Path, seed: int) -> tuple[list[dict[str, object]], list[str]]:
    judged: dict[str, Judged] = {}
    for name in dict.fromkeys(entry.contract for entry in entries):
        finders = [finder for entry in entries if entry.contract == name for finder in entry.finders]
        print(f"judging {name} ...", file=sys.stderr, flush=True)
        judged[name] = judge(CONTRACTS / f"{name}.yaml", finders, folder / name, seed)
    noise = [line for one in judged.values() for line in one.in_ours]
    return [_row(entry, judged[entry.contract]) for entry in entries], noise


def _row(entry: Entry, judged: Judged) -> dict[str, object]:
    found = [line for finder in entry.finders if (line := judged.found_by(finder))]
    if judged.refusal:
        ours = f"refused: {judged.refusal}"
    else:
        ours = "there" if any(judged.is_in_ours(finder) for finder in entry.finders) else "gone"
    return {"number": entry.number, "title": entry.title, "contract": entry.contract, "found_by": found, "ours": ours}


def _print(rows: list[dict[str, object]], noise: list[str]) -> None:
    print("| | openapi-python-client 0.29.1 | found by | with our templates |")
    print("| --- | --- | --- | --- |")
    for row in rows:
        found = row["found_by"]
        assert isinstance(found, list)
        print(f"| {row['number']} | {row['title']} | {'<br>'.join(found) or 'NOT FOUND'} | {row['ours']} |")
    gone = sum(row["ours"] == "gone" for row in rows)
    refused = sum(str(row["ours"]).startswith("refused") for row in rows)
    print(f"\n{sum(bool(row['found_by']) for row in rows)} of {len(rows)} defects are found.")
    print(f"With our templates {gone} are gone and {refused} are refused by name.")
    print(f"{len(noise)} findings in packages made with our templates.")
    for line in noise:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
