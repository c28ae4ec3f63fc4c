"""Replies that the contract does not allow, and those that are nested very deeply."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.boundary_values import UNKNOWN_MEMBER
from contract_tests.cases.responses import SUCCESS, Broken, Draw, ReplyCase, errors_of_earlier, json_responses, reply_of
from contract_tests.http.recording_server import ScriptedResponse
from contract_tests.openapi.document import Contract, Media, Operation, Response
from contract_tests.openapi.json_text import essence_of
from contract_tests.openapi.schema import ITEM, parts

NO_CONTENT: Final = 204
UNDOCUMENTED: Final = (200, 201, 202, 203, NO_CONTENT, 206, 299, 418, 500, 503, 520)
HTML: Final = b"<!doctype html><title>Bad gateway</title><p>Bad gateway</p>"
LEVELS: Final = 600
BRACKETS: Final = 20_000
HOLE: Final = "x_hole"
LONGEST_CYCLE: Final = 4


def broken_replies(contract: Contract, operation: Operation, draw: Draw, broken: Broken) -> Iterator[ReplyCase]:
    """Return replies that break the contract in one way each."""
    seen_schemas, shared = set[str](), errors_of_earlier(contract, operation)
    sample: ReplyCase | None = None
    for status, media, schema, starts in json_responses(contract, operation, draw):
        sample = sample or reply_of(status, media, starts[0])
        yield from _broken_whole(status, operation.response(status), media, starts[0])
        if (pointer := contract.follow(schema)) not in seen_schemas:
            seen_schemas.add(pointer)
            met: set[str] = set()
            for value, problem in broken(schema, starts):
                is_enough = pointer in shared and problem.constraint in met
                # A new word is growth, a format is a remark.
                if not is_enough and problem.keyword not in {"enum", "const", "format"}:
                    met.add(problem.constraint)
                    yield reply_of(status, media, value, breach="schema", problem=problem)
    for status in UNDOCUMENTED:
        if operation.response(status) is None:
            answer = sample.answer if sample else ScriptedResponse(status=status, body=b"{}")
            if status == NO_CONTENT:
                answer = ScriptedResponse(status=status, media_type=None)
            yield ReplyCase(answer=replace(answer, status=status), breach="status")


def _broken_whole(status: int, response: Response | None, media: Media, value: Any) -> Iterator[ReplyCase]:
    text = json.dumps(value).encode()
    other_types = ("text/plain", "application/xml", "application/json-seq")
    for breach, body, media_type in (
        *malformed(value, media.media_type),
        ("not JSON", HTML, "text/html"),
        *(("media type", text, other) for other in other_types),
        ("empty", b"", None),
    ):
        is_other = media_type is not None and media_type != media.media_type
        if not (is_other and response and _documents(response, str(media_type))):
            yield ReplyCase(answer=ScriptedResponse(status=status, body=body, media_type=media_type), breach=breach)


def malformed(value: Any, media_type: str) -> Iterator[tuple[str, bytes, str]]:
    """Return bodies that are not this value as JSON: what is wrong with each, its content, and its media type."""
    text = json.dumps(value).encode()
    yield "not JSON", HTML, media_type
    yield "not JSON: twice", text + b"\n" + text, media_type
    # Where nothing but a reader of JSON would mind: what many writers of it write, and a byte that no text has.
    yield "not JSON: NaN", json.dumps(_beside(value, math.nan)).encode(), media_type
    yield "not JSON: no UTF-8", json.dumps(_beside(value, HOLE)).encode().replace(HOLE.encode(), b"\xff"), media_type
    yield "media type", text, "text/html"
    yield "empty", b"", media_type
    if not _is_json(text[:-1]):
        yield "cut", text[:-1], media_type


def _beside(value: Any, more: Any) -> Any:
    return {**value, UNKNOWN_MEMBER: more} if isinstance(value, dict) else [value, more]


def deep_replies(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Return replies that are nested very deeply: legal ones where a schema holds itself, and brackets without end."""
    met: set[bool] = set()
    for status, media, schema, starts in json_responses(contract, operation, draw):
        if (is_success := status in SUCCESS) in met:
            continue  # one success and one error tell how deep a client reads
        met.add(is_success)
        bodies = {"deep": b"[" * BRACKETS + b"]" * BRACKETS, "deep and legal": _nested(contract, schema, starts)}
        for breach, body in bodies.items():
            if body is not None:
                answer = ScriptedResponse(status=status, body=body, media_type=media.media_type)
                yield ReplyCase(answer=answer, schema=schema, breach=breach)


def _nested(contract: Contract, schema: str, starts: list[Any]) -> bytes | None:
    place = _way_back(contract, contract.follow(schema))
    for start in starts if place else ():
        assert place is not None
        layer = _put(start, place, HOLE)
        once = _put(start, place, start)
        if layer is not None and contract.is_valid(once, schema):
            before, _, after = json.dumps(layer).partition(json.dumps(HOLE))
            return (before * LEVELS + json.dumps(start) + after * LEVELS).encode()
    return None


def _way_back(contract: Contract, goal: str) -> tuple[str | int, ...] | None:
    """Return the shortest way from a schema to itself, as a place in the data; None if there is none."""
    ways: list[tuple[str, tuple[str | int, ...]]] = [(goal, ())]
    seen = {goal}
    for _ in range(LONGEST_CYCLE):
        further = [(child, (*way, token)) for pointer, way in ways for child, token in _steps(contract, pointer)]
        for pointer, way in further:
            if pointer == goal:
                return way
        ways = [(pointer, way) for pointer, way in further if pointer not in seen]
        seen |= {pointer for pointer, _ in ways}
    return None


def _steps(contract: Contract, pointer: str) -> Iterator[tuple[str, str | int]]:
    for child, token in parts(contract, pointer):
        yield contract.follow(child), 0 if token == ITEM else token


def _put(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    """Put something at a place in a value, making what is missing on the way; None if something else is in the way."""
    if not place:
        return new
    first, *rest = place
    if isinstance(first, int):
        inner = _put(None, tuple(rest), new)
        return [inner] if value is None or isinstance(value, list) else None
    if value is not None and not isinstance(value, dict):
        return None
    inner = _put((value or {}).get(first), tuple(rest), new)
    return None if inner is None else {**(value or {}), first: inner}


def _documents(response: Response, media_type: str) -> bool:
    ranges = {essence_of(documented) for documented in response.media}
    essence = essence_of(media_type)
    return bool(ranges & {essence, f"{essence.partition('/')[0]}/*", "*/*"})


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
