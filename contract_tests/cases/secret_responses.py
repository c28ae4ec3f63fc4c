"""Replies that tempt a client to show its key: ends of every kind, and replies that send the key back."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from contract_tests.cases.invalid_responses import HTML
from contract_tests.cases.responses import BEYOND_ANY_LIST, ReplyCase
from contract_tests.http.recording_server import Fault, ScriptedResponse
from contract_tests.openapi.json_text import with_leaves

ECHO: Final = "there is no such key: {}"
LONG: Final = 100_000


@dataclass(frozen=True)
class Ending:
    """How a call ends: ``about`` says it without values."""

    about: str
    answer: ScriptedResponse


def terminations(success: ScriptedResponse, legal: Iterable[ReplyCase]) -> Iterator[Ending]:
    """Return one ending of each kind: success, a documented error, an unknown status, no JSON, no reply."""
    yield Ending("success", success)
    error = next((case.answer for case in legal if not case.is_success), None)
    if error is not None:
        yield Ending("documented error", error)
    yield Ending("unknown status", ScriptedResponse(status=BEYOND_ANY_LIST, body=b'{"message": "not now"}'))
    if success.body:  # a 204 can have none
        yield Ending("no JSON", replace(success, body=HTML, media_type="text/html"))
    yield Ending("no reply", ScriptedResponse(fault=Fault.CLOSE))


def success_with(key: str, success: ScriptedResponse) -> Ending:
    """Return a success that sends the key back beside all that the contract knows of it."""
    return Ending(f"{success.status} with the key", replace(success, headers=(*success.headers, ("X-Request-Id", key))))


def echoes(key: str, success: ScriptedResponse, legal: Iterable[ReplyCase]) -> Iterator[Ending]:
    """Return replies that send the key back: in each documented error, in an unknown one, in place of a result."""
    text = ECHO.format(key)
    headers = (("X-Request-Id", key),)
    told: set[int] = set()
    for case in legal:
        status = case.answer.status
        if not case.is_success and case.has_value and status not in told:
            told.add(status)
            said = _saying(case.value, text)
            answer = replace(case.answer, body=json.dumps(said).encode(), headers=headers)
            yield Ending(f"{status} with the key", answer)
            if isinstance(said, dict) and len(told) == 1:
                much = json.dumps(said | {"x_much": "x" * LONG}).encode()
                yield Ending(f"{status} with the key and much else", replace(answer, body=much))
    yield from _unknown(key, ScriptedResponse(status=BEYOND_ANY_LIST, headers=headers))
    if success.body:
        yield Ending("page with the key", replace(success, body=f"<p>{text}</p>".encode(), headers=headers))
        yield Ending("text with the key", replace(success, body=json.dumps(text).encode(), headers=headers))
        yield Ending("media type with the key", replace(success, media_type=f"text/{key}", headers=headers))


def _unknown(key: str, refusal: ScriptedResponse) -> Iterator[Ending]:
    plain = replace(refusal, media_type="text/plain")
    forms = {"": key, " in escapes": "".join(f"%{ord(letter):02X}" for letter in key)}
    for about, form in forms.items():
        said = dict.fromkeys(("message", "error", "detail"), ECHO.format(form))
        yield Ending(f"unknown status with the key{about}", replace(refusal, body=json.dumps(said).encode()))
    escapes = "".join(f"\\u{ord(letter):04x}" for letter in key)
    yield Ending("text with the key in escapes", replace(plain, body=ECHO.format(escapes).encode()))
    for before in (0, len(key) // 2):  # wherever a client cuts the text, it cuts through a key
        long = b" " * before + key.encode() * (LONG // len(key))
        yield Ending(f"{LONG} letters with keys", replace(plain, body=long))


def _saying(value: Any, text: str) -> Any:
    """Return a value that says something wherever it has a text, or beside all that it has if it has none."""
    said = with_leaves(value, lambda leaf: text if isinstance(leaf, str) else leaf)
    return {**value, "message": text} if isinstance(value, dict) and said == value else said
