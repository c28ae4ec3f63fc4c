"""Requests with values that Python has types of its own for: times, dates and ids, where the contract takes them."""

import datetime
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.http.body_kinds import request_media
from contract_tests.openapi.document import Contract, Parameter
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.schema import alternatives, members

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "datetime": (
        "2026-05-15T12:00:00.123456+00:00",
        "2026-05-15T23:59:59.500000+05:30",
        "1969-12-31T23:59:59.000001-08:00",
        "2024-02-29T00:00:00+00:00",
    ),
    "date": ("2024-02-29", "0999-12-31"),
    "UUID": ("00c0ffee-0000-4000-8000-00000000000a",),
}
FORMATS: Final = {"date-time": "datetime", "date": "date", "uuid": "UUID"}
KINDS: Final = {text: kind for kind, texts in TEXTS.items() for text in texts}
IN_FREE_DATA: Final = "x_values"


def with_python_values(contract: Contract, start: RequestCase) -> RequestCase | None:
    """Return a legal request with such texts in parameters of their formats and in free data; None if it takes none."""
    found = start
    turns = {kind: itertools.cycle(texts) for kind, texts in TEXTS.items()}
    for item in start.operation.parameters:
        kind = FORMATS.get(_format(contract, item))
        if kind and item.name in start.values(item.location):
            values = {**found.values(item.location), item.name: next(turns[kind])}
            found = found.with_values(item.location, values)
    media = request_media(start.operation)
    has_json = media is not None and is_json(media.media_type) and isinstance(start.body, dict)
    for name in members(contract, media.schema) if media and media.schema and has_json else ():
        grown = replace(found, body={**found.body, name: {IN_FREE_DATA: [*KINDS]}})
        found = found if request_problems(contract, grown) else grown
    return None if found == start or request_problems(contract, found) else found


def is_same(text: str, given: Any) -> bool:
    """Return whether what came over the wire is what a text stands for; a time may be told in another offset."""
    if not isinstance(given, str):
        return False
    if KINDS[text] != "datetime":
        return given.lower() == text
    try:
        return datetime.datetime.fromisoformat(given) == datetime.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return False


def _format(contract: Contract, item: Parameter) -> str:
    stated = [contract.at(pointer) for pointer in alternatives(contract, item.schema)] if item.schema else []
    return next((one["format"] for one in stated if "format" in one), "")
