"""The form of ``results.json``, by which a damaged or foreign one is told before anything is made of it."""

import sys
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, ValidationError

from contract_tests.openapi.validation import encodable
from contract_tests.rules import Verdict, shown

TEXT: Final = {"type": "string"}
LONGEST: Final = 200
COUNT: Final = {"type": "integer", "minimum": 0}
NUMBER: Final = {"type": "number", "minimum": 0, "maximum": sys.float_info.max}
TEXTS: Final = {"type": "array", "items": TEXT}
COUNTS: Final = {"type": "object", "additionalProperties": COUNT}


def _members(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {**required, **optional}}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


EXERCISED: Final = _members({"exercised": TEXTS, "not_exercised": TEXTS})
COVERAGE: Final = {**_members({"percent": NUMBER}), "additionalProperties": EXERCISED}
FINDING: Final = _members(dict.fromkeys(("identity", "constraint", "documented", "received", "reproduce"), TEXT))
NOTE: Final = _members(dict.fromkeys(("service", "operation", "kind", "at", "name"), TEXT))
ROW_TEXTS: Final = (
    "id",
    "title",
    "side",
    "service",
    "operation",
    "basis",
    "identity",
    "documented",
    "received",
    "reproduce",
)
ROW: Final = _members(
    dict.fromkeys(ROW_TEXTS, TEXT)
    | {"verdict": {"enum": [verdict.value for verdict in Verdict]}, "fails": {"type": "boolean"}},
    findings=_list_of(FINDING),
    found_after={"type": ["integer", "null"]},
)
RUN: Final = _members(
    dict.fromkeys(("state", "reason", "started", "command"), TEXT)
    | {"shard": {"pattern": "^[1-9][0-9]*/[1-9][0-9]*$", **TEXT}, "scope": {"type": "object"}}
)
TARGET: Final = _members(
    dict.fromkeys(("name", "service", "base_url", "tag"), TEXT) | {"summary": COUNTS},
    requests=COUNT,
    left_out=COUNT,
    max_requests=COUNT,
)
# What reports of earlier versions lack is optional.
REPORT: Final = _members(
    {
        "contract": _members({"title": TEXT, "version": TEXT}, operations=TEXTS, notes=TEXTS),
        "targets": _list_of(TARGET),
        "seed": {"type": "integer"},
        "duration_s": NUMBER,
        "summary": COUNTS,
        "coverage": COVERAGE,
        "results": _list_of(ROW),
    },
    run=RUN,
    information=_list_of(NOTE),
)


def damage(data: Any) -> str:
    """Return what keeps this from being a report, by place and in one line; empty if nothing does."""
    try:
        Draft202012Validator(REPORT).validate(encodable(data))
    except ValidationError as error:
        place = ".".join(map(str, error.instance_path)) or "the whole"
        return shown(f"{place}: {error.message}", LONGEST)
    return ""
