"""Judges every exchange with a target when it comes, whichever rule or property sent the request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contract_tests.openapi.document import Contract, Operation
from contract_tests.rules import AlreadyReported, NotExercised, Violation
from contract_tests.server.checks import JUDGES, UNANSWERED, Found
from contract_tests.server.exchange import SHOWN, Exchange
from contract_tests.server.links import RULE as LINKS_RULE
from contract_tests.server.links import Links
from contract_tests.server.undocumented import UndocumentedData
from contract_tests.targets import Target

KEPT_BYTES: Final = 64 * 1024 * 1024  # bodies of replies that later rules may look at


@dataclass(frozen=True)
class Seen:
    """A finding of one of the properties; ``keys`` are what explains it if a rule has told of it."""

    rule: str
    operation: str
    violation: Violation
    keys: frozenset[str]
    number: int


class Watch:
    """
    What was seen of one target.

    Attributes:
        exchanges: All of them, in order.
        links: What the replies have promised.
    """

    def __init__(self, contract: Contract, target: Target, information: UndocumentedData) -> None:
        self.contract = contract
        self.target = target
        self.information = information
        self.exchanges: list[Exchange] = []
        self.links = Links(contract)
        self._seen: list[Seen] = []
        self._kept = 0
        self._explained: dict[str, dict[str, str]] = {}

    def saw(self, exchange: Exchange) -> None:
        """Judge an exchange by every property."""
        self._keep(exchange)
        if not self.target.serves_form_of(exchange.case.operation.id):
            return
        for rule, judge in JUDGES.items():
            for found in judge(self.contract, exchange):
                self.add(rule, exchange, found)
        for operation, found in self.links.judge(exchange):
            self.add(LINKS_RULE, exchange, found, operation)
        self.information.saw(self.contract, exchange)

    def _keep(self, exchange: Exchange) -> None:
        self._kept += len(exchange.reply)
        is_too_much = self._kept > KEPT_BYTES
        self.exchanges.append(replace(exchange, reply=exchange.reply[:SHOWN], is_cut=True) if is_too_much else exchange)

    def add(self, rule: str, exchange: Exchange, found: Found, operation: str = "") -> None:
        """Take down a finding of a property, on the operation of the exchange or another one."""
        violation = replace(found.violation, found_after=exchange.number)
        keys = frozenset({violation.constraint, *found.keys})
        self._seen.append(Seen(rule, operation or exchange.case.operation.id, violation, keys, exchange.number))

    def missed(self, operation: Operation, violation: Violation) -> None:
        """Take down a request to which no complete reply came."""
        self._seen.append(Seen(UNANSWERED, operation.id, violation, frozenset(), violation.found_after or 0))

    def turned_away(self, reason: NotExercised) -> None:
        """Nothing is judged by it: whether a target may be asked at all is no part of the contract."""

    def forget(self, since: int) -> None:
        """Take back what was found from this request on: it was not the service that answered."""
        self._seen = [one for one in self._seen if one.number < since]

    def of(self, operation: str) -> list[Exchange]:
        """Give the exchanges of an operation."""
        return [exchange for exchange in self.exchanges if exchange.case.operation.id == operation]

    def about(self, rule: str, *exchanges: Exchange) -> list[Violation]:
        """Give what a property has found on these exchanges."""
        numbers = {exchange.number for exchange in exchanges}
        return [seen.violation for seen in self._seen if seen.rule == rule and seen.number in numbers]

    def explain(self, rule: str, operation: str, violation: Violation) -> None:
        """Take down that a rule has told of a breach, so that no property repeats it."""
        explained = self._explained.setdefault(operation, {})
        for key in (violation.constraint, *violation.explains):
            explained.setdefault(key, rule)

    def unreported(self, rule: str, operation: str) -> list[Violation]:
        """
        Give what a property has found on an operation and no rule about that operation has told.

        Raises:
            AlreadyReported: If rules have told all of it.
        """
        seen = [one for one in self._seen if (one.rule, one.operation) == (rule, operation)]
        return self._untold(operation, [(one.violation, one.keys) for one in seen])

    def without_told(self, operation: str, found: Iterable[Violation]) -> list[Violation]:
        """
        Give what no rule about an operation has told.

        Raises:
            AlreadyReported: If rules have told all of it.
        """
        return self._untold(operation, [(one, frozenset({one.constraint})) for one in found])

    def _untold(self, operation: str, found: Sequence[tuple[Violation, frozenset[str]]]) -> list[Violation]:
        explained = self._explained.get(operation, {})
        unreported = [violation for violation, keys in found if not keys & explained.keys()]
        if found and not unreported:
            rules = sorted({explained[key] for _, keys in found for key in keys & explained.keys()})
            raise AlreadyReported(f"what was found is told by {', '.join(rules)}")
        return unreported
