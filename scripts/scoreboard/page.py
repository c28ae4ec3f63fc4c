"""Writes the scoreboard's two pages from its data: the table, and what was seen of each breach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow_contract.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

Data = dict[str, Any]
Row = dict[str, Any]

# An operation that is not offered says less than a rule that is about nothing on the operations that are.
WORST_FIRST = ("broken", "kept", "not_exercised", "not_claimed", "not_applicable", "not_offered")
WORDS = {
    "not_claimed": "not claimed",
    "not_offered": "not claimed",
    "not_applicable": "n/a",
    "not_exercised": "not reached",
}
CELL = "nox -s scoreboard -- --subject {subject} --rule {rule}"
LEGEND = """\
- **kept**: no case broke the rule, on any operation that the rule is about.
- **broken 2/3**: the rule was broken on 2 of the 3 operations that it is about. A run writes what was
  seen to `conformance-report/scoreboard/details.md`.
- **not claimed**: the client does not say that it does this. Each such cell names its source below. It counts for
  nothing.
- **n/a**: the rule is not about anything in this contract or this client, or its adapter has no way to ask. Our own
  adapter and that of openapi-python-client can be asked more than the others, which spares those some rules.
- **not reached**: no case could be played; why stands below.
- *(inferred)*: no standard and no documentation states the rule; we think that it follows. Such rules are counted
  apart."""
MOST_RULES = 20
INTRODUCTION = """\
# Scoreboard

<!-- Written by `python scripts/scoreboard`: do not edit. -->

Does a client keep its contract? The harness of this repository plays the server, and judges what a client sends, what
it hands over, and how it ends when the wire fails. Every client below is judged by the same rules, the same cases and
the same code, ours included. No client was made for this page; each has the versions that stand in the table.

A good client for one person may break rules here that this person does not care for. The page says what happens, not
what to choose."""
CONTEST = """\
## How to contest a cell

Repeat it first; the command stands under the table. Then open an issue with the subject, the rule and what you see.

- If the rule misreads the contract, a standard or your documentation, the rule is changed and everybody is judged
  again.
- If the adapter drives your client in a way that nobody would, send a better one: `contract_tests/client/adapters/`,
  and [adapters.md](adapters.md) says how they work.
- If your client claims more or less than stands here, name the place in its documentation:
  `scripts/scoreboard/subjects.py`.
