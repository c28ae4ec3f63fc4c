"""Clients of ``shelf.yaml`` that offer less than the contract, and say so."""

from typing import Any

from shelf_client import Client, Conforming, ShelfAdapter

from contract_tests.client.adapter import Call, Connection, NotSupported


class SyncOnly(Conforming):
    """Has no asynchronous form."""

    def connect(self, connection: Connection) -> Client:
        """Build a client, if it may be synchronous."""
        if connection.is_async:
            raise NotSupported("no asynchronous form")
        return super().connect(connection)


class WithoutRemoval(ShelfAdapter):
    """Offers one operation less, and another one without an argument; what it offers of that is broken."""

    def invoke(self, client: Client, call: Call) -> Any:
        """Make a call, if it is offered."""
        if call.operation.id == "removeBook":
            raise NotSupported("no removal")
        if "pageSize" in call.query:
            raise NotSupported("no page size")
        return super().invoke(client, call)
