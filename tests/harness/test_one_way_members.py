"""Members of one direction only: a server owes no writeOnly member, and is not sent a readOnly one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from judging import KEY, Judgement, judge, promptlayer, targets_file

ACCOUNT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "password"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "password": {"type": "string", "writeOnly": True},
    },
}
EXAMPLE = {"name": "Ada", "password": "secret"}


def _content(schema: Any, example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}


def _contract() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Account"}
    error = {"description": "Refused.", "content": _content({"type": "object"}, {})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Accounts", "version": "1"},
        "servers": [{"url": "https://accounts.invalid"}],
        "paths": {
            "/accounts": {
                "post": {
                    "operationId": "openAccount",
                    "tags": ["promptlayer"],
                    "requestBody": {"required": True, "content": _content(schema, EXAMPLE)},
                    "responses": {
                        "201": {"description": "Opened.", "content": _content(schema, {"id": 1, "name": "Ada"})},
                        "415": error,
                        "422": error,
                    },
                }
            }
        },
        "components": {"schemas": {"Account": ACCOUNT}},
    }


@contextmanager
def _served(more: dict[str, Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer(*self._opened(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

        def _opened(self, content: bytes) -> tuple[int, dict[str, Any]]:
            if self.headers.get("Content-Type") != "application/json":
                return 415, {}
            try:
                body = json.loads(content)
            except ValueError:
                return 422, {}
            is_legal = isinstance(body, dict) and "id" not in body
            is_legal = is_legal and all(isinstance(body.get(name), str) for name in ("name", "password"))
            return (201, {"id": 7, "name": body["name"], **more}) if is_legal else (422, {})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _judged(directory: Path, more: dict[str, Any]) -> Judgement:
    spec = directory / "accounts.json"
    spec.write_text(json.dumps(_contract()), encoding="utf-8")
    with _served(more) as url:
        path = targets_file(directory, {"accounts": promptlayer(url, allow_writes=True)})
        words = ("--side", "server", "--seed", "1", "--spec", str(spec), "-k", "SRV-*")
        return judge(directory / "report", *words, "--target", "accounts", "--targets", str(path))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TEST_KEY", KEY)


def test_server_that_keeps_the_directions_apart_is_right(tmp_path: Path) -> None:
    """It sends no password back, takes a request without an id, and refuses one with an id."""
    judgement = _judged(tmp_path, {})

    assert judgement.violations == []
    assert judgement.row("SRV-06")["verdict"] == "pass"


def test_server_that_sends_a_secret_back_is_found(tmp_path: Path) -> None:
    """A writeOnly member in a reply breaks the schema of the reply."""
    judgement = _judged(tmp_path, {"password": "secret"})

    assert ("SRV-03", "openAccount") in judgement.violations
