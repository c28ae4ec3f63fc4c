"""Where data breaks a schema: the place in the data, and the keyword of the contract that it breaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from jsonschema import ValidationError


@dataclass(frozen=True)
class Problem:
    """
    One breach of a schema.

    Attributes:
        at: JSON pointer in the data, empty for the whole.
        constraint: JSON pointer in the contract of the broken keyword; for ``required`` down to the missing name. The
            same breach has the same constraint, whatever the values.
        message: What is wrong, with values; bound it with ``rules.shown`` before showing it.
    """

    at: str
    constraint: str
    message: str

    @property
    def keyword(self) -> str:
        """The schema keyword that is broken."""
        return self.constraint.rstrip("0123456789").rstrip("/").rpartition("/")[2]


def sole_problem(problems: Sequence[Problem]) -> Problem | None:
    """
    Give the one thing that is wrong; None if nothing or more is.

    A value of the wrong type is no word of the same schema's enum either: that counts as the wrong type alone.
    """
    schemas = {(problem.at, problem.constraint.rpartition("/")[0]) for problem in problems}
    if len(problems) > 1 and len(schemas) == 1:
        problems = [problem for problem in problems if problem.keyword == "type"]
    return problems[0] if len(problems) == 1 else None


def locate(error: ValidationError, schema: str, at: Callable[[str], Any]) -> Problem:
    """Turn a verdict of jsonschema on ``schema`` into a problem; ``at`` reads the contract at a pointer."""
    inner = _only_fitting_branch(error)
    constraint = _keyword(list(inner.absolute_schema_path), schema, at)
    if inner.validator == "required":
        constraint += f"/{_missing(inner)}"
    return Problem(at=_pointer(inner.absolute_path), constraint=constraint, message=inner.message)


def _only_fitting_branch(error: ValidationError) -> ValidationError:
    # Of "X or null" the X is what was meant if the data is no null: then its breach says more than "fits no branch".
    while error.validator in {"anyOf", "oneOf"} and error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        fitting = [found for found in branches.values() if not any(_is_wrong_type(error, inner) for inner in found)]
        if len(fitting) != 1:
            break
        error = min(fitting[0], key=lambda inner: [str(token) for token in inner.schema_path])
    return error


def _is_wrong_type(outer: ValidationError, inner: ValidationError) -> bool:
    return inner.validator == "type" and inner.absolute_path == outer.absolute_path


def _keyword(path: list[Any], pointer: str, at: Callable[[str], Any]) -> str:
    # jsonschema's path leaves references out; the contract's own pointer starts anew behind each of them.
    for token in path:
        while isinstance(node := at(pointer), dict) and token not in node and "$ref" in node:
            pointer = node["$ref"]
        pointer += _pointer([token])
    return pointer


def _pointer(path: Any) -> str:
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)


def _missing(error: ValidationError) -> int:
    names: list[str] = list(cast("list[str]", error.validator_value))
    return next(index for index, name in enumerate(names) if error.message.startswith(repr(name)))
