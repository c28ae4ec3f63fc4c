"""Posts deliveries to a listener of the client's over sockets, in pieces and at once, inside the client's process."""

import base64
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Final
from urllib.parse import urlsplit

from contract_tests.client.adapter import Adapter, Listening, Receiving

SECONDS: Final = 3.0
BETWEEN: Final = 0.02  # seconds from piece to piece
CONTINUE: Final = 100
WITH_A_LETTER: Final = 13  # bytes: a size that is a letter in hexadecimal digits


def play_steps(adapter: Adapter, receiving: Receiving, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Do steps in order with one listener, and return what came of each.

    A step has ``posts``, which are made at the same time, or the ``value`` of a delivery whose run is waited for.
    """
    assert receiving.listen is not None
    listening = receiving.listen()
    try:
        return [_posted(listening, step) if "posts" in step else _waited(adapter, listening, step) for step in steps]
    finally:
        listening.close()


def _posted(listening: Listening, step: Mapping[str, Any]) -> dict[str, Any]:
    with ThreadPoolExecutor(len(step["posts"])) as pool:
        return {"statuses": list(pool.map(lambda post: _status_of(listening.url, **post), step["posts"]))}


def _waited(adapter: Adapter, listening: Listening, step: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"json": listening.outcome(step["value"], SECONDS)}
    except BaseException as error:  # noqa: BLE001 - whatever a wait raises is what is asked for
        own = isinstance(error, adapter.own_errors)
        return {"error": type(error).__name__, "own": own, "text": str(error)[:500]}


def _status_of(
    url: str,
    *,
    content: str,
    headers: Mapping[str, str],
    pieces: int = 1,
    chunked: bool = False,
    size_form: str = "{:x}",
    expects: bool = False,
) -> int | str:
    """Return the status that a delivery is answered with, or why there is none."""
    parts, body = urlsplit(url), base64.b64decode(content)
    parted_at = min(WITH_A_LETTER, len(body) // 2)
    cut = (body[:parted_at], body[parted_at:], b"")
    chunks = [size_form.format(len(chunk)).encode() + b"\r\n" + chunk + b"\r\n" for chunk in cut]
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    expected = {"Expect": "100-continue"} if expects else {}
    lines += [f"{name}: {value}" for name, value in {**headers, **framing, **expected}.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    # The head comes by itself first: a body need not come with it.
    parted = [head, *chunks] if chunked else [head, body]
    sent = parted if pieces == len(parted) or (chunked and pieces == 1) else _pieces(b"".join(parted), pieces)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = connection.makefile("rb")
            for piece in sent:
                connection.sendall(piece)
                time.sleep(BETWEEN if len(sent) > 1 else 0)
                if expects and piece is head:
                    status = _status_in(answer)
                    if status != CONTINUE:
                        return status
            return _status_in(answer)
    except (OSError, ValueError, IndexError) as error:
        return f"{type(error).__name__}: {error}"


def _status_in(answer: IO[bytes]) -> int:
    """Read the head of a response, interim or not, and return its status."""
    status = int(answer.readline().split()[1])
    while answer.readline().strip():
        pass
    return status


def _pieces(message: bytes, count: int) -> list[bytes]:
    size = -(-len(message) // count)
    return [message[start : start + size] for start in range(0, len(message), size)]
