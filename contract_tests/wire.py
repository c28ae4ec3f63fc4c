"""The harness's one way to a server: it counts, throttles, waits when told to, and keeps every exchange."""

import json
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_tests.contract import Contract, Operation
from contract_tests.coverage import Coverage
from contract_tests.encoding import encode_headers, encode_path, encode_query
from contract_tests.exchange import Exchange, curl
from contract_tests.masking import Secrets
from contract_tests.request_case import ABSENT, RequestCase
from contract_tests.rules import NotExercised, SetUpError, Violation
from contract_tests.targets import Target

CONNECT_SECONDS = 10.0
REPLY_SECONDS = 30.0
LONGEST_WAIT = 60.0
TRIES_WHEN_THROTTLED = 3
TOO_MANY = 429


class Wire:
    """Sends requests to one target, within its limits."""

    def __init__(self, target: Target, contract: Contract, coverage: Coverage, secrets: Secrets) -> None:
        self.target = target
        self.contract = contract
        self.coverage = coverage
        self.secrets = secrets
        self.sent = 0
        self.exchanges: list[tuple[Operation, Exchange]] = []
        self._next_at = 0.0
        for value in target.secrets.values():
            secrets.add(value)
        local = _is_loopback(target.base_url)
        self._client = httpx.Client(
            timeout=httpx.Timeout(REPLY_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=not local,
            verify=not local or urlsplit(target.base_url).scheme == "https",
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def check_reachable(self) -> None:
        """
        See whether anything listens at the target's address.

        Raises:
            SetUpError: If nothing does.
        """
        parts = urlsplit(self.target.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
        except OSError as error:
            raise SetUpError(f"target {self.target.name}: {self.target.base_url} cannot be reached: {error}") from error

    def send(self, case: RequestCase, *, authenticated: bool = True, key: str | None = None) -> Exchange:
        """
        Send one request and give the whole exchange.

        Args:
            case: What to send.
            authenticated: Whether to send the key.
            key: Another key than the target's own.

        Raises:
            Violation: If no complete reply comes.
            NotExercised: If the target's budget of requests is spent.
            SetUpError: If the target cannot be reached any more.
        """
        path = encode_path(case.operation, case.path)
        url = self.target.base_url.rstrip("/") + path + encode_query(case.operation, case.query)
        content, headers = _content(case)
        headers |= encode_headers(case.operation, case.headers, case.cookies)
        secret, environment = self._credentials(case.operation, key, authenticated=authenticated)
        self.coverage.saw_request(case.operation, [*case.path, *case.query, *case.headers, *case.cookies], case.body)
        request = self._client.build_request(case.operation.method, url, headers={**headers, **secret}, content=content)
        exchange = self._exchange(request, headers | ({} if key is None else secret), environment, content)
        self.coverage.saw_reply(case.operation, exchange.status, exchange.media_type)
        self.exchanges.append((case.operation, exchange))
        return exchange

    def _exchange(
        self, request: httpx.Request, headers: dict[str, str], environment: dict[str, str], content: bytes | None
    ) -> Exchange:
        for attempt in range(1, TRIES_WHEN_THROTTLED + 1):
            started = self._wait_for_turn()
            response = self._reply(request, headers, environment, content)
            exchange = Exchange(
                method=request.method,
                url=str(request.url),
                headers=headers,
                environment=environment,
                content=content,
                status=response.status_code,
                reply_headers=dict(response.headers),
                reply=response.content,
                seconds=time.monotonic() - started,
                secrets=self.secrets,
            )
            wait = _asked_wait(exchange)
            if wait is None or attempt == TRIES_WHEN_THROTTLED:
                break
            self._next_at = time.monotonic() + wait
        return exchange

    def _reply(
        self, request: httpx.Request, headers: dict[str, str], environment: dict[str, str], content: bytes | None
    ) -> httpx.Response:
        again = curl(request.method, str(request.url), headers, environment, content)
        try:
            return self._client.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise SetUpError(f"target {self.target.name}: {self.target.base_url} cannot be reached: {error}") from error
        except httpx.TimeoutException as error:
            received = f"no complete reply within {REPLY_SECONDS:g} seconds"
            raise Violation(received=received, constraint="reply", reproduce=again) from error
        except httpx.HTTPError as error:
            received = f"no complete reply: {type(error).__name__}: {error}"
            raise Violation(received=received, constraint="reply", reproduce=again) from error

    def _wait_for_turn(self) -> float:
        if self.sent >= self.target.max_requests:
            raise NotExercised(f"the target's max_requests of {self.target.max_requests} is spent")
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        now = time.monotonic()
        self._next_at = now + 1 / self.target.requests_per_second
        self.sent += 1
        return now

    def _credentials(
        self, operation: Operation, key: str | None, *, authenticated: bool
    ) -> tuple[dict[str, str], dict[str, str]]:
        # Secret headers are sent in any case: they say who asks, the key says that he may.
        secret = {name: self.target.secrets[env] for name, env in self.target.headers_env.items()}
        environment = {name: f"${env}" for name, env in self.target.headers_env.items()}
        if not authenticated:
            return secret, environment
        name, prefix = self._key_header(operation)
        if key is not None:
            return secret | {name: prefix + key}, environment
        env = self.target.api_key_env
        return secret | {name: prefix + self.target.secrets[env]}, environment | {name: f"{prefix}${env}"}

    def _key_header(self, operation: Operation) -> tuple[str, str]:
        schemes = self.contract.document.get("components", {}).get("securitySchemes", {})
        for name in (name for alternative in operation.security for name in alternative):
            scheme = schemes.get(name, {})
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                return scheme["name"], ""
            if scheme.get("type") in {"http", "oauth2", "openIdConnect"}:
                return "Authorization", "Basic " if scheme.get("scheme") == "basic" else "Bearer "
        return "Authorization", "Bearer "


def _content(case: RequestCase) -> tuple[bytes | None, dict[str, str]]:
    if case.body is ABSENT:
        return None, {}
    headers = {"Content-Type": case.media_type or "application/json"}
    if isinstance(case.body, bytes):
        return case.body, headers
    return to_json(case.body), headers


def to_json(value: Any) -> bytes:
    """Write JSON in ASCII, so that a shell can carry it to the byte."""
    return json.dumps(value, allow_nan=False).encode()


def _asked_wait(exchange: Exchange) -> float | None:
    after = exchange.reply_headers.get("retry-after", "")
    if exchange.status != TOO_MANY or not after.isdecimal():
        return None
    return min(float(after), LONGEST_WAIT)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def case_of(
    operation: Operation, path: Mapping[str, Any], query: Mapping[str, Any] | None = None, body: Any = ABSENT
) -> RequestCase:
    """Make a request by hand; the body is JSON in the operation's first media type."""
    media_type = next(iter(operation.body.media), "application/json") if operation.body else "application/json"
    return RequestCase(operation, path=dict(path), query=dict(query or {}), body=body, media_type=media_type)
