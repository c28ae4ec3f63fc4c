"""Replies for the client to read: legal ones of every documented status, odd ones, grown ones."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contract_tests.cases.boundary_values import (
    ODD_TIMES,
    UNKNOWN_WORD,
    variants,
    with_unknown_members,
)
from contract_tests.cases.single_violations import near, single_violations
from contract_tests.http.body_kinds import BodyKind, json_media, kind_of
from contract_tests.http.recording_server import ScriptedResponse
from contract_tests.openapi.discriminators import discriminators_match, with_valid_discriminators
from contract_tests.openapi.document import Contract, Media, Operation, Response
from contract_tests.openapi.schema import alternatives, members
from contract_tests.openapi.validation import Problem

Draw = Callable[[str], list[Any]]
"""Returns generated legal values for the schema at a pointer."""

Broken = Callable[[str, list[Any]], Iterator[tuple[Any, Problem]]]
"""Returns values that break one constraint each, for the schema at a pointer and legal values of it."""

FIRST_FINAL: Final = 200  # what comes before a response is none
SUCCESS: Final = range(200, 300)
BEYOND_ANY_LIST: Final = 520  # what a proxy may say, and no list of statuses has
TEXTS: Final = ("a,b\r\n1,2\r\n", "null", '{"a": 1}', "")
BYTES: Final = (b"\x00\xff\xfe binary", b"")
SAMPLE_OF_SEEN: Final = 3


@dataclass(frozen=True, kw_only=True)
class ReplyCase:
    """
    A reply.

    Attributes:
        answer: What is sent.
        schema: Pointer of the body's schema, empty if the contract states none.
        value: The JSON value or text that is sent; None as well if ``has_value`` is not set.
        has_content: Whether the body is bytes, to be handed over as they are.
        breach: What is wrong with it: ``not JSON``, ``media type``, ``empty``, ``cut``, ``status``, or ``schema``. What
            is nearly JSON says what keeps it from being so, behind a colon.
        problem: For ``schema``: the constraint that is broken.
        focus: Pointer of the schema that the value was made for, or of what has grown.
        grown_from: The value as it was before it grew.
    """

    answer: ScriptedResponse
    schema: str = ""
    value: Any = None
    has_value: bool = False
    has_content: bool = False
    breach: str = ""
    problem: Problem | None = field(default=None)
    focus: str = ""
    grown_from: Any = None

    @property
    def about(self) -> str:
        """What the case was made for, without values."""
        return self.problem.constraint if self.problem else self.breach or self.focus

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return self.answer.status in SUCCESS


def statuses(operation: Operation) -> Iterator[tuple[int, Response]]:
    """Return a status for each documented response that ends an exchange: itself, or one of its class."""
    for response in operation.responses.values():
        if response.status.isdecimal() and int(response.status) >= FIRST_FINAL:
            yield int(response.status), response
    for response in operation.responses.values():
        if not response.status.isdecimal() and response.status[0] != "1":
            first = _first_digit(operation, response)
            candidates = [int(f"{first}{end}") for end in ("00", "18", "20", "99")]
            candidates += [BEYOND_ANY_LIST] if response.status == "default" else []
            yield from ((status, response) for status in candidates if operation.response(status) is response)


def _first_digit(operation: Operation, response: Response) -> str:
    # ``default`` is what is left over: errors, unless nothing says what success is.
    if response.status != "default":
        return response.status[0]
    return "4" if any(status.startswith("2") for status in operation.responses) else "2"


def legal_replies(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Return legal replies of every documented status: examples, values next to them, generated ones."""
    seen_schemas = errors_of_earlier(contract, operation)
    for status, response in statuses(operation):
        media = json_media(response.media)
        if not response.media:
            yield ReplyCase(answer=ScriptedResponse(status=status, media_type=None))
        yield from _without_json(status, response)
        if media is None or media.schema is None:
            continue
        pointer = contract.follow(media.schema)
        cases = _legal_values(contract, media, pointer, draw, brief=pointer in seen_schemas)
        seen_schemas.add(pointer)
        for value, focus in distinct(cases):
            yield from _spelled(reply_of(status, media, value, focus=focus))


def errors_of_earlier(contract: Contract, operation: Operation) -> set[str]:
    """Return the schemas of errors that an earlier operation of the same service has: one reader reads them all."""
    service = [one for one in contract.operations if one.service == operation.service]
    earlier = service[: service.index(operation)]
    errors = [response for one in earlier for status, response in statuses(one) if status not in SUCCESS]
    schemas = [media.schema for response in errors if (media := json_media(response.media)) is not None]
    return {contract.follow(schema) for schema in schemas if schema is not None}


