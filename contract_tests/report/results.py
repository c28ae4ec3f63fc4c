"""The report as data: what ``results.json`` holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_tests.http.redaction import Secrets
from contract_tests.outcomes import Finding, Outcome
from contract_tests.rules import Verdict

WORST_FIRST = (
    Verdict.VIOLATION,
    Verdict.KNOWN_DEVIATION,
    Verdict.PASS,
    Verdict.NOT_EXERCISED,
    Verdict.NOT_APPLICABLE,
)
EXERCISED = (Verdict.PASS, Verdict.VIOLATION, Verdict.KNOWN_DEVIATION)


@dataclass(frozen=True)
class Report:
    """
    Everything that reports show.

    Attributes:
        contract: Title, version, source and number of operations.
        run: When and by which command it ran, and how it ended, as ``contract_tests.report.circumstances`` has it.
        targets: Name, service, address, counts and the tag of its runs, for each target.
        coverage: Per cent, and for each kind what was and was not exercised.
        information: What services said beyond the contract, which is no breach.
        results: Rows as ``results.json`` has them.
        chapters: Chapter of each row, by rule id.
        sources: Where each rule comes from, by rule id.
    """

    contract: Mapping[str, Any]
    run: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]
    seed: int
    duration_s: float
    coverage: Mapping[str, Any]
    information: Sequence[Mapping[str, Any]]
    results: Sequence[Mapping[str, Any]]
    chapters: Mapping[str, str]
    sources: Mapping[str, str]

    @property
    def summary(self) -> dict[str, int]:
        """How many rows have each verdict."""
        return {verdict.value: sum(row["verdict"] == verdict for row in self.results) for verdict in Verdict}

    def to_data(self) -> dict[str, Any]:
        """Return what ``results.json`` holds."""
        return {
            "contract": self.contract,
            "run": self.run,
            "targets": self.targets,
            "seed": self.seed,
            "duration_s": self.duration_s,
            "summary": self.summary,
            "coverage": self.coverage,
            "information": self.information,
            "results": self.results,
        }


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Return what a report says of itself, as name and text: state, time, command, and each target with its tag."""
    for name in ("state", "reason", "started", "command"):
        if report.run[name]:
            yield name, str(report.run[name])
    yield "seed", str(report.seed)
    for target in report.targets:
        address = target["base_url"] or "not started"
        yield f"target {target['name']}", f"{target['service']} at {address}, runs tagged {target['tag']}"


def rows(outcomes: Iterable[Outcome], secrets: Secrets, *, strict: bool) -> list[dict[str, Any]]:
    """Return one row for each rule and operation; of several targets the worst verdict stands."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    several = len({(outcome.target) for outcome in outcomes if outcome.target}) > 1
    for outcome in outcomes:
        row = _row(outcome, secrets, strict=strict, name_target=several)
        key = (outcome.rule.id, outcome.operation)
        found[key] = worse(found[key], row) if key in found else row
    return list(found.values())


def worse(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the row with the worse verdict, the first one if they are equal."""
    return min((one, other), key=lambda row: WORST_FIRST.index(row["verdict"]))


def _row(outcome: Outcome, secrets: Secrets, *, strict: bool, name_target: bool) -> dict[str, Any]:
    rule, findings = outcome.rule, outcome.findings
    reason = f"{outcome.reason}: {outcome.error}" if outcome.error else outcome.reason
    received = [finding.received for finding in findings] or [reason] * bool(reason)
    where = f"target {outcome.target}: " if name_target and received else ""
    constraint = findings[0].constraint if findings else ""
    return {
        "id": rule.id,
        "title": rule.title,
        "side": rule.side.value,
        "service": outcome.service,
        "operation": outcome.operation,
        "basis": rule.basis.value,
        "verdict": outcome.verdict.value,
        "fails": rule.fails(outcome.verdict, strict=strict),
        "identity": secrets.mask(rule.identity(outcome.operation, constraint)) if findings else "",
        "documented": secrets.mask(_joined([finding.documented for finding in findings] or [rule.says])),
        "received": secrets.mask(where + _joined(received)),
        "reproduce": secrets.mask(_joined([finding.reproduce for finding in findings if finding.reproduce])),
        "findings": [_finding(outcome, finding, secrets) for finding in findings],
        "found_after": outcome.found_after,
    }


def _finding(outcome: Outcome, finding: Finding, secrets: Secrets) -> dict[str, str]:
    texts = {
        "identity": outcome.rule.identity(outcome.operation, finding.constraint),
        "constraint": finding.constraint,
        "documented": finding.documented,
        "received": finding.received,
        "reproduce": finding.reproduce,
    }
    return {name: secrets.mask(text) for name, text in texts.items()}


def _joined(texts: Sequence[str]) -> str:
    return "\n".join(dict.fromkeys(texts))
