"""The report as one HTML page that needs nothing else, runs nothing, and shows what is wrong first."""

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlsplit

from contract_tests.report.results import Report, facts
from contract_tests.rules import Basis, Verdict
from workflow_contract.printing import printable

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
h3 { font-size: 1rem; margin: 1rem 0 .3rem }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none }
.counts li { border-radius: .4rem; background: #eef0f3 }
.counts a { display: block; padding: .3rem .7rem; color: inherit; text-decoration: none }
.counts a:hover, .counts a:focus { text-decoration: underline } a { color: #0969da }
details, .row { border-top: 1px solid #e3e6ea; padding: .35rem 0 }
section:target h2 { text-decoration: underline } details details { margin-left: 1.2rem }
summary { cursor: pointer; overflow-wrap: anywhere }
.verdict { display: inline-block; min-width: 8.5rem; font-weight: 600 }
code { font-family: ui-monospace, monospace; font-size: .9em } pre { white-space: pre-wrap; overflow-wrap: anywhere;
background: #f6f8fa; padding: .6rem; border-radius: .4rem; margin: .2rem 0 } dt { font-weight: 600 } dd { margin: 0 }
.pass { color: #1a7f37 } .violation { color: #cf222e } .known_deviation { color: #9a6700 } .muted { color: #656d76 }
@media (prefers-color-scheme: dark) {
body { background: #0d1117; color: #e6edf3 } pre, .counts li { background: #161b22 } a { color: #58a6ff }
details, .row { border-color: #30363d } .pass { color: #3fb950 } .violation { color: #f85149 } .muted { color: #8d96a0 }
.known_deviation { color: #d29922 } }
"""
DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Should anything slip through the escaping all the same, a browser neither runs it nor asks anybody for it.
POLICY: Final = f"default-src 'none'; style-src 'sha256-{DIGEST}'; base-uri 'none'; form-action 'none'"
HEADINGS: Final = {
    Verdict.VIOLATION: "Violations",
    Verdict.KNOWN_DEVIATION: "Known deviations",
    Verdict.NOT_EXERCISED: "Not exercised",
    Verdict.NOT_APPLICABLE: "Not applicable",
    Verdict.PASS: "Passed",
}
FOLDED: Final = (Verdict.NOT_APPLICABLE, Verdict.PASS)  # what matters least is one line for each chapter
ADDRESS: Final = re.compile(r"(https?://[^\s;,<>\"'()]+)")


def html_page(report: Report) -> str:
    """Return the page: counts that lead to their rows, then the rows; violations come first, and lie open."""
    title = f"{report.contract['title']} {report.contract['version']}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>Conformance: {_escaped(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{_escaped(title)}</h1>
<p class="muted">{_escaped(_circumstances(report))}</p>
<p class="muted">{"<br>".join(_escaped(f"{name}: {text}") for name, text in facts(report))}</p>
{_counts(report)}
{"".join(_section(report, verdict) for verdict in HEADINGS)}
{_information(report)}
{_exercised(report)}
</body>
</html>
"""


def _escaped(text: object) -> str:
    """Return a text as it stands in a page; line breaks stay, and what hides or reorders text becomes visible."""
    return html.escape("\n".join(map(printable, str(text).split("\n"))))


def _circumstances(report: Report) -> str:
    targets = ", ".join(f"{target['name']} ({target['service']})" for target in report.targets) or "no target"
    return f"{targets}; coverage {report.coverage['percent']:g} %; seed {report.seed}; {report.duration_s:.1f} s"


def _counts(report: Report) -> str:
    items = [
        f'<li class="{verdict}"><a href="#{verdict}">{report.summary[verdict]} {verdict.replace("_", " ")}</a></li>'
        for verdict in HEADINGS
        if report.summary[verdict]
    ]
    failing = sum(bool(row["fails"]) for row in report.results)
    if failing:
        items.insert(0, f'<li class="violation"><a href="#{Verdict.VIOLATION}">{failing} fail</a></li>')
    return f'<ul class="counts">{"".join(items)}</ul>'


def _section(report: Report, verdict: Verdict) -> str:
    rows = [row for row in report.results if row["verdict"] == verdict]
    if not rows:
        return ""
    failing, others = [row for row in rows if row["fails"]], [row for row in rows if not row["fails"]]
    heading = f"<h2>{HEADINGS[verdict]}</h2>"
    if failing and others:
        note = '<h2 class="muted">Violations of inferred rules, which do not fail the run</h2>'
        inside = _chapters(report, failing) + note + _chapters(report, others)
    else:
        inside = _chapters(report, rows)
    return f'<section id="{verdict}">{heading}{inside}</section>'


def _chapters(report: Report, rows: Iterable[Mapping[str, Any]]) -> str:
    order = list(dict.fromkeys(report.chapters.values()))
    ordered = sorted(rows, key=lambda row: order.index(report.chapters[row["id"]]))
    grouped = groupby(ordered, key=lambda row: report.chapters[row["id"]])
    return "".join(_chapter(report, chapter, list(of_chapter)) for chapter, of_chapter in grouped)


def _chapter(report: Report, chapter: str, rows: Sequence[Mapping[str, Any]]) -> str:
    inside = "".join(_row(row, report.sources[row["id"]]) for row in rows)
    if rows[0]["verdict"] not in FOLDED:
        return f"<h3>{_escaped(chapter)}</h3>{inside}"
    count = f'<span class="muted">{len(rows)} row{"s" * (len(rows) > 1)}</span>'
    return f"<details><summary>{_escaped(chapter)} {count}</summary>{inside}</details>"


def _row(row: Mapping[str, Any], source: str) -> str:
    verdict = Verdict(row["verdict"])
    word = f'<span class="verdict {verdict}">{verdict.replace("_", " ")}</span>'
    operation = _escaped(row["operation"] or "document")
    head = f'{word} <code>{_escaped(row["id"])}</code> {_escaped(row["title"])} <span class="muted">{operation}</span>'
    told = row.get("findings") or [row]
    received = "Received" if row.get("findings") or verdict is Verdict.VIOLATION else "Reason"
    if verdict is Verdict.NOT_EXERCISED:  # what a reader of such a row wants to know, without unfolding it
        head += f'<div class="muted">{_escaped(row["received"])}</div>'
    expected = "Expected" if row["basis"] == Basis.INFERRED else "Documented"
    listed = "".join(_facts(one, expected, received) for one in told)
    is_open = " open" if verdict is Verdict.VIOLATION else ""
    from_where = f"<dl><dt>Source</dt><dd>{_linked(source)} ({_escaped(row['basis'])})</dd></dl>"
    return f"<details{is_open}><summary>{head}</summary>{listed}{from_where}</details>"


def _facts(told: Mapping[str, Any], expected: str, received: str) -> str:
    labels = {"documented": expected, "received": received, "reproduce": "Reproduce with", "identity": "Identity"}
    return _list([(label, told[name]) for name, label in labels.items()])


def _list(facts: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f"<dt>{label}</dt><dd><pre>{_escaped(text)}</pre></dd>" for label, text in facts if text)
    return f"<dl>{listed}</dl>"


def _linked(text: object) -> str:
    """Return a text in which every address on the web is a link, and nothing else is."""
    return "".join(
        f'<a href="{_escaped(part)}" rel="noopener noreferrer">{_escaped(part)}</a>'
        if place % 2 and _has_host(part)
        else _escaped(part)
        for place, part in enumerate(ADDRESS.split(str(text)))
    )


def _has_host(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def _information(report: Report) -> str:
    notes = "".join(
        f'<div class="row">{_escaped(note["kind"])} <code>{_escaped(note["name"])}</code> '
        f'<span class="muted">{_escaped(note["operation"])}, {_escaped(note["at"])}</span></div>'
        for note in report.information
    )
    return f'<section id="information"><h2>The service has grown</h2>{notes}</section>' if notes else ""


def _exercised(report: Report) -> str:
    rows = "".join(_kind(name, kind) for name, kind in report.coverage.items() if name != "percent")
    return f'<section id="coverage"><h2>What was exercised: {report.coverage["percent"]:g} %</h2>{rows}</section>'


def _kind(name: str, kind: Mapping[str, Sequence[object]]) -> str:
    seen, missed = kind["exercised"], kind["not_exercised"]
    head = f"{_escaped(name.replace('_', ' '))}: {len(seen)} of {len(seen) + len(missed)}"
    listed = _escaped(", ".join(map(str, missed))) or "nothing"
    return f'<details><summary>{head}</summary><p class="muted">Not exercised: {listed}</p></details>'
