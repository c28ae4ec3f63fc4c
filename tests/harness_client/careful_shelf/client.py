"""The client that the functions are called with."""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from attrs import define, field

from .errors import InvalidArgument, NotConnected

SERVER = "https://shelf.example/api/v2"


@define
class Client:
    """A client for operations without security."""

    raise_on_unexpected_status: bool = field(default=True, kw_only=True)
    _base_url: str = field(default=SERVER, alias="base_url")
    _headers: dict[str, str] = field(factory=dict, kw_only=True, alias="headers")
    _timeout: httpx.Timeout = field(default=httpx.Timeout(10), kw_only=True, alias="timeout")
    _client: httpx.Client | None = field(default=None, init=False)
    _async_client: httpx.AsyncClient | None = field(default=None, init=False)

    def get_httpx_client(self) -> httpx.Client:
        """Get the underlying httpx.Client."""
        if self._client is None:
            self._client = httpx.Client(headers=self._headers, timeout=self._timeout)
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Get the underlying httpx.AsyncClient."""
        if self._async_client is None:
            self._async_client = httpx.AsyncClient(headers=self._headers, timeout=self._timeout)
        return self._async_client

    def check_credentials(self) -> None:
        """See to it that there is a key, for an operation that needs it."""
        raise InvalidArgument("this operation needs an AuthenticatedClient")

    def credentials(self) -> dict[str, str]:
        """Give the header with the key."""
        return {}

    def send(self, kwargs: dict[str, Any]) -> httpx.Response:
        """Send a request."""
        http = self.get_httpx_client()
        try:
            return http.send(self._request(http, kwargs))
        except httpx.TimeoutException:
            raise
        except httpx.HTTPError as error:
            raise NotConnected(str(error)) from None

    async def send_async(self, kwargs: dict[str, Any]) -> httpx.Response:
        """Send a request."""
        http = self.get_async_httpx_client()
        try:
            return await http.send(self._request(http, kwargs))
        except httpx.TimeoutException:
            raise
        except httpx.HTTPError as error:
            raise NotConnected(str(error)) from None

    def _request(self, http: httpx.Client | httpx.AsyncClient, kwargs: dict[str, Any]) -> httpx.Request:
        if http.is_closed:
            raise NotConnected("the client has been closed")
        http.cookies.clear()  # a service's cookies are none of the caller's arguments
        # httpx writes a query in its own way: it gets one that is written.
        query = "&".join(f"{quote(name, safe='')}={value}" for name, value in kwargs.get("params", ()))
        url = self._base_url + kwargs["url"] + (f"?{query}" if query else "")
        content = json.dumps(kwargs["json"]).encode() if "json" in kwargs else None
        # The key comes in here and nowhere before: trackers of errors record what the callers' variables hold.
        headers = {**kwargs["headers"], **(self.credentials() if kwargs.get("key") else {})}
        return http.build_request(kwargs["method"], url, headers=headers, content=content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.get_httpx_client().close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.get_async_httpx_client().aclose()


@define
class AuthenticatedClient(Client):
    """A client with a key."""

    token: str = field(kw_only=True, repr=False)
    prefix: str = field(default="Bearer", kw_only=True)
    auth_header_name: str = field(default="Authorization", kw_only=True)

    def check_credentials(self) -> None:
        """Find a key."""

    def credentials(self) -> dict[str, str]:
        """Give the header with the key."""
        return {self.auth_header_name: f"{self.prefix} {self.token}" if self.prefix else self.token}


def plain(value: Any) -> str:
    """Write one value for a path, a query or a cookie."""
    return quote(value if isinstance(value, str) else json.dumps(value), safe="")
