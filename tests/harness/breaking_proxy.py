"""A server that keeps the contract but for one thing: it passes everything on to the sandbox, changed as told."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx


@dataclass
class Request:
    """What came in; a break may change it before it is passed on."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def replace_json(self, value: Any) -> None:
        """Put another body in its place."""
        self.content = json.dumps(value).encode()


@dataclass
class Reply:
    """What goes out; a break may change it."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def replace_json(self, value: Any) -> None:
        """Put another body in its place."""
        self.content = json.dumps(value).encode()


@dataclass
class Break:
    """
    One way not to keep the contract.

    Attributes:
        before: Changes a request before it is passed on.
        after: Changes the reply to a request.
        callback: Changes a callback on its way; None for a callback that is swallowed.
        deliveries: How often a callback is passed on.
    """

    before: Callable[[Request], None] = lambda _: None
    after: Callable[[Request, Reply], None] = lambda *_: None
    callback: Callable[[Request], Request | None] | None = None
    deliveries: int = 1


@dataclass
class BreakingProxy:
    """Listens on a free port of loopback, from ``with`` until its end."""

    upstream: str
    broken: Break
    seen: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._client = httpx.Client(timeout=30, trust_env=False)
        self._callbacks: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def answer(self, request: Request) -> Reply:
        """Pass a request on, broken as told."""
        self.seen.append(Request(request.method, request.path, dict(request.headers), request.content))
        if request.path.startswith("/relay/"):
            return self._relay(request)
        self.broken.before(request)
        if self.broken.callback is not None:
            self._redirect_callback(request)
        passed_on = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
        response = self._client.request(
            request.method, self.upstream + request.path, headers=passed_on, content=request.content
        )
        headers = {"content-type": response.headers.get("content-type", "")}
        headers |= {"allow": response.headers["allow"]} if "allow" in response.headers else {}
        reply = Reply(response.status_code, headers, response.content)
        self.broken.after(request, reply)
        return reply

    def _redirect_callback(self, request: Request) -> None:
        body = request.json
        if isinstance(body, dict) and str(body.get("callback_url")).startswith("http://127.0.0.1"):
            relay = f"/relay/{len(self._callbacks)}"
            self._callbacks[relay] = body["callback_url"]
            request.replace_json({**body, "callback_url": self.url + relay})

    def _relay(self, request: Request) -> Reply:
        assert self.broken.callback is not None
        aim = self._callbacks[request.path]
        changed = self.broken.callback(request)
        if changed is not None:
            headers = {"content-type": changed.headers.get("content-type", "")}
            for _ in range(self.broken.deliveries):
                self._client.request(changed.method, aim, headers=headers, content=changed.content)
        return Reply(200, {}, b"")


def _handler(proxy: BreakingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = proxy.answer(Request(self.command, self.path, headers, self.rfile.read(size)))
            if reply.status == 0:  # a break that cuts the connection
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - the names that it looks for

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
