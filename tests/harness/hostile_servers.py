"""Servers on loopback that answer below every HTTP framework, each with something that no client may be felled by."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[[socket.socket], object]
KILO, MEGA = 1024, 1024 * 1024
CONTRACT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "tags": [{"name": "svc"}],
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "tags": ["svc"],
                "responses": {
                    "200": {
                        "description": "All things.",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
                            }
                        },
                    }
                },
            }
        }
    },
}


def head(*headers: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """Give the head of a reply with these header lines."""
    return "\r\n".join([f"{version} {status}", "Content-Type: application/json", *headers, "", ""]).encode("latin-1")


def whole(body: bytes, *headers: str, **about: str) -> bytes:
    """Give a complete reply."""
    return head(f"Content-Length: {len(body)}", *headers, **about) + body


def of(reply: bytes) -> Serve:
    """Answer always the same."""
    return lambda connection: connection.sendall(reply)


def _sending(start: bytes, piece: bytes, times: int | None = None) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in itertools.repeat(None) if times is None else range(times):
            connection.sendall(piece)

    return serve


def _trickling(start: bytes, piece: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.settimeout(0.05)
        while True:
            connection.sendall(piece)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return

    return serve


def _compressed(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b" " * MEGA) for _ in range(size // MEGA)]
    return b"".join([*parts, packer.flush()])


def _bomb(megabytes: int) -> Serve:
    return of(whole(_compressed(megabytes * MEGA), "Content-Encoding: gzip"))


def _double_bomb(megabytes: int) -> Serve:
    return of(whole(gzip.compress(_compressed(megabytes * MEGA)), "Content-Encoding: gzip, gzip"))


def _deep() -> Serve:
    return of(whole(b"[" * 100_000 + b"]" * 100_000))


def _many_members() -> Serve:
    return of(whole(json.dumps(dict.fromkeys(map(str, range(500_000)), 0)).encode()))


ESCAPES = "\x1b]52;c;YQ==\x07\x1b[2J\x9b31m\u202e\u2066"
HOSTILE: dict[str, Callable[[], Serve]] = {
    "a body of 100 MB": lambda: _sending(head(f"Content-Length: {100 * MEGA}"), b" " * MEGA, 100),
    "an endless body": lambda: _sending(head("Transfer-Encoding: chunked"), b"%x\r\n%s\r\n" % (MEGA, b" " * MEGA)),
    "a trickling body": lambda: _trickling(head("Content-Length: 1000000"), b" "),
    "a trickling body without length": lambda: _trickling(head(version="HTTP/1.0"), b" "),
    "endless headers": lambda: _sending(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"a" * KILO + b"\r\n"),
    "trickling headers": lambda: _trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "endless interim replies": lambda: _sending(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a gzip bomb": lambda: _bomb(20),
    "a bomb in a bomb": lambda: _double_bomb(20),
    "a lie about gzip": lambda: of(whole(b'{"ok": true}', "Content-Encoding: gzip")),
    "a redirect with a bad address": lambda: of(whole(b"{}", "Location: http://[bad", status="302 Found")),
    "JSON of 100,000 levels": _deep,
    "500,000 unknown members": _many_members,
    "escape sequences": lambda: of(whole(b"{}").replace(b"json", ESCAPES.encode())),
    "no HTTP": lambda: of(b"SSH-2.0-OpenSSH_9.6\r\n"),
}


@contextmanager
def served(serve: Serve) -> Iterator[str]:
    """Answer every connection, after its one request, as told; give the base URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        threading.Thread(target=_accept, args=(listening, serve), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, serve: Serve) -> None:
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=_answer, args=(listening.accept()[0], serve), daemon=True).start()


def _answer(connection: socket.socket, serve: Serve) -> None:
    with connection, contextlib.suppress(OSError):
        received = b""
        while b"\r\n\r\n" not in received and (piece := connection.recv(65_536)):
            received += piece
        if received:
            serve(connection)


def set_up(directory: Path, url: str, contract: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """Give the arguments by which the harness judges a server of this contract."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "spec.json").write_text(json.dumps(contract or CONTRACT))
    table = {"service": "svc", "base_url": url, "api_key_env": "HARNESS_TEST_KEY", "workflow": "none", **fields}
    lines = ["[targets.mine]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
    (directory / "targets.toml").write_text("\n".join(lines))
    named = ["--target", "mine", "--targets", str(directory / "targets.toml"), "--spec", str(directory / "spec.json")]
    return ["--side", "server", "--seed", "1", *named]
