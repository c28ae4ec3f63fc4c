"""Hostile texts, of a server, a contract or a merged report: nothing acts on a terminal, runs in a page, breaks XML."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import hostile_servers as hostile
import pytest
from hostile_servers import served, set_up
from judging import judge

from contract_tests.__main__ import main
from contract_tests.http.redaction import Secrets
from contract_tests.report.html_page import html_page
from contract_tests.report.junit import junit
from contract_tests.report.results import Report
from contract_tests.report.terminal import Terminal

EVIL = (
    "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\" onload='x' \x1b]52;c;YQ==\x07\x9b31m\u202e\x00\ud800"
)
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def row(id_: str, verdict: str, **about: Any) -> dict[str, Any]:
    """Make a row of a report."""
    finding = {"identity": id_, "constraint": "status", "documented": "201", "received": "500", "reproduce": "curl x"}
    made = {
        "id": id_,
        "title": f"Title of {id_}",
        "side": "server",
        "service": "svc",
        "operation": "op",
        "basis": "documented",
        "verdict": verdict,
        "fails": verdict == "violation",
        "identity": "",
        "documented": "d",
        "received": "r",
        "reproduce": "",
        "findings": [],
        "found_after": None,
    }
    return {**made, **({"findings": [finding]} if verdict == "violation" else {}), **about}


def report(*rows: dict[str, Any], **about: Any) -> Report:
    """Make a report with these rows."""
    made = Report(
        contract={"title": "Things", "version": "1", "operations": ["op"]},
        run={**dict.fromkeys(("reason", "started", "command"), "x"), "state": "complete", "shard": "1/1", "scope": {}},
        targets=[],
        seed=1,
        duration_s=1.0,
        coverage={"percent": 50.0, "operations": {"exercised": ["op"], "not_exercised": []}},
        information=[],
        results=rows,
        chapters={one["id"]: "Chapter" for one in rows},
        sources={one["id"]: "https://x.example/page (wording of 2025); recorded" for one in rows},
    )
    return replace(made, **about)


@pytest.fixture
def evil() -> Report:
    """Give a report that is evil in every text."""
    texts = ("id", "title", "side", "service", "operation", "basis", "identity", "documented", "received", "reproduce")
    rows = [row("A", verdict, **dict.fromkeys(texts, EVIL)) for verdict in ("violation", "not_exercised", "pass")]
    return report(
        *rows,
        contract={"title": EVIL, "version": EVIL, "operations": [EVIL]},
        run=dict.fromkeys(("state", "reason", "started", "command", "shard"), EVIL),
        targets=[{**dict.fromkeys(("name", "service", "base_url", "tag"), EVIL), "left_out": 1, "max_requests": 2}],
        coverage={"percent": 50.0, EVIL: {"exercised": [EVIL], "not_exercised": [EVIL]}},
        information=[{"kind": EVIL, "name": EVIL, "operation": EVIL, "at": EVIL, "received": EVIL}],
        chapters={EVIL: EVIL},
        sources={EVIL: f"{EVIL} javascript:alert(3) https://[bad https://ok.example/{EVIL}"},
    )


def test_page_holds_text_alone(evil: Report) -> None:
    """Whatever a text holds, it makes no element, no attribute, no link but to the web, and hides nothing."""
    page = html_page(evil)

    assert not re.search(r"<(?:script|img)", page)
    assert set(re.findall(r"<[a-z0-9]+ ([a-z-]+)=", page)) <= {
        *("lang", "charset", "http-equiv", "name", "class", "id", "href"),
        "open",
    }
    assert set(re.findall(r'href="([^#].*?)"', page)) == {"https://ok.example/"}
    assert not ACTING.search(page.replace("\n", ""))


def test_page_is_under_a_strict_policy() -> None:
    """The browser is told to run nothing, load nothing, and to take this one style."""
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', html_page(report()))

    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'", policy[1]
    )


def test_page_shows_failures_first() -> None:
    """Counts lead to the rows, violations come first, then what was not exercised, with a reason; passes are last."""
    rows = [row("P", "pass"), row("N", "not_exercised", received="no key"), row("V", "violation")]
    page = html_page(report(*rows))
    ids = re.findall(r"<code>(.)</code>", page)

    assert ids == ["V", "N", "P"]
    for verdict in ("violation", "not_exercised", "pass"):
        assert f'<a href="#{verdict}">1 ' in page
        assert f'<section id="{verdict}">' in page
    not_exercised = page[page.index('<section id="not_exercised">') :].partition("</section>")[0]
    assert "<dt>Reason</dt><dd><pre>no key</pre></dd>" in not_exercised
    assert "Received" not in not_exercised
    assert '<a href="https://x.example/page" rel="noopener noreferrer">https://x.example/page</a> (wording' in page


def test_junit_is_xml_whatever_the_texts(evil: Report) -> None:
    """Characters that XML 1.0 has no form for are replaced, in attributes and texts alike."""
    suite = ET.fromstring(junit(evil)).findall("*/testcase")  # noqa: S314

    assert [len(case) for case in suite] == [1, 1, 0]
    assert "<script>" in suite[0].attrib["name"]
    assert "\ufffd" in suite[0].attrib["classname"]


def test_terminal_gets_text_alone(evil: Report) -> None:
    """Nothing in a report's texts reaches a terminal as anything but text, and the key not at all."""
    screen = io.StringIO()
    Terminal(Secrets(["onerror"]), screen).finish(evil, Path(f"dir{EVIL}"))

    assert "Failing" in screen.getvalue()
    assert "\\x1b]52;c;YQ==\\x07\\x9b31m\\u202e" in screen.getvalue()
    assert not ACTING.search(screen.getvalue().replace("\n", ""))
    assert "onerror" not in screen.getvalue()


