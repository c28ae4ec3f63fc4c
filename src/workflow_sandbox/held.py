"""A hold as a test has it in hand; `holds` is its other end, in the server."""

import json
import time
import urllib.request
from types import TracebackType
from typing import Any, Self

_SECONDS_A_REQUEST = 20


class Held:
    """What `Sandbox.hold` returns: a hold that is set until `release`, or until the end of a `with` block."""

    def __init__(self, url: str, api_key: str, order: dict[str, Any]) -> None:
        self._url, self._api_key = f"{url}/_sandbox/holds", api_key
        self._url = f"{self._url}/{self._ask('POST', '', order)['id']}"
        self._is_set = True

    def wait(self, seconds: float = 30.0) -> int:
        """Return the id of the first run that is held, as soon as there is one.

        Raises:
            TimeoutError: There is none within so many seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            left = max(0, min(_SECONDS_A_REQUEST, round(deadline - time.monotonic() + 0.5)))
            held: list[int] = self._ask("GET", f"?seconds={left}")["held"]
            if held:
                return held[0]
            if time.monotonic() >= deadline:
                raise TimeoutError(f"nothing was held within {seconds:g} seconds")

    def release(self) -> None:
        """Let what is held go on, and hold nothing more. A second time does nothing."""
        if self._is_set:
            self._is_set = False
            self._ask("DELETE", "")

    def _ask(self, method: str, rest: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        headers = {"X-API-KEY": self._api_key, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}{rest}", content, headers, method=method)  # noqa: S310 - our own
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=2 * _SECONDS_A_REQUEST) as response:
            shown: dict[str, Any] = json.load(response)
        return shown

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
