"""Lets a function of a test reply to the prompts of a sandbox in another process."""

import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from workflow_sandbox.prompt import Prompt


class AnswerServer:
    """Listens on loopback, on a port of its own, from its making until `close`."""

    def __init__(self, function: Callable[[Prompt], Any]) -> None:
        path = f"/{secrets.token_hex(8)}"  # nobody else on this machine is to call the function

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server calls
                content = self.rfile.read(int(self.headers["content-length"]))
                reply = _reply(function, content) if self.path == path else b"{}"
                self.send_response(200)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                """Leave standard error to the test."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _reply(function: Callable[[Prompt], Any], content: bytes) -> bytes:
    try:
        reply = {"value": function(Prompt(**json.loads(content)))}
        return json.dumps(reply, allow_nan=False).encode("ascii")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the node's failure
        return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode("ascii")
