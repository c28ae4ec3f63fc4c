"""Records every exchange with a target, and judges it when it comes: later no more than a part of it may be kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, NamedTuple

from contract_tests.openapi.document import Contract, Operation
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.links import Links
from contract_tests.server.models.exchange import SHOWN, Exchange
from contract_tests.server.undocumented import UndocumentedData
from contract_tests.targets import Target

KEPT_BYTES: Final = 64 * 1024 * 1024  # bodies of responses that later rules may look at


class Event(Enum):
    """What is found otherwise than by a check of one exchange."""

    NO_RESPONSE = auto()
    DEAD_LINK = auto()
    REFUSAL = auto()
    ODD_REFUSAL = auto()


Finder = Event | Callable[[Contract, Exchange], Iterator[Violation]]


class ViolationKey(NamedTuple):
    """What of the contract was broken, by rule, operation and constraint."""

    rule: str
    operation: str
    constraint: str


@dataclass(frozen=True)
class Recorded:
    """A finding of one of the properties, after so many requests."""

    rule: str
    operation: str
    violation: Violation
    number: int

    @property
    def key(self) -> ViolationKey:
        """What it is a finding of."""
        return ViolationKey(self.rule, self.operation, self.violation.constraint)


class Recorder:
    """What was seen of one target."""

    def __init__(
        self, contract: Contract, target: Target, information: UndocumentedData, rules: Mapping[Finder, str]
    ) -> None:
        self.contract = contract
        self.target = target
        self.information = information
        self.exchanges: list[Exchange] = []  # all of them, in order
        self.unanswered: set[str] = set()  # the operations of which a request got no complete response
        self.links = Links(contract)  # what the responses have promised
        self.rules = rules  # the ids of the rules that report what is found, by the check or the event that finds it
        self._checks = [finder for finder in rules if not isinstance(finder, Event)]
        self._seen: list[Recorded] = []
        self._kept = 0

    def saw(self, exchange: Exchange) -> None:
        """Judge an exchange by every check of one exchange."""
        self._keep(exchange)
        for check in self._checks:
            for found in check(self.contract, exchange):
                self.add(check, exchange, found)
        for operation, found in self.links.judge(exchange):
            self.add(Event.DEAD_LINK, exchange, found, operation)
        self.information.saw(self.contract, exchange)

    def _keep(self, exchange: Exchange) -> None:
        self._kept += len(exchange.reply)
        is_too_much = self._kept > KEPT_BYTES
        self.exchanges.append(replace(exchange, reply=exchange.reply[:SHOWN], is_cut=True) if is_too_much else exchange)

    def add(self, finder: Finder, exchange: Exchange, violation: Violation, operation: str = "") -> None:
        """Take down a finding, on the operation of the exchange or another one."""
        counted = replace(violation, found_after=exchange.number)
        named = operation or exchange.case.operation.id
        self._seen.append(Recorded(self.rules[finder], named, counted, exchange.number))

    def missed(self, operation: Operation, violation: Violation) -> None:
        """Take down a request to which no complete response came."""
        self.unanswered.add(operation.id)
        rule = self.rules[Event.NO_RESPONSE]
        self._seen.append(Recorded(rule, operation.id, violation, violation.found_after or 0))

    def turned_away(self, reason: NotExercised) -> None:
        """Nothing is judged by it: whether a target may be asked at all is no part of the contract."""

    def forget(self, since: int) -> None:
        """Take back what was found from this request on: it was not the service that answered."""
        self._seen = [one for one in self._seen if one.number < since]

    def of(self, operation: str) -> list[Exchange]:
        """Return the exchanges of an operation."""
        return [exchange for exchange in self.exchanges if exchange.case.operation.id == operation]

    def found(self, rule: str, operation: str) -> list[Violation]:
        """Return what a rule has to report of an operation."""
        return [one.violation for one in self._seen if (one.rule, one.operation) == (rule, operation)]

    def violation_keys(self, since: int = 0) -> set[ViolationKey]:
        """Return what was found from a request on."""
        return {one.key for one in self._seen if one.number >= since}

    def report_by(self, key: ViolationKey, number: int, tell: Callable[[Violation], Violation]) -> None:
        """Have a violation reported by this request, not by the first one that showed it."""
        found = [one for one in self._seen if one.key == key]
        shown = next(one for one in found if one.number >= number)
        violation = replace(tell(shown.violation), found_after=found[0].violation.found_after)
        self._seen.insert(0, replace(shown, violation=violation))
