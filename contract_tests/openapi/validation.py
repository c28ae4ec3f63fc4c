"""
Strict JSON Schema 2020-12 verdicts on data: the location in the data, and the keyword of the contract that is broken.

jsonschema-rs judges. Ours are the formats of integers, which it does not know, Python's regular expressions, which
contracts written by Python frameworks use, and the branch of a union that the data was meant for.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, Final, NoReturn
from urllib.parse import quote, unquote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from contract_tests.rules import SetUpError
from workflow_contract.backtracking import longest_text

URI: Final = "urn:contract"
UNIONS: Final = ("anyOf", "oneOf")
REFERENCE: Final = ("$ref",)
INTEGER_BITS: Final = {"int32": 32, "int64": 64}
MOST_PROBLEMS: Final = 200  # that are kept of one value
MANY_VALUES: Final = 20_000
BEYOND_FLOAT: Final = 10**400


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
    Return the one thing that is wrong; None if nothing or more is.

    A value of the wrong type is no value of the same schema's enum either: that counts as the wrong type alone.
    """
    schemas = {(problem.at, problem.constraint.rpartition("/")[0]) for problem in problems}
    if len(problems) > 1 and len(schemas) == 1:
        problems = [problem for problem in problems if problem.keyword == "type"]
    return problems[0] if len(problems) == 1 else None


class Validators:
    """The schemas of a document by their JSON pointers, each compiled when it is first asked for."""

    def __init__(self, document: Any, at: Callable[[str], Any]) -> None:
        self._document = document
        self._at = at
        self._compiled: dict[tuple[str, bool], Draft202012Validator] = {}

    def is_valid(self, value: Any, schema: str, *, formats: bool) -> bool:
        """Whether a value fits the schema at a pointer."""
        return _judge(self.compiled(schema, formats=formats), value)[0]

    def problems(self, value: Any, schema: str, *, formats: bool) -> list[Problem]:
        """Return what of the schema at a pointer a value breaks, each breach once; of a very large value the first."""
        is_valid, judged = _judge(self.compiled(schema, formats=formats), value)
        errors = [] if is_valid else self._errors(judged, schema, formats=formats)
        found = [self._problem(error, judged) for error in errors]
        return list({(problem.at, problem.constraint): problem for problem in found}.values())

    def compiled(self, schema: str, *, formats: bool) -> Draft202012Validator:
        """
        Return the validator of the schema at a pointer.

        Raises SetUpError if it is no schema, or refers to what is none or lies outside the document.
        """
        if (schema, formats) not in self._compiled:
            self._compiled[schema, formats] = self._compile(schema, formats=formats)
        return self._compiled[schema, formats]

    def forget(self) -> None:
        """Let go of the schemas that were compiled."""
        self._compiled.clear()

    def _compile(self, schema: str, *, formats: bool, **keywords: Any) -> Draft202012Validator:
        keywords |= {"pattern": _Pattern, "format": _Format} if formats else {"pattern": _Pattern}
        try:
            reference = reference_to(schema)
            return Draft202012Validator(reference, registry=self._registry, validate_formats=formats, keywords=keywords)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise SetUpError(f"no value can be judged by {schema}: {reason}; see SPEC-01 and SPEC-02") from error

    @cached_property
    def _registry(self) -> Registry:
        return registry_of(self._document)

    def _errors(self, value: Any, schema: str, *, formats: bool) -> Iterable[ValidationError]:
        if not _has_many_values(value):
            validator = self.compiled(schema, formats=formats)
            try:
                return list(validator.iter_errors(value))[:MOST_PROBLEMS]
            except ValueError:  # at a file's bytes, which stand behind the first place that is wrong
                return list(validator.iter_errors(encodable(value)))[:MOST_PROBLEMS]
        # The library makes all errors, also those within a union, before it gives out one: two kilobytes each.
        unions = dict.fromkeys(UNIONS, self._union(formats=formats))
        try:
            self._compile(schema, formats=formats, **unions).validate(value)
        except ValidationError as error:
            return [error]
        return []

    def _union(self, *, formats: bool) -> type:
        is_valid = self.is_valid

        class Union:
            def __init__(self, _: Any, branches: list[Any], path: list[str | int]) -> None:
                self._branches = [f"#{_pointer(path)}/{index}" for index in range(len(branches))]
                self._most = len(branches) if path[-1] == "anyOf" else 1

            def validate(self, value: Any) -> None:
                fitting = sum(is_valid(value, branch, formats=formats) for branch in self._branches)
                if not 1 <= fitting <= self._most:
                    raise ValueError(f"it fits {fitting} of {len(self._branches)} branches")

        return Union

    def _problem(self, error: ValidationError, value: Any) -> Problem:
        error = _of_meant_branch(error)
        constraint, at = _location(error), _path_in(value, error)
        outer, _, name = constraint.rpartition("/")
        if isinstance(error.kind, Kind.FalseSchema) and outer.endswith("/properties"):
            constraint, at = outer, at[:-1]  # what must not be there is wrong with the object that has it
        elif isinstance(error.kind, Kind.FalseSchema) and name == "items":
            at = at[:-1]
        elif isinstance(error.kind, Kind.Required) and name == "required":
            constraint += f"/{self._at(constraint).index(error.kind.property)}"
        return Problem(_pointer(at), constraint, error.message)


