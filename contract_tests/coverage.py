"""What of the contract was exercised: operations, parameters, body members, statuses, media types."""

from collections.abc import Iterable, Iterator
from typing import Any

from contract_tests.contract import Contract, Operation, split

KINDS = ("operations", "parameters", "members", "statuses", "media_types")


class Coverage:
    """Takes down what was exercised, in both directions; what the contract does not know is left out."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.possible: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self.seen: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for operation in contract.operations:
            for kind, item in _items(contract, operation):
                self.possible[kind].add(item)

    def saw_request(self, operation: Operation, parameters: Iterable[str], body: Any = None) -> None:
        """Take down a request that was sent to a server or by a client."""
        self.add("operations", operation.id)
        for name in parameters:
            self.add("parameters", f"{operation.id} {name}")
        if isinstance(body, dict):
            for name in body:
                self.add("members", f"{operation.id} {name}")

    def saw_reply(self, operation: Operation, status: int, media_type: str) -> None:
        """Take down a reply that a server gave or a client was given."""
        response = operation.response(status)
        if response is not None:
            self.add("statuses", f"{operation.id} {response.status}")
            self.add("media_types", f"{operation.id} {response.status} {media_type}")

    def add(self, kind: str, item: str) -> None:
        """Count an item as exercised, if the contract has it."""
        if item in self.possible[kind]:
            self.seen[kind].add(item)

    @property
    def percent(self) -> float:
        """How many per cent of all items were exercised; 100 for a contract without any."""
        possible = sum(map(len, self.possible.values()))
        return 100 * sum(map(len, self.seen.values())) / possible if possible else 100.0

    def merge(self, seen: dict[str, list[str]]) -> None:
        """Add what another run has seen."""
        for kind, items in seen.items():
            for item in items:
                self.add(kind, item)

    def to_data(self) -> dict[str, Any]:
        """Give per cent, and for each kind what was and was not exercised."""
        kinds = {
            kind: {"exercised": sorted(self.seen[kind]), "not_exercised": sorted(self.possible[kind] - self.seen[kind])}
            for kind in KINDS
        }
        return {"percent": round(self.percent, 1), **kinds}


def _items(contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    yield "operations", operation.id
    for parameter in operation.parameters:
        yield "parameters", f"{operation.id} {parameter.name}"
    for media in operation.body.media.values() if operation.body else ():
        for name in member_names(contract, media.schema):
            yield "members", f"{operation.id} {name}"
    for status, response in operation.responses.items():
        yield "statuses", f"{operation.id} {status}"
        for media_type in response.media:
            yield "media_types", f"{operation.id} {status} {media_type}"


def member_names(contract: Contract, schema: str | None) -> list[str]:
    """Give the members that an object schema declares, its alternatives' included."""
    return sorted({split(pointer)[-1] for pointer in member_schemas(contract, schema)})


def member_schemas(contract: Contract, schema: str | None) -> list[str]:
    """Give the pointers of the members' schemas that an object schema declares, its alternatives' included."""
    if schema is None:
        return []
    pointers, found, seen = [contract.follow(schema)], [], set()
    while pointers:
        pointer = pointers.pop()
        stated = contract.at(pointer)
        if pointer in seen or not isinstance(stated, dict):
            continue
        seen.add(pointer)
        names = [name.replace("~", "~0").replace("/", "~1") for name in stated.get("properties", {})]
        found += [f"{pointer}/properties/{name}" for name in names]
        for keyword in ("allOf", "anyOf", "oneOf"):
            pointers += [contract.follow(f"{pointer}/{keyword}/{i}") for i in range(len(stated.get(keyword, ())))]
    return found
