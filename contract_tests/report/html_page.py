"""The report as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from contract_tests.report.results import Report
from contract_tests.rules import Verdict

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none }
.counts li { border-radius: .4rem; padding: .3rem .7rem; background: #eef0f3 }
details, .row { border-top: 1px solid #e3e6ea; padding: .35rem 0 }
summary { cursor: pointer } .verdict { display: inline-block; min-width: 8.5rem; font-weight: 600 }
code { font-family: ui-monospace, monospace; font-size: .9em } pre { white-space: pre-wrap; overflow-wrap: anywhere;
background: #f6f8fa; padding: .6rem; border-radius: .4rem; margin: .2rem 0 } dt { font-weight: 600 } dd { margin: 0 }
.pass { color: #1a7f37 } .violation { color: #cf222e } .known_deviation { color: #9a6700 } .muted { color: #656d76 }
@media (prefers-color-scheme: dark) {
body { background: #0d1117; color: #e6edf3 } pre, .counts li { background: #161b22 }
details, .row { border-color: #30363d } .pass { color: #3fb950 } .violation { color: #f85149 } .muted { color: #8d96a0 }
.known_deviation { color: #d29922 } }
"""
WORDS = {verdict.value: verdict.value.replace("_", " ") for verdict in Verdict}


def html_page(report: Report) -> str:
    """Give the page: counts, then every row by chapter, violations unfolded."""
    title = f"{report.contract['title']} {report.contract['version']}"
    counts = "".join(
        f'<li class="{verdict}">{count} {WORDS[verdict]}</li>' for verdict, count in report.summary.items() if count
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Conformance: {escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="muted">{escape(_circumstances(report))}</p>
<ul class="counts">{counts}</ul>
{"".join(_chapter(report, chapter) for chapter in dict.fromkeys(report.chapters.values()))}
{_information(report)}
{_exercised(report)}
</body>
</html>
"""


def _circumstances(report: Report) -> str:
    targets = ", ".join(f"{target['name']} ({target['service']})" for target in report.targets) or "no target"
    return f"{targets}; coverage {report.coverage['percent']:g} %; seed {report.seed}; {report.duration_s:.1f} s"


def _chapter(report: Report, chapter: str) -> str:
    rows = [row for row in report.results if report.chapters[row["id"]] == chapter]
    return (
        f"<section><h2>{escape(chapter)}</h2>{''.join(_row(row, report.sources[row['id']]) for row in rows)}</section>"
    )


def _row(row: Mapping[str, Any], source: str) -> str:
    verdict = f'<span class="verdict {row["verdict"]}">{WORDS[row["verdict"]]}</span>'
    operation = escape(row["operation"] or "document")
    head = f"{verdict} <code>{escape(row['id'])}</code> {escape(row['title'])} <span class=muted>{operation}</span>"
    told = row.get("findings") or [row]
    listed = "".join(_facts(one) for one in told) + _list([("Source", f"{source} ({row['basis']})")])
    is_open = " open" if row["verdict"] == "violation" else ""
    return f"<details{is_open}><summary>{head}</summary>{listed}</details>"


def _facts(told: Mapping[str, Any]) -> str:
    labels = {"documented": "Documented", "received": "Received", "reproduce": "Reproduce with", "identity": "Identity"}
    return _list([(label, told[name]) for name, label in labels.items()])


def _list(facts: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f"<dt>{label}</dt><dd><pre>{escape(text)}</pre></dd>" for label, text in facts if text)
    return f"<dl>{listed}</dl>"


def _information(report: Report) -> str:
    notes = "".join(
        f"<div class=row>{escape(note['kind'])} <code>{escape(note['name'])}</code> "
        f"<span class=muted>{escape(note['operation'])}, {escape(note['at'])}</span></div>"
        for note in report.information
    )
    return f"<section><h2>The service has grown</h2>{notes}</section>" if notes else ""


def _exercised(report: Report) -> str:
    kinds = {name: kind for name, kind in report.coverage.items() if name != "percent"}
    rows = "".join(
        f"<details><summary>{name.replace('_', ' ')}: {len(kind['exercised'])} of "
        f"{len(kind['exercised']) + len(kind['not_exercised'])}</summary>"
        f"<p class=muted>Not exercised: {escape(', '.join(kind['not_exercised'])) or 'nothing'}</p></details>"
        for name, kind in kinds.items()
    )
    return f"<section><h2>What was exercised: {report.coverage['percent']:g} %</h2>{rows}</section>"
