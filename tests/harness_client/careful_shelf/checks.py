"""
Holds arguments and replies against the contract.

Words and formats bind in arguments only: a reply may grow.
"""

import datetime
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .errors import InvalidArgument, UnexpectedReply

CONTRACT: Final = yaml.safe_load(Path(__file__).parents[1].joinpath("shelf.yaml").read_text(encoding="utf-8"))
URI: Final = "urn:shelf"
REGISTRY: Final[Registry[Any]] = Registry().with_resource(URI, DRAFT202012.create_resource(CONTRACT))
FORMATS: Final = FormatChecker(())
Growing: Final = extend(Draft202012Validator, {"enum": lambda *_: ()})
BROKEN_TEXT: Final = re.compile(r"[\ud800-\udfff]")


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    if isinstance(value, str):
        # Year 0 is a date in RFC 3339 and none in Python.
        datetime.date.fromisoformat(re.sub("^0000", "2000", value))
    return not isinstance(value, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is not None


@cache
def _validator(pointer: str, *, is_reply: bool) -> Any:
    reference = {"$ref": f"{URI}#{quote(pointer, safe='/~')}"}
    if is_reply:
        return Growing(reference, registry=REGISTRY)
    return Draft202012Validator(reference, registry=REGISTRY, format_checker=FORMATS)


def check_argument(name: str, value: Any, pointer: str) -> None:
    """Raise InvalidArgument for what the contract does not allow; ``pointer`` is that of its schema."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except ValueError:
        raise InvalidArgument(f"{name}: JSON has no such number") from None
    if BROKEN_TEXT.search(text) or not _validator(pointer, is_reply=False).is_valid(value):
        raise InvalidArgument(f"{name}: this is not what the contract allows")


def read_reply(response: httpx.Response, pointer: str) -> Any:
    """Give the JSON of a reply; raise UnexpectedReply if it is not what the schema at the pointer says."""

    def failed(message: str) -> UnexpectedReply:
        return UnexpectedReply(message, response.status_code, response.content)

    def refuse(name: str) -> Any:
        raise ValueError(name)

    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise failed("the reply is no JSON")
    try:
        value = json.loads(response.content, parse_constant=refuse)
        is_valid = _validator(pointer, is_reply=True).is_valid(value)
    except (ValueError, RecursionError):
        raise failed("the reply is no JSON that can be read") from None
    if not is_valid:
        raise failed("the reply is not what the contract says")
    return value