class _Pattern:
    def __init__(self, _: Any, pattern: str, __: Any) -> None:
        self._pattern = re.compile(pattern)
        self._longest = longest_text(pattern)

    def validate(self, value: Any) -> None:
        if isinstance(value, str) and len(value) <= self._longest and not self._pattern.search(value):
            raise ValueError(f"{value!r} does not match {self._pattern.pattern!r}")


class _Format:
    def __init__(self, _: Any, name: str, __: Any) -> None:
        self._name = name
        self._bits = INTEGER_BITS.get(name)
        self._texts = _texts_of(name)

    def validate(self, value: Any) -> None:
        if isinstance(value, str) and not self._texts.is_valid(value):
            raise ValueError(f"{value!r} is not a {self._name}")
        if self._bits and isinstance(value, int) and not -1 <= value >> (self._bits - 1) <= 0:
            raise ValueError(f"{value!r} has more than {self._bits} bits")


@cache
def _texts_of(name: str) -> Draft202012Validator:
    return Draft202012Validator({"format": name}, validate_formats=True)


def registry_of(document: Any) -> Registry:
    """Return where :func:`reference_to` leads to; what lies outside the document is never fetched."""
    return Registry([(URI, document)], draft=Draft202012, retriever=refuse)


def reference_to(pointer: str) -> dict[str, Any]:
    """Return a schema that is the one at a pointer; as part of a URI, what that reserves is escaped."""
    return {"$ref": f"{URI}#{quote(pointer.removeprefix('#'), safe='/~')}"}


def refuse(uri: str) -> NoReturn:
    """Fetch nothing."""
    raise ValueError(f"{uri} is not in this document")


def _judge(validator: Draft202012Validator, value: Any) -> tuple[bool, Any]:
    """Return whether a value is valid, and the value that was judged."""
    try:
        if validator.is_valid(value):
            return True, value
        json.dumps(value, allow_nan=False)  # infinity, as which Python reads 1e999, counts as null there
    except (ValueError, TypeError):
        value = encodable(value)
        return validator.is_valid(value), value
    return False, value


def encodable(value: Any) -> Any:
    """Return a value without what JSON in UTF-8 can't carry: lone surrogates, infinite numbers."""
    if isinstance(value, dict):
        return {encodable(name): encodable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [encodable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return -BEYOND_FLOAT if value < 0 else BEYOND_FLOAT
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _has_many_values(value: Any) -> bool:
    waiting, count = [value], 0
    while waiting and count <= MANY_VALUES:
        one = waiting.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += len(inner)
        waiting += inner
    return count > MANY_VALUES


def _of_meant_branch(error: ValidationError) -> ValidationError:
    # Of "X or null" the X is what was meant if the data is no null: then its breach says more than "fits no branch".
    while isinstance(error.kind, Kind.AnyOf | Kind.OneOfNotValid):
        outer = error
        meant = [found for found in error.kind.context if not any(_is_wrong_type(outer, inner) for inner in found)]
        if len(meant) != 1:
            break
        error = min(meant[0], key=partial(_way, outer))
    return error


def _is_wrong_type(outer: ValidationError, inner: ValidationError) -> bool:
    return isinstance(inner.kind, Kind.Type) and inner.instance_path == outer.instance_path


def _way(outer: ValidationError, inner: ValidationError) -> list[str]:
    if isinstance(inner.kind, Kind.Custom):  # for keywords of ours the library does not say it
        names = inner.instance_path[len(outer.instance_path) :]
        return [token for name in names for token in ("properties", str(name))] + [str(inner.schema_path[-1])]
    return [str(step) for step in inner.evaluation_path[len(outer.evaluation_path) + 1 :] if step not in REFERENCE]


def _path_in(value: Any, error: ValidationError) -> list[str | int]:
    """Return where an error is in a value; the library leaves empty names out of its paths."""
    paths = [*_paths_in(value, error.instance_path)]
    fitting = (path for path, found in paths if len(paths) == 1 or found == error.instance)
    return next(fitting, error.instance_path)


def _paths_in(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], Any]]:
    if not path:
        yield [], value
    elif path[0] in (value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)):
        for inner, found in _paths_in(value[path[0]], path[1:]):
            yield [path[0], *inner], found
    if isinstance(value, dict) and "" in value:
        for inner, found in _paths_in(value[""], path):
            yield ["", *inner], found


def _location(error: ValidationError) -> str:
    # Paths leave out empty names, this does not.
    return "#" + unquote((error.absolute_keyword_location or "").partition("#")[2])


def _pointer(path: Iterable[str | int]) -> str:
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)
