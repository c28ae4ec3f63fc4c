"""Posts deliveries to the client's parser and to its ASGI application, inside the client's process."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.client.adapter import Adapter, Receiving

SECONDS: Final = 20.0
HANDLING: Final = 0.02
OTHER_BODY: Final = b'{"forged": true}'
CHANGED: Final[Mapping[str, Callable[[str], str]]] = {
    "empty": lambda _: "",
    "wrong": lambda right: _other(right[:1]) + right[1:],
    "wrong at its end": lambda right: right[:-1] + _other(right[-1:]),
    "cut": lambda right: right[: len(right) // 2],
    "longer": lambda right: right + "0",
}
FORGED: Final = ("none", *CHANGED, "of another body")
ASTRAY: Final = ("address", "address cut", "address in another case", "address with more")


class HandlerFailed(Exception):
    """What the handler raises where it is to fail; its own name, so that nobody takes it for an error of the client."""


@dataclass(frozen=True)
class Post:
    """
    A delivery to be made.

    Attributes:
        content: The body.
        media_type: Its Content-Type, None for no such header.
        proof: ``good``; one of :data:`FORGED` for a signature that is not; one of :data:`ASTRAY` for a sender who does
            not know where to post to.
        fails: Whether the handler fails this time.
        method: Of the request.
        parts: How many messages the body comes in.
    """

    content: bytes
    media_type: str | None
    proof: str
    fails: bool
    method: str
    parts: int = 1


def post_of(message: Mapping[str, Any]) -> Post:
    """Read a delivery."""
    return Post(**{**message, "content": base64.b64decode(message["content"])})


def proofs_of(receiving: Receiving) -> list[str]:
    """Return the kinds of proof that a sender can lack."""
    signed = () if receiving.sign is None else FORGED
    return [*signed, *(ASTRAY if receiving.foreign_path else ())]


def deliver(adapter: Adapter, receiving: Receiving, posts: Sequence[Post]) -> list[dict[str, Any]]:
    """Make deliveries in order to one receiver; say of each what the parser and the application made of it."""
    handed: list[Any] = []
    failing: list[bool] = []

    def handle(event: Any) -> None:
        handed.append(event)
        if failing[-1]:
            raise HandlerFailed

    app = None if receiving.app is None else receiving.app(handle)
    taken = []
    for post in posts:
        headers = _headers(receiving, post)
        parsed = None if post.proof in ASTRAY else _parsed(adapter, receiving, post, headers)
        failing.append(post.fails)
        before = len(handed)
        status, said = (None, "") if app is None else _posted(app, receiving, post, headers)
        events = [_json(receiving, event) for event in handed[before:]]
        tells = _tells(receiving, post, said) or _tells(receiving, post, (parsed or {}).get("text", ""))
        taken.append({"parsed": parsed, "status": status, "events": None if app is None else events, "tells": tells})
    return taken


def deliver_together(receiving: Receiving, posts: Sequence[Post]) -> dict[str, Any]:
    """Make deliveries at the same time to one receiver; say what it answered and what it handed on, in any order."""
    handed: list[Any] = []

    def handle(event: Any) -> None:
        time.sleep(HANDLING)  # so that others arrive meanwhile, if it is handled in a thread
        handed.append(event)

    if receiving.app is None:
        return {"statuses": [], "events": None}
    app = receiving.app(handle)

    async def answered(post: Post) -> int | str:
        try:
            return (await _asked(app, receiving.path, post, _headers(receiving, post)))[0]
        except Exception as error:  # noqa: BLE001 - what an application lets through a server would have to bear
            return f"{type(error).__name__}: {error}"[:500]

    async def together() -> list[int | str]:
        return await asyncio.wait_for(asyncio.gather(*map(answered, posts)), SECONDS)

    return {"statuses": asyncio.run(together()), "events": [_json(receiving, event) for event in handed]}


def _headers(receiving: Receiving, post: Post) -> dict[str, str]:
    headers = {"content-length": str(len(post.content))}
    if post.media_type is not None:
        headers["content-type"] = post.media_type
    if receiving.sign is None or post.proof == "none":
        return headers
    signed, others = dict(receiving.sign(post.content)), receiving.sign(OTHER_BODY)
    if post.proof == "of another body":
        signed = dict(others)
    elif change := CHANGED.get(post.proof):
        # What is the same for any body is no signature: a time that is wrong would be refused for another reason.
        signed = {name: change(value) if value != others.get(name) else value for name, value in signed.items()}
    return headers | {name.lower(): value for name, value in signed.items()}


def _tells(receiving: Receiving, post: Post, said: str) -> bool:
    """Whether a refusal says what a forger wants to know: a secret, or the signature that would have been right."""
    if post.proof == "good":
        return any(secret in said for secret in receiving.secrets)
    right = () if receiving.sign is None else receiving.sign(post.content).values()
    return any(secret in said for secret in (*receiving.secrets, *right))


def _other(character: str) -> str:
    return "1" if character == "0" else "0"


def _parsed(adapter: Adapter, receiving: Receiving, post: Post, headers: Mapping[str, str]) -> dict[str, Any]:
    try:
        event = receiving.parse(post.content, headers)
    except BaseException as error:  # noqa: BLE001 - whatever a parser raises is what is asked for
        return {"error": type(error).__name__, "own": isinstance(error, adapter.own_errors), "text": str(error)[:500]}
    return _json(receiving, event)


def _json(receiving: Receiving, event: Any) -> dict[str, Any]:
    try:
        value = receiving.read(event)
        json.dumps(value, allow_nan=False)
    except Exception as error:  # noqa: BLE001 - an event that can't be read is what is told
        return {"unreadable": f"{type(error).__name__}: {error}"[:500]}
    return {"json": value}


def _posted(app: Any, receiving: Receiving, post: Post, headers: Mapping[str, str]) -> tuple[int | str, str]:
    """Return the status, or the exception that came through, and all that the sender is told beside it."""
    path = _path(receiving, post.proof)
    try:
        return asyncio.run(asyncio.wait_for(_asked(app, path, post, headers), SECONDS))
    except BaseException as error:  # noqa: BLE001 - what an application lets through a server would have to bear
        return f"{type(error).__name__}: {error}"[:500], ""


def _path(receiving: Receiving, proof: str) -> str:
    folder, _, name = receiving.path.rpartition("/")
    near = {
        "address": receiving.foreign_path,
        "address cut": f"{folder}/{name[: len(name) // 2]}",
        "address in another case": f"{folder}/{name.swapcase()}",
        "address with more": f"{folder}/{name}0",
    }
    return near.get(proof, receiving.path)


async def _asked(app: Any, path: str, post: Post, headers: Mapping[str, str]) -> tuple[int, str]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": post.method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
    }
    messages = _messages(post)
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        await asyncio.sleep(0)  # others come in between
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers_sent = [part for header in sent[0].get("headers", ()) for part in header]
    said = b" ".join([*headers_sent, *(one.get("body", b"") for one in sent)])
    return int(sent[0]["status"]), said.decode("latin-1")


def _messages(post: Post) -> list[Mapping[str, Any]]:
    size = -(-len(post.content) // post.parts) or 1
    pieces = [post.content[start : start + size] for start in range(0, len(post.content), size)] or [b""]
    # A server may say only afterwards that there is no more.
    pieces += [b""] if post.parts > 1 else []
    more = [True] * (len(pieces) - 1)
    return [
        {"type": "http.request", "body": piece, "more_body": is_more}
        for piece, is_more in zip(pieces, [*more, False], strict=True)
    ]
