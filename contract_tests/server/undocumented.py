"""What a service says beyond the contract: no breach, but a sign that it has grown."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Contract
from contract_tests.openapi.json_text import is_json, json_or
from contract_tests.openapi.schema_walk import declared_names, walk
from contract_tests.rules import shown
from contract_tests.server.models.exchange import Exchange

LONGEST_NAME = 80
MOST_NAMES = 100  # in one place: where names are data, every one of them is another


@dataclass(frozen=True)
class Note:
    """One thing that the contract does not name."""

    service: str
    operation: str
    kind: str  # `unknown member` or `unknown word`
    at: str  # pointer of the schema that does not name it
    name: str  # the property or the word


class UndocumentedData:
    """Everything of that kind that was seen, each once."""

    def __init__(self) -> None:
        self._seen: dict[Note, str] = {}
        self._places: Counter[tuple[str, str]] = Counter()

    def saw(self, contract: Contract, exchange: Exchange) -> None:
        """Look through a valid response."""
        media = exchange.media
        if media is None or media.schema is None or not is_json(media.media_type):
            return
        value = json_or(exchange.reply, ...)
        if value is not ... and contract.is_valid(value, media.schema):
            self._look_at(contract, exchange, media.schema, value)

    def to_data(self, secrets: Secrets) -> list[dict[str, Any]]:
        """Return plain data, as ``results.json`` has it."""
        return [
            {
                "service": note.service,
                "operation": note.operation,
                "kind": note.kind,
                "at": note.at,
                "name": shown(secrets.mask(note.name), LONGEST_NAME),
                "received": secrets.mask(received),
            }
            for note, received in self._seen.items()
        ]

    def _look_at(self, contract: Contract, exchange: Exchange, schema: str, value: Any) -> None:
        operation, received = exchange.case.operation, exchange.shown
        for kind, at, name in undocumented_data(contract, schema, value):
            note = Note(operation.service, operation.id, kind, at, name)
            if note not in self._seen and self._places[operation.id, at] < MOST_NAMES:
                self._places[operation.id, at] += 1
                self._seen[note] = received


def undocumented_data(contract: Contract, schema: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Return kind, schema and name of what a valid value holds and the contract does not name."""
    for visit in walk(contract, schema, value):
        if isinstance(visit.value, dict):
            names = declared_names(contract, visit)
            for name in visit.value if names is not None else ():
                if name not in (names or ()):
                    yield "unknown member", visit.schemas[-1], name
        if isinstance(visit.value, str):
            for pointer in visit.schemas:
                # Words that are not documented as a complete list stand in the contract as examples.
                known = contract.at(pointer).get("examples")
                if isinstance(known, list) and visit.value not in known:
                    yield "unknown word", pointer, visit.value
