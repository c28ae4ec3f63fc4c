"""The floor: httpx with nothing around it, as little as an adapter can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from contract_tests.client.adapter import ABSENT, Call, Connection, Explanation, Received, Scheme

if TYPE_CHECKING:
    from collections.abc import Coroutine


class BareHttpx:
    """The adapter for bare httpx: arguments go out unchecked, and of a reply only the JSON is read."""

    own_errors = (httpx.HTTPError,)

    def __init__(self, generated: str) -> None:
        """Take the name of the generated package, of which nothing is used."""

    def connect(self, connection: Connection) -> httpx.Client | httpx.AsyncClient:
        """Build httpx's client with the key in its place."""
        kind = httpx.AsyncClient if connection.is_async else httpx.Client
        headers = {**connection.headers, **_credentials(connection.scheme, connection.key)}
        return kind(base_url=connection.base_url, headers=headers, timeout=connection.timeout)

    def invoke(
        self, client: httpx.Client | httpx.AsyncClient, call: Call
    ) -> httpx.Response | Coroutine[Any, Any, httpx.Response]:
        """Send the arguments as they are."""
        operation = call.operation
        target = operation.path
        for name, value in call.path.items():
            target = target.replace(f"{{{name}}}", quote(str(value), safe=""))
        body = {} if call.body is ABSENT else {"json": call.body}
        headers = {name: str(value) for name, value in call.header.items()}
        return client.request(operation.method, target, params=dict(call.query), headers=headers, **body)

    def read(self, value: httpx.Response, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """Parse the body, if there is one."""
        try:
            data = value.json() if value.content else None
        except ValueError:
            data = value.text
        return Received(json=data, type_name="Response", status=value.status_code)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Nothing: httpx's errors tell no status."""
        return Explanation()


def _credentials(scheme: Scheme | None, key: str) -> dict[str, str]:
    if scheme is None:
        return {}
    return {"Authorization": f"Bearer {key}"} if scheme.kind == "http" else {scheme.name: key}
