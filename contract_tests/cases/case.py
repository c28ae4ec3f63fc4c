"""A request as data, before anything is encoded, and what the contract says against it."""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Self

from contract_tests.http.parameters import HEADER_VALUE, can_be_written, encode_headers
from contract_tests.openapi.document import Contract, Operation, Parameter
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.validation import Problem


class Absent(Enum):
    """The one value that stands for no body at all: null is a body."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True)
class Spelling:
    """
    How a body is written, where it is not written as usual.

    Attributes:
        content: A text of the same JSON.
        content_type: The media type as the header has it; empty for the usual one.
        is_chunked: Whether it is sent in chunks, without a length.
    """

    content: bytes
    content_type: str = ""
    is_chunked: bool = False


@dataclass(frozen=True)
class RequestCase:
    """
    A request as data, before anything is encoded.

    Attributes:
        operation: Which operation it is for.
        path: Path parameters by name, not percent-encoded.
        query: Query parameters by name, with the types of their schemas; so are ``headers`` and ``cookies``.
        body: A JSON value, bytes that are no JSON, or :data:`ABSENT`.
        media_type: Of the body; empty if there is none.
        breach: The one constraint that the request breaks; None if it is legal.
        is_coercible: Whether one who goes by what a value says, not by its type, may take it for a legal one: ``"7"``
            for a number, null for a member that is left out.
        is_grounded: Whether all that it refers to exists on the target, so that nothing excuses a refusal.
        is_drawn: Whether it was drawn at random, from a schema's far corners too.
        focus: Pointer of what it was made for, a schema or a parameter; empty if it was made for none.
        spelling: How the body is written; None for the usual way.
        is_bare: Whether those characters of a path parameter that a segment may have stand in it as they are.
    """

    operation: Operation
    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, Any] = field(default_factory=dict)
    body: Any = ABSENT
    media_type: str = ""
    breach: Problem | None = None
    is_coercible: bool = False
    is_grounded: bool = False
    is_drawn: bool = False
    focus: str = ""
    spelling: Spelling | None = None
    is_bare: bool = False

    @property
    def names(self) -> list[str]:
        """The names of all parameters that have a value."""
        return [*self.path, *self.query, *self.headers, *self.cookies]

    @property
    def has_body(self) -> bool:
        """Whether a body is sent at all."""
        return self.body is not ABSENT

    def with_values(self, location: str, values: dict[str, Any]) -> Self:
        """Return the same request with other parameters in one location."""
        places = {"path": self.path, "query": self.query, "header": self.headers, "cookie": self.cookies}
        path, query, headers, cookies = {**places, location: values}.values()
        return replace(self, path=path, query=query, headers=headers, cookies=cookies)

    def values(self, location: str) -> dict[str, Any]:
        """Return the parameters of one location: path, query, header or cookie."""
        return {"path": self.path, "query": self.query, "header": self.headers, "cookie": self.cookies}[location]


def request_problems(contract: Contract, case: RequestCase) -> list[Problem]:
    """Return everything about a request that the contract forbids."""
    problems: list[Problem] = []
    for parameter in case.operation.parameters:
        problems += _parameter_problems(contract, parameter, case.values(parameter.location))
    return problems + _query_problems(contract, case) + _body_problems(contract, case)


def _query_problems(contract: Contract, case: RequestCase) -> list[Problem]:
    schema = case.operation.query_schema
    return contract.problems(case.query, schema) if schema else []


def _parameter_problems(contract: Contract, parameter: Parameter, given_values: dict[str, Any]) -> list[Problem]:
    if parameter.name not in given_values:
        missing = Problem(at=parameter.name, constraint=f"{parameter.pointer}/required", message="is missing")
        return [missing] if parameter.required else []
    if parameter.schema is None:
        return []
    found = contract.problems(given_values[parameter.name], parameter.schema)
    return [Problem(f"{parameter.name}{problem.at}", problem.constraint, problem.message) for problem in found]


def _body_problems(contract: Contract, case: RequestCase) -> list[Problem]:
    body = case.operation.body
    if body is None:
        return []
    if not case.has_body:
        return [Problem("body", f"{body.pointer}/required", "is missing")] if body.required else []
    media = body.media.get(case.media_type)
    if media is None:
        return [Problem("body", f"{body.pointer}/content", f"{case.media_type} is not documented")]
    if isinstance(case.body, bytes):
        is_raw = not is_json(media.media_type) and _is_binary(contract, media.schema)
        return [] if is_raw else [Problem("body", media.pointer, "is not JSON")]
    return contract.problems(case.body, media.schema) if media.schema else []


def _is_binary(contract: Contract, schema: str | None) -> bool:
    stated = contract.at(contract.follow(schema)) if schema else {}
    return isinstance(stated, dict) and (stated.get("format") == "binary" or "type" not in stated)


def can_travel(case: RequestCase) -> bool:
    """Whether every parameter's value can be written so that a server reads that value and no other."""
    return all(
        can_be_written(parameter, value)
        for parameter in case.operation.parameters
        if (value := case.values(parameter.location).get(parameter.name, parameter)) is not parameter
    )


def is_http(case: RequestCase) -> bool:
    """Whether a request can be sent at all, whatever a server makes of it."""
    headers = encode_headers(case.operation, case.headers, case.cookies)
    return all(not text or HEADER_VALUE.fullmatch(text) for text in headers.values())
