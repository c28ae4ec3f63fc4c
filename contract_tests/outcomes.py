"""Rows: a rule judged on one operation, before and after."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from contract_tests.openapi.document import Contract
from contract_tests.options import Options
from contract_tests.rules import DOCUMENT, EVERY_OPERATION, Rule, Side, Verdict, Violation


@dataclass(frozen=True)
class Row:
    """A rule to be judged on one operation, on the server side of one target."""

    rule: Rule
    operation: str
    service: str
    target: str = ""
    unknown_operation: bool = False  # the rule names an operation that the contract does not have

    @property
    def id(self) -> str:
        """Rule and operation, what makes a row unique in a report."""
        return f"{self.rule.id} {self.operation}".strip()

    @property
    def place(self) -> tuple[str, str]:
        """What it is about: a target and an operation."""
        return self.target, self.operation

    def is_in_shard(self, shard: tuple[int, int]) -> bool:
        """Whether the row belongs to this part; the hash keeps its place whatever other rows there are."""
        part, parts = shard
        # What is played with an operation of a client serves all rules about it: one part plays it, and no other.
        name = self.operation if self.rule.side is Side.CLIENT else self.id
        return int.from_bytes(hashlib.sha256((name or self.id).encode()).digest()[:8]) % parts == part - 1


@dataclass(frozen=True)
class Finding:
    """One broken constraint; see :class:`~contract_tests.rules.Violation`."""

    constraint: str
    documented: str
    received: str
    reproduce: str


@dataclass(frozen=True)
class Outcome:
    """
    The verdict on one row and what it rests on.

    Attributes:
        reason: Why it is not applicable, not exercised or a known deviation.
        error: What went wrong in the harness itself; empty if nothing did.
        findings: Broken constraints, the first of which names the violation.
        found_after: How much had been tried when the first of them was seen: requests to the target on the server
            side, cases on the client side; None if nothing was found or nothing was counted.
    """

    rule: Rule
    operation: str
    service: str
    target: str
    chapter: str
    verdict: Verdict
    reason: str = ""
    error: str = ""
    findings: tuple[Finding, ...] = field(default=())
    found_after: int | None = None

    def masked(self, mask: Callable[[str], str]) -> Self:
        """Return the same with a mask over all that a server or a client said."""
        found = [
            Finding(*map(mask, (one.constraint, one.documented, one.received, one.reproduce))) for one in self.findings
        ]
        return replace(self, findings=tuple(found), reason=mask(self.reason), error=mask(self.error))

    def to_data(self) -> dict[str, Any]:
        """Return plain data, for the way from one process to another."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_data` gave."""
        rule = Rule(**{**data["rule"], "operations": tuple(data["rule"]["operations"])})
        findings = tuple(Finding(**finding) for finding in data["findings"])
        return cls(**{**data, "rule": rule, "verdict": Verdict(data["verdict"]), "findings": findings})


def finding(rule: Rule, violation: Violation) -> Finding:
    """Complete a violation by what the rule says."""
    return Finding(violation.constraint, violation.documented or rule.says, violation.received, violation.reproduce)


def rows_of(rule: Rule, contract: Contract, options: Options, served: Sequence[tuple[str, str]]) -> list[Row]:
    """
    Return the rows of a rule that were asked for.

    Args:
        rule: The rule.
        contract: Where its operations are.
        options: Side, pattern and shard.
        served: Targets as name and service.
    """
    if rule.side not in options.sides or not options.selects(rule.id):
        return []
    return [row for row in _all_rows(rule, contract, served) if row.is_in_shard(options.shard)]


def _all_rows(rule: Rule, contract: Contract, served: Sequence[tuple[str, str]]) -> Iterator[Row]:
    for name, service, unknown in _operations(rule, contract):
        if rule.side is not Side.SERVER:
            yield Row(rule, name, service, "", unknown)
            continue
        for target, target_service in served:
            if target_service == service:
                yield Row(rule, name, service, target, unknown)


def _operations(rule: Rule, contract: Contract) -> Iterator[tuple[str, str, bool]]:
    known = {operation.id: operation.service for operation in contract.operations}
    if rule.operations == DOCUMENT:
        yield "", "", False
    elif rule.operations == EVERY_OPERATION:
        yield from ((name, service, False) for name, service in known.items() if rule.service in ("", service))
    else:
        yield from ((name, known.get(name, rule.service), name not in known) for name in rule.operations)
