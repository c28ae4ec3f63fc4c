"""Deliveries: what a service posts to a callback or a webhook, legal and illegal, by the contract's own words."""

import base64
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from contract_tests.cases.boundary_values import declared_values, variants, with_unknown_members
from contract_tests.cases.invalid_responses import malformed
from contract_tests.cases.responses import Broken, Draw, examples_of, starts_of
from contract_tests.http.body_kinds import json_media
from contract_tests.openapi.discriminators import discriminators_match
from contract_tests.openapi.document import Contract, Media, Operation
from contract_tests.openapi.json_text import with_leaves
from contract_tests.openapi.schema import members
from contract_tests.openapi.text_equality import TIME

METHODS: Final = ("GET", "PUT", "PATCH", "POST", "DELETE")
STEPS: Final = (1, 10**9)
IDS: Final = re.compile(r"(^|_)ids?$|Id$")
GROWTH: Final = frozenset({"enum", "const", "format"})


@dataclass(frozen=True)
class Delivery:
    """
    A callback or a webhook.

    Attributes:
        name: Its operationId, or its method and path.
        media: The JSON that it brings.
        method: By which it is made.
    """

    name: str
    media: Media
    method: str = "POST"


@dataclass(frozen=True)
class Post:
    """
    One delivery.

    Attributes:
        value: The JSON that is posted, if it is any.
        about: What it is about: the broken constraint, or what is wrong with it as a whole.
        proof: How the sender proves itself, see :class:`~contract_tests.client.driver.deliveries.Post`.
        fails: Whether the handler fails.
        method: Of the request.
        parts: How many messages the body comes in.
    """

    content: bytes
    media_type: str | None = "application/json"
    value: Any = None
    about: str = ""
    proof: str = "good"
    fails: bool = False
    method: str = "POST"
    parts: int = 1

    def in_parts(self, parts: int) -> Self:
        """Return the same delivery with its body in several messages."""
        return replace(self, parts=parts)

    def proven(self, proof: str) -> Self:
        """Return the same delivery with another proof of its sender."""
        return replace(self, proof=proof)

    def failing(self) -> Self:
        """Return the same delivery to a handler that fails."""
        return replace(self, fails=True)

    def to_message(self) -> dict[str, Any]:
        """Say it to the driver."""
        content = base64.b64encode(self.content).decode()
        told = {"media_type": self.media_type, "proof": self.proof, "fails": self.fails, "method": self.method}
        return {"content": content, "parts": self.parts, **told}


def deliveries(contract: Contract) -> list[Delivery]:
    """Return the callbacks and webhooks of a contract that bring JSON."""
    called: list[Operation] = [
        one
        for operation in contract.operations
        for expressions in operation.callbacks.values()
        for several in expressions.values()
        for one in several
    ]
    found = [(one, json_media(one.body.media)) for one in (*called, *contract.webhooks) if one.body]
    return [
        Delivery(one.id, media, one.method) for one, media in found if media is not None and media.schema is not None
    ]


def legal_posts(contract: Contract, delivery: Delivery, draw: Draw) -> Iterator[Post]:
    """Return legal deliveries: examples, generated ones, values next to them."""
    schema = delivery.media.schema or "#"
    starts = examples_of(contract, delivery.media)
    near = (value for value, _ in variants(contract, schema, next(iter(starts), None)))
    seen: set[str] = set()
    for value in itertools.chain(starts, draw(schema), near):
        text = json.dumps(value)
        if text not in seen and contract.is_valid(value, schema) and discriminators_match(contract, schema, value):
            seen.add(text)
            yield _post(delivery, value)


def grown_posts(contract: Contract, delivery: Delivery, draw: Draw) -> Iterator[Post]:
    """Return deliveries with members that the contract does not name."""
    for start in starts_of(contract, delivery.media, draw):
        for value, place in with_unknown_members(contract, delivery.media.schema or "#", start):
            yield _post(delivery, value, about=f"member of {place or 'the body'}")


def spelled_posts(post: Post) -> Iterator[Post]:
    """Return a delivery in other spellings of the same JSON: its text, its order, its white space, its escapes."""
    spellings = {
        "letters as they are": json.dumps(post.value, ensure_ascii=False),
        "sorted": json.dumps(post.value, sort_keys=True),
        "in another order": json.dumps(_turned(post.value), separators=(",", ":")),
        "in lines": json.dumps(post.value, indent=4),
    }
    for about, text in spellings.items():
        yield replace(post, content=text.encode(), about=about)


def has_foreign_letters(post: Post) -> bool:
    """Return whether a delivery has letters beyond ASCII, and none that UTF-8 can't write."""
    text = json.dumps(post.value, ensure_ascii=False)
    return not text.isascii() and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _turned(member) for name, member in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def broken_posts(contract: Contract, delivery: Delivery, draw: Draw, broken: Broken) -> Iterator[Post]:
    """Return deliveries that break the contract in one way each."""
    starts = starts_of(contract, delivery.media, draw)
    for value, problem in broken(delivery.media.schema or "#", starts):
        if problem.keyword not in GROWTH:
            yield _post(delivery, value, about=problem.constraint)
    start = starts[0] if starts else {}
    for about, content, media_type in malformed(start, delivery.media.media_type):
        yield Post(content, media_type, about=about, method=delivery.method)
    text, json_type = json.dumps(start).encode(), delivery.media.media_type
    for method in METHODS:
        if method != delivery.method:
            yield Post(text, json_type, about="method", method=method)


def others_of_its_kind(contract: Contract, delivery: Delivery, post: Post) -> Iterator[tuple[Post, Post]]:
    """
    Return a delivery together with others of the same kind.

    They differ in every number and text but for members whose words the contract lists: these say of what kind a
    delivery is, and not which one. Numbers are next to each other, or have their last digits in common. The last one
    differs in nothing but ids.
    """
    schema = delivery.media.schema or "#"
    if not isinstance(post.value, dict):
        return
    kinds = {name for name, pointer in members(contract, schema).items() if declared_values(contract, pointer)}
    whole = [
        {name: value if name in kinds else _another(value, step) for name, value in post.value.items()}
        for step in STEPS
    ]
    for other in (*whole, _with_other_ids(post.value)):
        if other != post.value and contract.is_valid(other, schema):
            yield post, _post(delivery, other)


def _another(value: Any, step: int) -> Any:
    def changed(leaf: Any) -> Any:
        if isinstance(leaf, str):
            return leaf if TIME.search(leaf) else leaf + "2"
        return leaf + step if isinstance(leaf, int | float) and not isinstance(leaf, bool) else leaf

    return with_leaves(value, changed)


def _with_other_ids(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _another(member, 1) if IDS.search(name) else _with_other_ids(member)
                for name, member in value.items()
            }
        case list():
            return [_with_other_ids(item) for item in value]
        case _:
            return value


def _post(delivery: Delivery, value: Any, about: str = "") -> Post:
    content = json.dumps(value).encode()
    return Post(content, delivery.media.media_type, value=value, about=about, method=delivery.method)