- A new version needs new pins in `scripts/scoreboard/requirements/`."""


def page(data: Data) -> str:
    """Return the page with the table."""
    parts = [INTRODUCTION, _judged(data), "\n".join(_table(data)), LEGEND, _totals_text(data), _repeat(data), CONTEST]
    parts += ["## Subject by subject", *(_subject(subject) for subject in data["subjects"])]
    return "\n\n".join(parts) + "\n"


def details(data: Data) -> str:
    """Return the page that shows a breach of each rule and operation."""
    parts = ["# Scoreboard: what was seen", _judged(data)]
    for subject in data["subjects"]:
        broken = [row for row in subject["rows"] if row["verdict"] == "broken"]
        parts += [f"## {subject['title']}", "\n".join(_broken(broken)) if broken else "No rule is broken."]
    return "\n\n".join(parts) + "\n"


def verdict(rows: list[Row]) -> str:
    """Return the word of a cell: one rule on all operations."""
    if not rows:
        return "not judged"  # the rule is newer than the subject's last run
    found = min((row["verdict"] for row in rows), key=WORST_FIRST.index)
    if found == "broken":
        judged = [row for row in rows if row["verdict"] in {"broken", "kept"}]
        return f"broken {sum(row['verdict'] == 'broken' for row in rows)}/{len(judged)}"
    return WORDS.get(found, found)


def _judged(data: Data) -> str:
    contract = data["subjects"][0]["contract"]
    return (
        f"Judged on {data['date']} by the contract *{contract['title']}* {contract['version']} "
        f"({len(contract['operations'])} operations), seed {data['seed']}, budget {data['budget']}."
    )


def _table(data: Data) -> Iterator[str]:
    subjects = data["subjects"]
    yield "| Rule | " + " | ".join(_head(subject) for subject in subjects) + " |"
    yield "| :-- |" + " :-: |" * len(subjects)
    for rule in _rules(data):
        cells = [verdict(_rows(subject, rule["id"])) for subject in subjects]
        shown = [f"**{cell}**" if cell.startswith("broken") else cell for cell in cells]
        mark = " *(inferred)*" if rule["basis"] == "inferred" else ""
        yield f"| **{rule['id']}** {_text(rule['title'])}{mark} | " + " | ".join(shown) + " |"
    for basis, words in (("stated", "Rules kept, of those judged"), ("inferred", "Inferred rules kept")):
        counts = [_count(data, subject, inferred=basis == "inferred") for subject in subjects]
        yield f"| **{words}** | " + " | ".join(f"**{kept} of {judged}**" for kept, judged in counts) + " |"


def _head(subject: Data) -> str:
    name, version = next(iter(subject["versions"].items()))
    return f"{subject['title']} {version}" if name else subject["title"]


def _rules(data: Data) -> list[Row]:
    found: dict[str, Row] = {}
    for subject in data["subjects"]:
        for row in subject["rows"]:
            found.setdefault(row["id"], row)
    return list(found.values())


def _rows(subject: Data, rule: str) -> list[Row]:
    return [row for row in subject["rows"] if row["id"] == rule]


def _count(data: Data, subject: Data, *, inferred: bool) -> tuple[int, int]:
    cells = [verdict(_rows(subject, rule["id"])) for rule in _rules(data) if (rule["basis"] == "inferred") is inferred]
    judged = [cell for cell in cells if cell == "kept" or cell.startswith("broken")]
    return judged.count("kept"), len(judged)


def _totals_text(data: Data) -> str:
    lines = []
    for subject in data["subjects"]:
        words = [verdict(_rows(subject, rule["id"])).partition(" ")[0] for rule in _rules(data)]
        counts = {"kept": "kept", "broken": "broken", "not": "not claimed or not reached", "n/a": "not applicable"}
        told = ", ".join(f"{words.count(word)} {said}" for word, said in counts.items())
        lines.append(f"- {subject['title']}: {told}")
    return "Of all rules:\n\n" + "\n".join(lines)


def _repeat(data: Data) -> str:
    example = CELL.format(subject=data["subjects"][1]["id"], rule=_rules(data)[0]["id"])
    names = ", ".join(f"`{subject['id']}`" for subject in data["subjects"])
    return (
        "## Repeat a cell\n\n"
        f"```console\n{example}\n```\n\n"
        "It makes the subject's own environment from pinned versions, generates its package if it is a generated one, "
        f"judges the one rule with the seed above, and prints what it sees. Subjects: {names}. Without `--rule` it "
        "judges all rules; without `--subject` it judges everybody and writes this page, and beside it "
        "`conformance-report/scoreboard/` with `details.md` and `scoreboard.json`. Python and pip are all it needs."
    )


def _subject(subject: Data) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in subject["versions"].items())
    parts = [f"### {subject['title']}", subject["about"], f"Versions: {versions}. Adapter: `{subject['adapter']}`."]
    parts += subject["remarks"]
    unclaimed = list(_not_claimed(subject))
    if unclaimed:
        parts.append("Not claimed:\n\n" + "\n".join(unclaimed))
    unreached = [row for row in subject["rows"] if row["verdict"] == "not_exercised"]
    if unreached:
        parts.append("\n".join(f"- not reached: {row['id']} {row['operation']}: {row['reason']}" for row in unreached))
    return "\n\n".join(parts)


def _broken(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        yield f"- **{row['id']}** `{row['operation']}`: {_text(row['title'])}"
        for finding in row["findings"][:1]:
            yield f"    - {_code(finding['identity'])}"
            yield f"      documented: {_text(finding['documented'])}"
            yield f"      received: {_code(finding['received'])}"
        more = row["constraints"] - 1
        if more > 0:
            yield f"    - and {more} more constraints of this operation"


def _not_claimed(subject: Data) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in subject["rows"]:
        if row["verdict"] in {"not_claimed", "not_offered"}:
            groups.setdefault((row["reason"], row["source"]), []).append(row)
    for (reason, source), rows in groups.items():
        operations = sorted({row["operation"] for row in rows})
        rules = list(dict.fromkeys(row["id"] for row in rows))
        named = "every rule" if len(rules) > MOST_RULES else ", ".join(rules)
        seen = sum(row["seen"] == "violation" for row in rows)
        judged = sum(row["seen"] in {"violation", "pass"} for row in rows)
        told = f" Seen all the same: broken in {seen} of {judged} rows." if judged else ""
        yield (
            f"- {named} on {', '.join(f'`{name}`' for name in operations)}: {_text(reason)} "
            f"(source: {_text(source)}).{told}"
        )


def _text(text: str) -> str:
    for char in "\\`*_{}[]<>|#":
        text = text.replace(char, f"\\{char}")
    return printable(text)


def _code(text: str) -> str:
    text = printable(text)
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"
