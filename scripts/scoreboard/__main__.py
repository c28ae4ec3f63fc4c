"""
Judge clients and write the scoreboard: `python scripts/scoreboard`.

Without options it judges every subject and writes docs/scoreboard.md, the table; what was seen of each breach goes to
conformance-report/scoreboard/details.md, and all of it to scoreboard.json there. With --subject and --rule it judges
those alone, prints what it sees, and writes nothing.

Exit status: 0 done, or nothing differs; 1 a cell is broken, or not what the last run says; 2 it could not run.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import judging
import making
from page import details, page, verdict
from subjects import SUBJECTS, Subject

PAGE = making.ROOT / "docs" / "scoreboard.md"
WORK = making.ROOT / "conformance-report" / "scoreboard"
DATA = "scoreboard.json"
SEED, BUDGET = 1, "quick"
DONE, DIFFERENT, COULD_NOT_RUN = 0, 1, 2


def main() -> int:
    """Do what the command line says."""
    given = _arguments()
    if importlib.util.find_spec("contract_tests") is None:
        print("the harness is not installed: pip install -e '.[conformance]'", file=sys.stderr)
        return COULD_NOT_RUN
    chosen = [subject for subject in SUBJECTS if given.subject is None or subject.id in given.subject]
    try:
        if given.page or given.verify:
            _require_data(given.work)
        if given.page:
            return _save(_with_texts(_known(given.work)), given.work)
        judged = {subject.id: _judge(subject, given) for subject in chosen}
    except making.CannotMakeError as error:
        print(f"scoreboard: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    if given.verify:
        return _verify(judged, given.work)
    if given.rule is not None:
        return _show(judged)
    return _write(judged, given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scoreboard", description=__doc__)
    ids = [subject.id for subject in SUBJECTS]
    parser.add_argument("--subject", action="append", choices=ids, help="only this one; may be repeated")
    parser.add_argument("--rule", metavar="ID-OR-GLOB", help="only this rule; prints and writes nothing")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the cases ({SEED})")
    parser.add_argument("--budget", default=BUDGET, help=f"of the harness ({BUDGET})")
    parser.add_argument("--work", type=Path, default=WORK, help="where environments are kept between runs")
    parser.add_argument("--verify", action="store_true", help="only compare with the last run; writes nothing")
    parser.add_argument("--page", action="store_true", help="only write the page again, with the texts of now")
    return parser.parse_args()


def _judge(subject: Subject, given: argparse.Namespace) -> dict[str, Any]:
    print(f"{subject.id} ...", file=sys.stderr, flush=True)
    folder = given.work.absolute()
    (folder / subject.id).mkdir(parents=True, exist_ok=True)
    python = making.environment(subject.id, folder / subject.id / "environment")
    place = judging.Place(folder / subject.id, python)
    report = judging.judge(subject, place, seed=given.seed, budget=given.budget, rule=given.rule)
    return {
        "id": subject.id,
        "title": subject.title,
        "versions": making.versions(python, subject.packages),
        "adapter": subject.adapter,
        "about": subject.about,
        "remarks": list(subject.remarks),
        "contract": report["contract"],
        "rows": [judging.row_of(subject, row) for row in report["results"]],
    }


def _write(judged: dict[str, dict[str, Any]], given: argparse.Namespace) -> int:
    """Write data and page; a subject that was not judged this time keeps what it had."""
    before = {subject["id"]: subject for subject in _known(given.work)["subjects"]}
    subjects = [found for subject in SUBJECTS if (found := judged.get(subject.id) or before.get(subject.id))]
    data = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": given.seed,
        "budget": given.budget,
        "subjects": subjects,
    }
    return _save(data, given.work)


def _known(work: Path) -> dict[str, Any]:
    path = work / DATA
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"subjects": []}
    return data


def _require_data(work: Path) -> None:
    if not (work / DATA).is_file():
        raise making.CannotMakeError(f"{work / DATA} is not there: run it once without options")


def _save(data: dict[str, Any], work: Path) -> int:
    (work / DATA).write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (work / "details.md").write_text(details(data), encoding="utf-8")
    PAGE.write_text(page(data), encoding="utf-8")
    print(f"written: {PAGE.relative_to(making.ROOT)}; what was seen: {work / 'details.md'}")
    return DONE


def _show(judged: dict[str, dict[str, Any]]) -> int:
    is_broken = False
    for subject in judged.values():
        for row in subject["rows"]:
            word = verdict([row]).partition(" ")[0] if row["verdict"] == "broken" else verdict([row])
            print(f"{subject['title']}  {row['id']}  {row['operation']}: {word}")
            for text in filter(None, (row["reason"], row["source"])):
                print(f"    {text}")
            for finding in row["findings"]:
                print(*(f"    {name + ':':<12}{finding[name]}" for name in finding), sep="\n")
            is_broken = is_broken or row["verdict"] == "broken"
    return DIFFERENT if is_broken else DONE


def _with_texts(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with what is said of the subjects now; what was judged stays."""
    texts = {subject.id: {"about": subject.about, "remarks": list(subject.remarks)} for subject in SUBJECTS}
    return {**data, "subjects": [{**subject, **texts[subject["id"]]} for subject in data["subjects"]]}


def _verify(judged: dict[str, dict[str, Any]], work: Path) -> int:
    """Say where a cell is not what the last run says."""
    known = _known(work)["subjects"]
    before = {(one["id"], row["id"], row["operation"]): row["verdict"] for one in known for row in one["rows"]}
    different = 0
    for subject in judged.values():
        for row in subject["rows"]:
            said = before.get((subject["id"], row["id"], row["operation"]), "nothing")
            if said != row["verdict"]:
                different += 1
                print(f"{subject['id']} {row['id']} {row['operation']}: {row['verdict']}, the data says {said}")
    print(f"{different} rows are not what {work / DATA} says")
    return DIFFERENT if different else DONE


if __name__ == "__main__":
    sys.exit(main())
