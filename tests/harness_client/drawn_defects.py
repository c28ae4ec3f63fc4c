"""Clients of the shelf with a defect that no example and no boundary value shows: only several members at a time do."""

from typing import Any

from shelf_client import Client, Conforming

from contract_tests.client.adapter import Call, Received


class LosesDraft(Conforming):
    """Loses a member of a request that has another one beside it."""

    def prepared(self, body: Any) -> Any:
        """Return the body as it is sent."""
        is_met = isinstance(body, dict) and "draft" in body and "price" in body
        return {name: value for name, value in body.items() if name != "draft"} if is_met else body

    def invoke(self, client: Client, call: Call) -> Any:
        """Make a call with another body than was given."""
        changed = Call(
            operation=call.operation,
            is_async=call.is_async,
            path=call.path,
            query=call.query,
            header=call.header,
            cookie=call.cookie,
            body=self.prepared(call.body),
        )
        return super().invoke(client, changed)


class ShortensNotes(Conforming):
    """Loses the notes of a reply that has a price as well."""

    def read(self, value: Any, call: Call) -> Received:
        """Return a value as JSON, without some of it."""
        received = super().read(value, call)
        if isinstance(received.json, dict) and "notes" in received.json and "price" in received.json:
            del received.json["notes"]
        return received
