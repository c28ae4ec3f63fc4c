"""What both services do at the edge: read a request strictly, reply in JSON, shape errors.

FastAPI reads a body before it runs dependencies, which would answer 422 where the key is missing; it takes `yes` for a
boolean, and echoes inputs that it then can't encode. So bodies and queries are read here, after authentication.
"""

import re
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from workflow_sandbox import json_text

MAX_BODY_BYTES = 16 * 1024 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
# Python refuses to convert thousands of digits. What is left of a longer number is still beyond 64 bits.
_ENOUGH_DIGITS = 20


class JSONReply(Response):
    """A reply whose body is JSON in ASCII."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the body."""
        return json_text.encode(content).encode("ascii")


def invalid(loc: tuple[str | int, ...], message: str, kind: str) -> RequestValidationError:
    """Return the error for a part of the request that is not what the contract says; it is answered 422."""
    return RequestValidationError([{"loc": loc, "msg": message, "type": kind}])


async def read_body(request: Request, model: type[ModelT]) -> tuple[ModelT, dict[str, Any]]:
    """Return the body, validated as `model` and as it came.

    Raises:
        RequestValidationError: The media type is not JSON, the body is not JSON, too long, or not valid by `model`.
    """
    _expect_json(request)
    raw = await _read(request)
    try:
        body = json_text.decode(raw.decode("utf-8"))
    except ValueError as error:
        # UnicodeDecodeError's own text holds the whole body.
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise invalid(("body",), f"JSON decode error: {reason}", "json_invalid") from None
    try:
        return model.model_validate(body), body
    except ValidationError as error:
        raise RequestValidationError(_problems(error)) from None


def query_integer(request: Request, name: str, *, minimum: int | None = None) -> int | None:
    """Return an integer query parameter, or None if it is absent. Beyond 64 bits only its sign and excess are kept.

    Raises:
        RequestValidationError: It is given twice, is no integer in JSON's notation, or is below `minimum`.
    """
    text = _query_value(request, name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise invalid(("query", name), "Input should be a valid integer", "int_parsing")
    number = int(text[: _ENOUGH_DIGITS + 1])
    if minimum is not None and number < minimum:
        raise invalid(("query", name), f"Input should be greater than or equal to {minimum}", "greater_than_equal")
    return number


def query_boolean(request: Request, name: str) -> bool:
    """Return a boolean query parameter, False if it is absent.

    Raises:
        RequestValidationError: It is given twice or is neither `true` nor `false`.
    """
    text = _query_value(request, name)
    if text not in {None, "true", "false"}:
        raise invalid(("query", name), "Input should be true or false", "bool_parsing")
    return text == "true"


def _query_value(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise invalid(("query", name), "Input should be given once", "too_many")
    return values[0] if values else None


def _expect_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # 415 would say it better, but the contract has no 415: what does not fit the contract is 422.
    if media_type != "application/json":
        raise invalid(("header", "content-type"), "Input should be application/json", "content_type")


async def _read(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise invalid(("body",), f"Input should have at most {MAX_BODY_BYTES} bytes", "too_long")
        chunks.append(chunk)
    return b"".join(chunks)


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"loc": ("body", *problem["loc"]), "msg": problem["msg"], "type": problem["type"]} for problem in found]
