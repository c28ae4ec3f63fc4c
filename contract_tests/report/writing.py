"""Writes the reports into their directory: for programs, for CI, and for a person with a browser."""

import json
from pathlib import Path

from contract_tests.report.html_page import html_page
from contract_tests.report.junit import junit
from contract_tests.report.results import Report
from contract_tests.rules import SetUpError

RESULTS = "results.json"


def check_writable(directory: Path) -> None:
    """
    Make the directory, before time is spent on what could not be written there.

    Raises:
        SetUpError: If the directory cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / RESULTS).open("a").close()
    except OSError as error:
        raise SetUpError(f"--report-dir: cannot write to {directory}: {error}") from error


def write_reports(report: Report, directory: Path) -> None:
    """
    Write ``results.json``, ``junit.xml`` and ``index.html``.

    Raises:
        SetUpError: If the directory cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        data = json.dumps(report.to_data(), indent=2, ensure_ascii=False)
        (directory / RESULTS).write_text(data + "\n", encoding="utf-8", errors="backslashreplace")
        (directory / "junit.xml").write_bytes(junit(report))
        (directory / "index.html").write_text(html_page(report), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SetUpError(f"--report-dir: cannot write to {directory}: {error}") from error
