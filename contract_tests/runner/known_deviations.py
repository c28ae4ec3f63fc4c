"""
Known deviations: violations of a real service that somebody has looked at, named and dated.

They stand in ``known_deviations.toml``, in this package and beside the user's targets file::

    [[deviation]]
    rule = "PL-RUN-15"
    operation = "runWorkflow"
    base_url = "https://api.promptlayer.com"   # the server that deviates
    sentence = "Unused input variables are not warned of."
    link = "https://example.com/where-it-was-reported"
    seen = 2026-11-20

Such a row is reported as ``known_deviation`` and does not fail. The list is strict: once the server keeps the rule, the
row is a violation until the entry is removed.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Self

from contract_tests.outcomes import Finding, Outcome
from contract_tests.rules import SetUpError, Verdict
from contract_tests.runner.context import Run

FILE = "known_deviations.toml"
FIELDS = {"rule": str, "operation": str, "base_url": str, "sentence": str, "link": str, "seen": date}


@dataclass(frozen=True)
class Deviation:
    """One entry; see the module's docstring."""

    rule: str
    operation: str
    base_url: str
    sentence: str
    link: str
    seen: date

    @property
    def reason(self) -> str:
        """What a report says of it."""
        return f"{self.sentence} Seen {self.seen.isoformat()}, {self.link}"


class Deviations:
    """The entries that concern a run."""

    def __init__(self, entries: list[Deviation]) -> None:
        self._entries = entries

    @classmethod
    def load(cls, targets_file: Path | None) -> Self:
        """Read this package's list and the one beside the targets file; raises SetUpError if an entry has a mistake."""
        folders = [Path(__file__).parents[1], targets_file.parent if targets_file else Path()]
        files = {(folder / FILE).resolve() for folder in folders}
        return cls([entry for path in sorted(files) if path.is_file() for entry in _read(path)])

    def applied(self, outcome: Outcome, run: Run) -> Outcome:
        """Return the outcome as it stands once known deviations are considered."""
        entry = self._entry(outcome, run)
        if entry is None:
            return outcome
        if outcome.verdict is Verdict.VIOLATION:
            return replace(outcome, verdict=Verdict.KNOWN_DEVIATION, reason=entry.reason)
        if outcome.verdict is Verdict.PASS:
            received = f"the server keeps the rule now; remove the known deviation: {entry.reason}"
            gone = Finding("known deviation", outcome.rule.says, received, "")
            return replace(outcome, verdict=Verdict.VIOLATION, findings=(gone,), found_after=None)
        return outcome

    def _entry(self, outcome: Outcome, run: Run) -> Deviation | None:
        addresses = {target.name: target.base_url.rstrip("/") for target in run.targets}
        for entry in self._entries:
            same_row = (entry.rule, entry.operation) == (outcome.rule.id, outcome.operation)
            if same_row and addresses.get(outcome.target) == entry.base_url.rstrip("/"):
                return entry
        return None


def _read(path: Path) -> Iterator[Deviation]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetUpError(f"cannot read {path}: {error}") from error
    listed = document.get("deviation", [])
    if set(document) - {"deviation"} or not (isinstance(listed, list) and all(isinstance(one, dict) for one in listed)):
        raise SetUpError(f"{path}: it holds entries [[deviation]] and nothing else; see docs/targets.md")
    for number, entry in enumerate(listed, 1):
        for name, kind in FIELDS.items():
            if not isinstance(entry.get(name), kind):
                raise SetUpError(f"{path}: deviation {number}: {name} must be a {kind.__name__}")
        unknown = sorted(set(entry) - set(FIELDS))
        if unknown:
            raise SetUpError(f"{path}: deviation {number}: unknown field {unknown[0]}")
        yield Deviation(**entry)