def _spelled(case: ReplyCase) -> Iterator[ReplyCase]:
    """Return a reply in ASCII, with escapes, and once more in UTF-8 if that is not the same."""
    yield case
    text = json.dumps(case.value, ensure_ascii=False)
    # Half a surrogate pair can only be escaped.
    if not text.isascii() and (content := text.encode(errors="ignore")) == text.encode(errors="surrogatepass"):
        yield replace(case, answer=replace(case.answer, body=content))


def _without_json(status: int, response: Response) -> Iterator[ReplyCase]:
    for media in response.media.values():
        kind = kind_of(media.media_type)
        if kind is BodyKind.TEXT:
            for text in TEXTS:
                answer = ScriptedResponse(status=status, body=text.encode(), media_type=media.media_type)
                yield ReplyCase(answer=answer, value=text, has_value=True, focus=media.pointer)
        elif kind is BodyKind.BINARY and "*" not in media.media_type:
            for content in BYTES:
                answer = ScriptedResponse(status=status, body=content, media_type=media.media_type)
                yield ReplyCase(answer=answer, has_content=True, focus=media.pointer)


def _legal_values(
    contract: Contract, media: Media, schema: str, draw: Draw, *, brief: bool
) -> Iterator[tuple[Any, str]]:
    examples = examples_of(contract, media)
    yield from ((value, "") for value in examples)
    drawn = draw(schema)
    # Statuses that share a schema share its reader more often than not: a few values tell.
    yield from ((value, "") for value in (drawn[:SAMPLE_OF_SEEN] if brief else drawn))
    start = next(iter([*examples, *drawn]), None)
    if not brief:
        near = list(variants(contract, schema, start))
        yield from (pair for pair in near if discriminators_match(contract, schema, pair[0]))
        # A form that only its discriminator names is not met by chance.
        yield from ((value, "") for value in with_valid_discriminators(contract, schema, [value for value, _ in near]))


def examples_of(contract: Contract, media: Media) -> list[Any]:
    """Return the contract's own examples, as far as they are legal."""
    found = [
        example.value for example in media.examples if media.schema and contract.is_valid(example.value, media.schema)
    ]
    return [value for value in found if discriminators_match(contract, media.schema or "#", value)]


def json_responses(contract: Contract, operation: Operation, draw: Draw) -> Iterator[tuple[int, Media, str, list[Any]]]:
    """Return the statuses that bring JSON with a schema: status, media type, schema, and a few legal values."""
    for status, response in statuses(operation):
        media = json_media(response.media)
        if media is not None and media.schema is not None and (starts := starts_of(contract, media, draw)):
            yield status, media, media.schema, starts


def extended_responses(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Return replies with a member or a word that the contract does not name, where it does not forbid them."""
    for status, media, schema, starts in json_responses(contract, operation, draw):
        for value in starts:
            for grown, place in with_unknown_members(contract, schema, value):
                yield reply_of(status, media, grown, focus=f"member of {place or 'the body'}", grown_from=value)
            for grown, pointer in _with_unknown_words(contract, schema, value):
                yield reply_of(status, media, grown, focus=f"word of {pointer}", grown_from=value)


def _with_unknown_words(contract: Contract, schema: str, value: Any) -> Iterator[tuple[Any, str]]:
    made = near(contract, schema, value, lambda _: UNKNOWN_WORD)
    for changed, problem in single_violations(contract, schema, made):
        if problem.keyword == "enum" and UNKNOWN_WORD in json.dumps(changed):
            yield changed, problem.constraint


def odd_replies(contract: Contract, operation: Operation, draw: Draw) -> Iterator[ReplyCase]:
    """Return legal replies with times that few libraries read: a leap second, nanoseconds, small letters."""
    for status, media, schema, starts in json_responses(contract, operation, draw):
        for name, pointer in members(contract, schema).items() if isinstance(starts[0], dict) else ():
            formats = {contract.at(branch).get("format") for branch in alternatives(contract, pointer)}
            for text in ODD_TIMES if "date-time" in formats else ():
                value = {**starts[0], name: text}
                if contract.is_valid(value, schema):
                    yield reply_of(status, media, value, focus=pointer)


def starts_of(contract: Contract, media: Media, draw: Draw) -> list[Any]:
    """Return a few legal values to start from: the contract's own examples, else drawn ones."""
    return examples_of(contract, media) or draw(media.schema or "#")[:SAMPLE_OF_SEEN]


def reply_of(status: int, media: Media, value: Any, **more: Any) -> ReplyCase:
    """Make a reply with a JSON body."""
    answer = ScriptedResponse(status=status, body=json.dumps(value).encode(), media_type=media.media_type)
    return ReplyCase(answer=answer, schema=media.schema or "", value=value, has_value=True, **more)


def distinct(pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Leave out pairs whose value has been before."""
    seen: set[str] = set()
    for value, about in pairs:
        text = json.dumps(value)
        if text not in seen:
            seen.add(text)
            yield value, about
