"""A client of ``shelf.yaml`` that gives every body the same class, and the status that came beside it."""

from dataclasses import dataclass
from typing import Any

import httpx
from shelf_client import Client, ShelfAdapter

from contract_tests.client.adapter import Call, Connection, Received
from contract_tests.openapi.document import Operation


@dataclass(frozen=True)
class Told:
    """A body and its status."""

    status: int
    value: Any


class TellingClient(Client):
    """Hands over what it is told."""

    def finish(self, operation: Operation, reply: httpx.Response | None, error: httpx.HTTPError | None) -> Any:
        """Make a reply what the caller gets."""
        value = super().finish(operation, reply, error)
        assert reply is not None
        return Told(reply.status_code, value)


class Telling(ShelfAdapter):
    """Drives it."""

    def connect(self, connection: Connection) -> Client:
        """Build a client."""
        return TellingClient(connection, "one_class")

    def read(self, value: Any, call: Call) -> Received:
        """Give a body as JSON, with its status."""
        if not isinstance(value, Told):
            return super().read(value, call)
        received = super().read(value.value, call)
        return Received(json=received.json, type_name=received.type_name, status=value.status)
