"""What both services do at the edge: read a request strictly, reply in JSON, shape errors.

Bodies and queries are read here, after authentication, since 401 comes before 422.
"""

import re
import sys
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from workflow_sandbox import json_text
from workflow_sandbox.sizes import Sizes, first_long_text

ModelT = TypeVar("ModelT", bound=BaseModel)

_TIME = re.compile(
    r"(?P<year>\d{4})(?P<minute>-\d\d-\d\dT\d\d:\d\d):(?P<second>\d\d)"
    r"(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
# PromptLayer's prefix has a `/workflows` of its own: there, what follows is of a workflow whose name is v1.
_INTERACTLY = re.compile(r"/workflows/v1/(?!(?:run|labels|external-ids)(?:/|$))")
_DAY = timedelta(days=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_MOST_DIGITS = sys.int_info.str_digits_check_threshold  # 640, however few Python is told to convert


class Invalid(Exception):
    """A request is not what the contract says; it is answered 422.

    Attributes:
        problems: What is wrong where, in the contract's form.
    """

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(problems)
        self.problems = problems


class JSONReply(Response):
    """A reply whose body is JSON in ASCII."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the body."""
        return json_text.encode(content).encode("ascii")


def error_body(path: str, words: str) -> dict[str, Any]:
    """Return the body of an error that is told in words, in the form of the service that the path belongs to."""
    return {"detail": words} if _INTERACTLY.match(path) else {"success": False, "message": words}


def invalid(loc: tuple[str | int, ...], message: str, kind: str) -> Invalid:
    """Return the error for a part of the request that is not what the contract says; it is answered 422."""
    return Invalid([{"loc": loc, "msg": message, "type": kind}])


def sole_header(request: Request, name: str) -> str:
    """Return a header that may stand in a request once; empty if it is absent, or there twice and so says nothing."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else ""


async def read_body(request: Request, model: type[ModelT]) -> tuple[ModelT, dict[str, Any]]:
    """Return the body, validated as `model` and as it came.

    Raises:
        Invalid: The media type is not JSON, the body is not JSON, too long, or not valid by `model`.
    """
    _expect_json(request)
    sizes: Sizes = request.app.state.sizes
    raw = await _read(request, sizes.body_bytes)
    try:
        body = json_text.decode(raw.decode("utf-8"))
    except ValueError as error:
        # UnicodeDecodeError's own text holds the whole body.
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise invalid(("body",), f"JSON decode error: {reason}", "json_invalid") from None
    # A short body has no long text: most are spared the walk.
    long = first_long_text(body, sizes.text_characters) if len(raw) > sizes.text_characters else None
    if long is not None:
        raise invalid(
            ("body", *long), f"Text should have at most {sizes.text_characters} characters", "string_too_long"
        )
    try:
        return model.model_validate(body), body
    except ValidationError as error:
        raise Invalid(_problems(error)) from None


def path_value(request: Request, name: str) -> str:
    """Return a segment of the path as it was meant; routes see it encoded, so that a slash in it stays one of it.

    Raises:
        HTTPException: It is no UTF-8. Nothing is called so; read with replacements it would be another's name.
    """
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise HTTPException(404, "Nothing has a name that is not UTF-8") from None


def query_integer(request: Request, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int | None:
    """Return an integer query parameter, or None if it is absent.

    Raises:
        Invalid: It is given twice, is no integer in JSON's notation, or is not within the bounds.
    """
    text = query_text(request, name)
    if text is None:
        return None
    number = integer(text, ("query", name))
    if minimum is not None and number < minimum:
        raise invalid(("query", name), f"Input should be greater than or equal to {minimum}", "greater_than_equal")
    if maximum is not None and number > maximum:
        raise invalid(("query", name), f"Input should be less than or equal to {maximum}", "less_than_equal")
    return number


def integer(text: str, loc: tuple[str, ...]) -> int:
    """Return the integer that a text is in JSON's notation; of thousands of digits only sign and excess are kept.

    Raises:
        Invalid: It is none; `loc` is where it stands.
    """
    if not _INTEGER.fullmatch(text):
        raise invalid(loc, "Input should be a valid integer", "int_parsing")
    return int(text[:_MOST_DIGITS])


def query_choice(request: Request, name: str, choices: Container[str]) -> str | None:
    """Return a query parameter that is one of a few words, or None if it is absent.

    Raises:
        Invalid: It is given twice or is another word.
    """
    text = query_text(request, name)
    if text is not None and text not in choices:
        raise invalid(("query", name), "Input should be one of the documented words", "enum")
    return text


def query_time(request: Request, name: str) -> datetime | None:
    """Return a query parameter that is a date and time of RFC 3339, or None if it is absent.

    What Python's calendar is too short for is its first or its last moment: nothing that is compared with it is there.

    Raises:
        Invalid: It is given twice or is no such time.
    """
    text = query_text(request, name)
    if text is None:
        return None
    try:
        return _time(text.upper())
    except ValueError:
        raise invalid(("query", name), "Input should be a date and time of RFC 3339", "datetime_parsing") from None


def _time(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    # Python knows neither a leap second nor more than six digits of one, nor the year 0, a leap year as 2000 is.
    is_leap, is_year_0 = found["second"] == "60", found["year"] == "0000"
    second, year = "59" if is_leap else found["second"], "2000" if is_year_0 else found["year"]
    time = datetime.fromisoformat(f"{year}{found['minute']}:{second}{(found['fraction'] or '')[:7]}{found['zone']}")
    minute = timedelta(hours=time.hour, minutes=time.minute) - (time.utcoffset() or timedelta())
    if is_leap and minute % _DAY != _DAY - timedelta(minutes=1):
        raise ValueError(text)
    try:
        return _FIRST if is_year_0 else (time + timedelta(seconds=is_leap)).astimezone(UTC)
    except OverflowError:
        return _FIRST if time.year == 1 else _LAST


def query_boolean(request: Request, name: str) -> bool:
    """Return a boolean query parameter, False if it is absent.

    Raises:
        Invalid: It is given twice or is neither `true` nor `false`.
    """
    text = query_text(request, name)
    if text not in {None, "true", "false"}:
        raise invalid(("query", name), "Input should be true or false", "bool_parsing")
    return text == "true"


def query_text(request: Request, name: str) -> str | None:
    """Return a query parameter, or None if it is absent.

    Raises:
        Invalid: It is given twice.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise invalid(("query", name), "Input should be given once", "too_many")
    return values[0] if values else None


def _expect_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # 415 would say it better, but the contract has no 415: what does not fit the contract is 422.
    if media_type != "application/json":
        raise invalid(("header", "content-type"), "Input should be application/json", "content_type")


async def _read(request: Request, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise invalid(("body",), f"Input should have at most {most} bytes", "too_long")
        chunks.append(chunk)
    return b"".join(chunks)


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"loc": ("body", *problem["loc"]), "msg": problem["msg"], "type": problem["type"]} for problem in found]
