"""A small server of Interactly's other form of execute: run_input in, run_id and turn_number out."""

import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Reply = tuple[int, Any]
Change = Callable[[dict[str, Any], Reply], Reply]


class TurnsServer:
    """Listens on a free port of loopback, from ``with`` until its end; ``change`` may spoil a reply."""

    def __init__(self, change: Change = lambda _, reply: reply) -> None:
        self._change = change
        self._runs: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict[str, Any]) -> Reply:
        """Do a turn."""
        return self._change(body, self._turn(body))

    def _turn(self, body: dict[str, Any]) -> Reply:
        if "run_input" not in body:
            return 422, {"detail": "run_input is missing"}
        run_id = body.get("run_id") or secrets.token_hex(12)
        if "run_id" in body and run_id not in self._runs:
            return 404, {"detail": "no such run"}
        run = self._runs.setdefault(run_id, {"turn_number": 0})
        stopped = body["run_input"].get("command") == "stop"
        run |= {
            "run_id": run_id,
            "turn_number": run["turn_number"] + 1,
            "status": "cancelled" if stopped else "waiting_for_user_input",
            "events": [],
            "is_waiting_for_input": not stopped,
            "is_completed": stopped,
            "error": None,
        }
        return 200, dict(run)


def _handler(server: TurnsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            status, reply = server.answer(body)
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
