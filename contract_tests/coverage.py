"""What of the contract was exercised, in requests and in responses."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.document import Contract, Media, Operation
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.schema_walk import member_paths, walk

KINDS = (
    "operations",
    "parameters",
    "members",
    "request_media_types",
    "statuses",
    "media_types",
    "reply_members",
    "examples",
)


class Coverage:
    """Takes down what was exercised, in both directions; what the contract does not know is left out."""

    def __init__(self, contract: Contract, services: Collection[str] | None = None) -> None:
        """Expect all operations of the contract, or those of these services."""
        self.contract = contract
        self.services = services
        self.possible: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self.seen: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for operation in contract.operations:
            if services is not None and operation.service not in services:
                continue
            for kind, item in _items(contract, operation):
                self.possible[kind].add(item)

    def saw_request(self, operation: Operation, parameters: Iterable[str], body: Any = None) -> None:
        """Take down a request that was sent to a server or by a client."""
        self.add("operations", operation.id)
        for name in parameters:
            self.add("parameters", f"{operation.id} {name}")
        for media in _json_media(operation.body.media.values() if operation.body else ()):
            if isinstance(body, dict | list):
                self.add("request_media_types", f"{operation.id} {media.media_type}")
                self._members("members", operation.id, media, body)

    def saw_reply(self, operation: Operation, status: int, media_type: str, body: Any = None) -> None:
        """Take down a response that a server gave or a client was given; ``body`` is its JSON value, if it has one."""
        response = operation.response(status)
        if response is None:
            return
        self.add("statuses", f"{operation.id} {response.status}")
        self.add("media_types", f"{operation.id} {response.status} {media_type}")
        media = response.media.get(media_type)
        if media is not None and isinstance(body, dict | list):
            self._members("reply_members", f"{operation.id} {response.status}", media, body)
        for example in media.examples if media is not None else ():
            if example.value == body:
                self.add("examples", example.pointer)

    def saw_examples(self, case: RequestCase) -> None:
        """Take down the examples of the contract that make up a request."""
        for parameter in case.operation.parameters:
            for example in parameter.examples:
                if example.value == case.values(parameter.location).get(parameter.name):
                    self.add("examples", example.pointer)
        for media in case.operation.body.media.values() if case.operation.body else ():
            for example in media.examples:
                if example.value == case.body:
                    self.add("examples", example.pointer)

    def add(self, kind: str, item: str) -> None:
        """Count an item as exercised, if the contract has it."""
        if item in self.possible[kind]:
            self.seen[kind].add(item)

    @property
    def percent(self) -> float:
        """How many per cent of all items were exercised; 100 for a contract without any."""
        possible = sum(map(len, self.possible.values()))
        return 100 * sum(map(len, self.seen.values())) / possible if possible else 100.0

    def to_data(self) -> dict[str, Any]:
        """Return per cent, and for each kind what was and was not exercised."""
        kinds = {
            kind: {"exercised": sorted(self.seen[kind]), "not_exercised": sorted(possible - self.seen[kind])}
            for kind, possible in self.possible.items()
        }
        return {"percent": round(self.percent, 1), **kinds}

    def expect_rules(self, ids: Iterable[str]) -> None:
        """Count rules as well, these ones."""
        self.possible["rules"] = set(ids)
        self.seen["rules"] = set()

    def _members(self, kind: str, prefix: str, media: Media, body: Any) -> None:
        if media.schema is not None:
            for visit in walk(self.contract, media.schema, body):
                self.add(kind, f"{prefix} {visit.path}")


def _items(contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    yield "operations", operation.id
    for parameter in operation.parameters:
        yield "parameters", f"{operation.id} {parameter.name}"
        yield from (("examples", example.pointer) for example in parameter.examples)
    for media in operation.body.media.values() if operation.body else ():
        yield "request_media_types", f"{operation.id} {media.media_type}"
        yield from _of_media(contract, "members", operation.id, media)
    for status, response in operation.responses.items():
        yield "statuses", f"{operation.id} {status}"
        for media in response.media.values():
            yield "media_types", f"{operation.id} {status} {media.media_type}"
            yield from _of_media(contract, "reply_members", f"{operation.id} {status}", media)


def _of_media(contract: Contract, kind: str, prefix: str, media: Media) -> Iterator[tuple[str, str]]:
    for path in member_paths(contract, media.schema):
        yield kind, f"{prefix} {path}"
    for example in media.examples:
        yield "examples", example.pointer


def _json_media(media: Iterable[Media]) -> list[Media]:
    return [one for one in media if is_json(one.media_type)]
