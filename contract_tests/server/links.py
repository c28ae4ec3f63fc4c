"""Links between operations: what a response says can be asked for next, is there to be asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.openapi.document import Contract, Operation, Response, join, split
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import Violation
from contract_tests.server.models.exchange import Access, Exchange

GONE = (404, 410)
PLACES = ("path", "query", "header")


@dataclass(frozen=True)
class Promise:
    """A request that a response has made possible; ``constraint`` is the link's pointer."""

    source: Exchange
    constraint: str
    case: RequestCase


class Links:
    """Follows every response's links as they are used, and knows which were not used yet."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._open: list[Promise] = []
        self.kept: set[str] = set()
        self.broken: set[str] = set()

    def judge(self, exchange: Exchange) -> Iterator[tuple[str, Violation]]:
        """Say what an exchange shows of earlier promises: the operation that made one, and what is wrong with it."""
        if exchange.access is Access.OWN:
            for promise in [one for one in self._open if _uses(exchange.case, one.case)]:
                if exchange.has_succeeded or exchange.status in GONE:
                    self._open.remove(promise)
                if exchange.has_succeeded:
                    self.kept.add(promise.constraint)
                if exchange.status in GONE:
                    self.broken.add(promise.constraint)
                    received = f"what it names is not there: {exchange.method} {exchange.url} gives {exchange.shown}"
                    documented = f"{promise.constraint} leads from the reply to {exchange.case.operation.id}."
                    source = promise.source.case.operation.id
                    yield source, exchange.violation(promise.constraint, received, documented=documented)
        self._open += self._promised(exchange)

    def unused(self, operation: str) -> list[Promise]:
        """Return the latest promise of each link of an operation that was never followed."""
        latest = {one.constraint: one for one in self._open if one.source.case.operation.id == operation}
        return [one for constraint, one in latest.items() if constraint not in self.kept | self.broken]

    def _promised(self, exchange: Exchange) -> Iterator[Promise]:
        response = exchange.case.operation.response(exchange.status)
        if response is None or not exchange.has_succeeded:
            return
        for name, link in response.links.items():
            case = self._case(exchange, link)
            if case is not None:
                yield Promise(exchange, _pointer(response, name), case)

    def _case(self, exchange: Exchange, link: Mapping[str, Any]) -> RequestCase | None:
        target = next((one for one in self._contract.operations if one.id == link.get("operationId")), None)
        if target is None or "requestBody" in link:
            return None
        values: dict[str, dict[str, Any]] = {place: {} for place in PLACES}
        for key, expression in link.get("parameters", {}).items():
            place, name = _place_of(target, key)
            value = evaluate(expression, exchange)
            if value is ABSENT or place not in values:
                return None
            values[place][name] = value
        case = RequestCase(target, values["path"], values["query"], values["header"])
        missing = [one for one in target.parameters if one.required and one.name not in case.values(one.location)]
        return None if missing else case


def links_of(operation: Operation) -> list[str]:
    """Return the pointers of the links of an operation's responses."""
    return [_pointer(response, name) for response in operation.responses.values() for name in response.links]


def evaluate(expression: Any, exchange: Exchange) -> Any:
    """Return the value of a runtime expression of OpenAPI, ABSENT if there is none; what is no expression is itself."""
    if not isinstance(expression, str) or not expression.startswith("$"):
        return expression
    source, _, rest = expression.removeprefix("$").partition(".")
    if source == "statusCode":
        return exchange.status
    if rest.startswith("body"):
        value = exchange.case.body if source == "request" else json_or(exchange.reply, ABSENT)
        return _at(value, split(rest.removeprefix("body")))
    place, _, name = rest.partition(".")
    if source == "response":
        return exchange.reply_headers.get(name.lower(), ABSENT)
    return exchange.case.values(place).get(name, ABSENT) if place in PLACES else ABSENT


def _at(value: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return ABSENT
    return value


def _place_of(target: Operation, key: str) -> tuple[str, str]:
    place, _, name = key.partition(".")
    if place in PLACES and name:
        return place, name
    return next(((one.location, one.name) for one in target.parameters if one.name == key), ("", key))


def _uses(case: RequestCase, promised: RequestCase) -> bool:
    places = [(case.values(place), promised.values(place)) for place in PLACES]
    return case.operation.id == promised.operation.id and all(
        given.get(name, ABSENT) == value for given, wanted in places for name, value in wanted.items()
    )


def _pointer(response: Response, name: str) -> str:
    return join(response.pointer, "links", name)