def test_merged_report_runs_nothing(tmp_path: Path) -> None:
    """Names that stand in the ``results.json`` of a stranger are text in the page and in the XML."""
    data = {**report(row(EVIL, "violation", operation=EVIL, service=EVIL)).to_data(), "information": []}
    data["coverage"] = {"percent": 1.0, EVIL: {"exercised": [EVIL], "not_exercised": [EVIL]}}
    (tmp_path / "results.json").write_text(json.dumps(data))
    status = main(["merge", str(tmp_path), "--report-dir", str(tmp_path / "all")])

    assert status == 1
    page = (tmp_path / "all" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|img)", page)
    assert "&lt;script&gt;" in page
    ET.fromstring((tmp_path / "all" / "junit.xml").read_bytes())  # noqa: S314


def test_summary_lists_what_fails() -> None:
    """The last lines name rule, operation and requirement of every failing row, one line each, and no other row."""
    screen = io.StringIO()
    rows = [row("SRV-01", "violation"), row("SRV-07", "violation", fails=False), row("SRV-03", "pass")]
    Terminal(Secrets(), screen).finish(report(*rows), Path("dir"))
    told = screen.getvalue().partition("Failing\n")[2].partition("\n\n")[0].splitlines()

    assert told == ["  SRV-01              op: Title of SRV-01"]


def test_escapes_of_a_server_and_a_contract_stay_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A media type of a reply, and title, version and operation of a contract, are shown as what they are."""
    contract = {**hostile.CONTRACT, "info": {"title": f"Things {hostile.ESCAPES}", "version": hostile.ESCAPES}}
    with served(hostile.HOSTILE["escape sequences"]()) as url:
        judgement = judge(tmp_path, *set_up(tmp_path, url, contract), "-k", "SRV-02")
    said = capsys.readouterr()

    assert judgement.violations == [("SRV-02", "listThings")]
    assert not ACTING.search((said.out + said.err).replace("\n", ""))
    assert r"\x1b]52;c;YQ==" in said.out
    for name in ("index.html", "junit.xml"):
        assert not ACTING.search((tmp_path / name).read_text(encoding="utf-8").replace("\n", ""))
