"""Replies for the client to read: legal ones of every documented status, grown ones, broken ones."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.client.breaking import Breaker, keyword
from contract_tests.client.edges import UNKNOWN_WORD, variants, with_unknown_members
from contract_tests.client.facts import json_media
from contract_tests.client.wire_server import Answer
from contract_tests.contract import Contract, Media, Operation, Response
from contract_tests.problems import Problem

Draw = Callable[[str], list[Any]]
"""Gives generated legal values for the schema at a pointer."""

UNDOCUMENTED: Final = (299, 418, 500, 503, 520)
SUCCESS: Final = range(200, 300)
SAMPLE_OF_SEEN: Final = 3
HTML: Final = b"<!doctype html><title>Bad gateway</title><p>Bad gateway</p>"


@dataclass(frozen=True, kw_only=True)
class ReplyCase:
    """
    A reply.

    Attributes:
        answer: What is sent.
        schema: Pointer of the body's schema, empty if the contract states none.
        value: The JSON value that is sent; None as well if ``has_value`` is not set.
        breach: What is wrong with it: ``not JSON``, ``media type``, ``empty``, ``cut``, ``status``, or ``schema``.
        problem: For ``schema``: the constraint that is broken.
        focus: Pointer of the schema that the value was made for, or of what has grown.
    """

    answer: Answer
    schema: str = ""
    value: Any = None
    has_value: bool = False
    breach: str = ""
    problem: Problem | None = field(default=None)
    focus: str = ""

    @property
    def about(self) -> str:
        """What the case was made for, without values."""
        return self.problem.constraint if self.problem else self.breach or self.focus

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return self.answer.status in SUCCESS


def statuses(operation: Operation) -> Iterator[tuple[int, Response]]:
    """Give a status for each documented response: itself, or one of its class."""
    for response in operation.responses.values():
        if response.status.isdecimal():
            yield int(response.status), response
    for response in operation.responses.values():
        if not response.status.isdecimal():
            first = _first_digit(operation, response)
            candidates = [int(f"{first}{end}") for end in ("00", "18", "99")]
            yield from ((status, response) for status in candidates if operation.response(status) is response)


def _first_digit(operation: Operation, response: Response) -> str:
    # ``default`` is what is left over: errors, unless nothing says what success is.
    if response.status != "default":
        return response.status[0]
    return "4" if any(status.startswith("2") for status in operation.responses) else "2"


def legal_replies(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Give legal replies of every documented status: examples, values next to them, generated ones."""
    seen_schemas: set[str] = set()
    for status, response in statuses(operation):
        media = json_media(dict(response.media))
        if not response.media:
            yield ReplyCase(answer=Answer(status=status, media_type=None))
        if media is None or media.schema is None:
            continue
        pointer = contract.follow(media.schema)
        cases = _legal_values(contract, media, pointer, draw, brief=pointer in seen_schemas)
        seen_schemas.add(pointer)
        for value, focus in _distinct(cases):
            yield _reply(status, media, value, focus=focus)


def _legal_values(
    contract: Contract, media: Media, schema: str, draw: Draw, *, brief: bool
) -> Iterator[tuple[Any, str]]:
    examples = [example.value for example in media.examples if contract.is_valid(example.value, schema)]
    yield from ((value, "") for value in examples)
    drawn = draw(schema)
    # Statuses that share a schema share its reader more often than not: a few values tell.
    yield from ((value, "") for value in (drawn[:SAMPLE_OF_SEEN] if brief else drawn))
    start = next(iter([*examples, *drawn]), None)
    if not brief:
        yield from variants(contract, schema, start)


def grown_replies(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Give replies with a member or a word that the contract does not name, where it does not forbid them."""
    for status, response in statuses(operation):
        media = json_media(dict(response.media))
        if media is None or media.schema is None:
            continue
        for value in _starts(contract, media, draw):
            for grown, place in with_unknown_members(contract, media.schema, value):
                yield _reply(status, media, grown, focus=f"member of {place or 'the body'}")
            for grown, pointer in _with_unknown_words(contract, media.schema, value):
                yield _reply(status, media, grown, focus=f"word of {pointer}")


def _with_unknown_words(contract: Contract, schema: str, value: Any) -> Iterator[tuple[Any, str]]:
    breaker = Breaker(contract, lambda _: UNKNOWN_WORD)
    for changed, problem in breaker.values(schema, value):
        if keyword(problem) == "enum" and UNKNOWN_WORD in json.dumps(changed):
            yield changed, problem.constraint


def broken_replies(contract: Contract, operation: Operation, draw: Draw, breaker: Breaker) -> Iterator[ReplyCase]:
    """Give replies that break the contract in one way each."""
    seen_schemas: set[str] = set()
    sample: ReplyCase | None = None
    for status, response in statuses(operation):
        media = json_media(dict(response.media))
        if media is None or media.schema is None or not (starts := _starts(contract, media, draw)):
            continue
        sample = sample or _reply(status, media, starts[0])
        yield from _broken_whole(status, media, starts[0])
        if (pointer := contract.follow(media.schema)) not in seen_schemas:
            seen_schemas.add(pointer)
            yield from _broken_inside(status, media, starts, breaker)
    for status in UNDOCUMENTED:
        if operation.response(status) is None:
            body, media_type = (sample.answer.body, sample.answer.media_type) if sample else (b"{}", "application/json")
            yield ReplyCase(answer=Answer(status=status, body=body, media_type=media_type), breach="status")


def _broken_whole(status: int, media: Media, value: Any) -> Iterator[ReplyCase]:
    text = json.dumps(value).encode()
    for breach, body, media_type in (
        ("not JSON", HTML, "text/html"),
        ("not JSON", HTML, media.media_type),
        ("media type", text, "text/plain"),
        ("empty", b"", media.media_type),
        ("empty", b"", None),
        ("cut", text[:-1], media.media_type),
    ):
        if breach != "cut" or not _is_json(body):
            yield ReplyCase(answer=Answer(status=status, body=body, media_type=media_type), breach=breach)


def _broken_inside(status: int, media: Media, starts: list[Any], breaker: Breaker) -> Iterator[ReplyCase]:
    assert media.schema is not None
    count: Counter[str] = Counter()
    for value, problem in _distinct(pair for start in starts for pair in breaker.values(media.schema, start, count)):
        if keyword(problem) not in {"enum", "const", "format"}:  # a new word is growth, a format is a remark
            yield _reply(status, media, value, breach="schema", problem=problem)


def _starts(contract: Contract, media: Media, draw: Draw) -> list[Any]:
    assert media.schema is not None
    examples = [example.value for example in media.examples if contract.is_valid(example.value, media.schema)]
    return examples or draw(media.schema)[:SAMPLE_OF_SEEN]


def _reply(status: int, media: Media, value: Any, **more: Any) -> ReplyCase:
    answer = Answer(status=status, body=json.dumps(value).encode(), media_type=media.media_type)
    return ReplyCase(answer=answer, schema=media.schema or "", value=value, has_value=True, **more)


def _distinct(pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    seen: set[str] = set()
    for value, about in pairs:
        text = json.dumps(value)
        if text not in seen:
            seen.add(text)
            yield value, about


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
