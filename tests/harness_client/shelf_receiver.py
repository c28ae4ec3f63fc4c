"""What receives the webhook of ``shelf.yaml``: a parser and an ASGI application, and what they become with a defect."""

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SECRET: Final = b"a secret of sender and receiver"
PATH: Final = "/lent/9f3a"
FOREIGN_PATH: Final = "/lent/0000"
SIGNATURE: Final = "x-shelf-signature"

Loan = dict[str, Any]


class LoanRefused(Exception):
    """The delivery is not one of the service's."""


def sign(content: bytes) -> dict[str, str]:
    """Give the header by which the sender proves itself."""
    return {SIGNATURE: hmac.new(SECRET, content, hashlib.sha256).hexdigest()}


def parse(content: bytes, headers: Mapping[str, str], defect: str = "") -> Loan:
    """Check and read a delivery."""
    if defect != "takes_unsigned" and not _is_signed(headers.get(SIGNATURE, ""), sign(content)[SIGNATURE], defect):
        raise LoanRefused("the signature is not the sender's")
    if defect == "reads_one_line" and b"\n" in content:
        raise LoanRefused("more than one line")
    try:
        loan = json.loads(content, parse_constant=float if defect == "takes_loan_of_nan" else _no_json)
    except ValueError:
        raise LoanRefused("no JSON") from None
    if defect == "takes_any_loan" and isinstance(loan, dict):
        return loan
    if not _is_loan(loan):
        raise LoanRefused("no loan")
    kept: Loan = loan
    if defect == "loses_days":
        kept = {name: member for name, member in kept.items() if name != "days"}
    if defect == "closed_loans":
        kept = {name: kept[name] for name in ("loan", "title", "days") if name in kept}
    return kept


def _no_json(name: str) -> Any:
    raise ValueError(name)


def _is_signed(given: str, right: str, defect: str) -> bool:
    if defect == "takes_half_signed":
        return bool(given) and right.startswith(given)
    if defect == "looks_at_half":
        return given[:32] == right[:32]
    return hmac.compare_digest(given, right)


def _is_loan(loan: Any) -> bool:
    if not isinstance(loan, dict):
        return False
    days = loan.get("days")
    return _is_integer(loan.get("loan")) and isinstance(loan.get("title"), str) and (days is None or _is_integer(days))


def _is_integer(value: Any) -> bool:
    return type(value) is int or (isinstance(value, float) and value.is_integer())


class Listener:
    """Takes deliveries on a socket, and gives who asks the loan that was posted."""

    def __init__(self, defect: str) -> None:
        self._defect = defect
        self.taken: dict[Any, Loan] = {}
        self._changed = threading.Condition()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # with which comes 100 Continue

            def do_POST(self) -> None:
                listener.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one delivery."""
        loan = parse(self._read(request), {SIGNATURE: request.headers.get(SIGNATURE, "")}, "")
        with self._changed:
            if loan["loan"] not in self.taken or self._defect == "keeps_last_loan":
                self.taken[loan["loan"]] = loan
            self._changed.notify_all()
        request.send_response(204)
        request.end_headers()

    def _read(self, request: BaseHTTPRequestHandler) -> bytes:
        if request.headers.get("Transfer-Encoding") != "chunked" or self._defect == "reads_no_chunks":
            return request.rfile.read(int(request.headers.get("Content-Length", 0)))
        content = b""
        while size := int(request.rfile.readline().partition(b";")[0], 16):
            content += request.rfile.read(size)
            request.rfile.readline()
        return content

    def outcome(self, loan: Loan, seconds: float) -> Loan:
        """Wait for a loan."""
        with self._changed:
            if self._defect == "gives_any_loan":
                self._changed.wait_for(lambda: self.taken, seconds)
                return next(iter(self.taken.values()))
            if not self._changed.wait_for(lambda: loan["loan"] in self.taken, seconds):
                raise LoanRefused("nothing has come")
            return self.taken[loan["loan"]]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class Receiver:
    """The ASGI application: hands on each loan once."""

    def __init__(self, handler: Callable[[Loan], None], defect: str) -> None:
        self._handler, self._defect = handler, defect
        self._seen: set[bytes] = set()
        self._newest = float("-inf")

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[..., Any]) -> None:
        """Answer one request."""
        content, more = b"", True
        while more and not (content and self._defect == "takes_first_part"):
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self._defect == "remembers_late" and content not in self._seen:
            await asyncio.sleep(0.01)
            self._seen.discard(content)  # it has looked before
        status = self._answer(scope["path"], headers, content) if scope["method"] == "POST" else 405
        words = json.dumps(sign(content)).encode() if status == 400 and self._defect == "tells_signature" else b""
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": words})

    def _answer(self, path: str, headers: Mapping[str, str], content: bytes) -> int:
        if path != PATH and self._defect != "listens_anywhere":
            return 404
        if headers.get("content-type") != "application/json":
            return 415
        try:
            loan = parse(content, headers, self._defect)
        except LoanRefused:
            return 400
        if content not in self._seen and not self._is_late(loan):
            return self._hand_on(loan, content)
        return 204

    def _is_late(self, loan: Loan) -> bool:
        return self._defect == "only_newer_loans" and loan["loan"] < self._newest

    def _hand_on(self, loan: Loan, content: bytes) -> int:
        if self._defect == "forgets_failed_loans":
            self._seen.add(content)
        try:
            self._handler(loan)
        except Exception:  # noqa: BLE001 - whatever a handler raises, the sender is to come again
            return 500
        self._newest = loan["loan"]
        if self._defect != "hands_on_twice":
            self._seen.add(content)
        return 204
