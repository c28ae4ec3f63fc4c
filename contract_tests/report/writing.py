"""Writes the reports into their directory: for programs, for CI, and for a person with a browser."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from contract_tests.report.circumstances import State
from contract_tests.report.html_page import html_page
from contract_tests.report.junit import junit
from contract_tests.report.results import Report
from contract_tests.rules import SetUpError

RESULTS: Final = "results.json"
BESIDE: Final = "not-run"  # where the report of a run that judged nothing goes, if there is a real one already


def check_writable(directory: Path) -> None:
    """
    Make the directory, before time is spent on what could not be written there; what lies in it is not touched.

    Raises SetUpError if the directory cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise _cannot_write(directory, error) from error


def write_reports(report: Report, directory: Path) -> Path:
    """
    Write ``results.json``, ``junit.xml`` and ``index.html``, each whole or not at all; give the directory they are in.

    A run that judged nothing leaves the last real report alone: its own goes into a directory inside this one. Raises
    SetUpError if the directory cannot be written to.
    """
    is_judgement = State(report.run["state"]).is_judgement
    place = directory if is_judgement or not _holds_judgement(directory) else directory / BESIDE
    try:
        place.mkdir(parents=True, exist_ok=True)
        data = json.dumps(report.to_data(), indent=2, ensure_ascii=False)
        _replace(place / RESULTS, (data + "\n").encode("utf-8", "backslashreplace"))
        _replace(place / "junit.xml", junit(report))
        _replace(place / "index.html", html_page(report).encode("utf-8", "backslashreplace"))
        if is_judgement and (directory / BESIDE / RESULTS).is_file():
            shutil.rmtree(directory / BESIDE)
    except OSError as error:
        raise _cannot_write(place, error) from error
    return place


def read_results(path: Path) -> dict[str, Any] | None:
    """Return what a ``results.json`` holds; None if it is no JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _holds_judgement(directory: Path) -> bool:
    run = (read_results(directory / RESULTS) or {}).get("run")
    state = run.get("state") if isinstance(run, dict) else None
    return state in [one for one in State if one.is_judgement]


def _replace(path: Path, content: bytes) -> None:
    # Whoever reads while this is written, or after it was killed, sees the old file or the new one.
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _cannot_write(directory: Path, error: OSError) -> SetUpError:
    return SetUpError(f"--report-dir: cannot write to {directory}: {error}")
