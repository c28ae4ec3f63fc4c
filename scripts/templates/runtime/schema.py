"""Checks arguments against the contract's own JSON Schema (2020-12) before anything is sent.

It knows the keywords that the generator lets through; a contract with another one is refused when the client is
generated. A problem says where and what was expected, never which value was given: an argument may be a secret.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from .types import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Extended", "check", "ecma_pattern", "form_of", "whole"]

Schema = dict[str, Any] | bool


class Extended(dict[str, Any]):
    """An object with members that are let through as they are, whether or not the contract names or allows them.

    They count all the same where it says what an object needs, how many members it has and what those are called.
    """

    def __init__(self, members: Mapping[str, Any], extra: Iterable[str]) -> None:
        super().__init__(members)
        self.extra = frozenset(extra)


def _let_through(value: dict[str, Any]) -> frozenset[str]:
    return value.extra if value.__class__ is Extended else frozenset()


def _is_number(value: Any) -> bool:
    # What is checked has become a JSON value before: a number is of these very classes.
    return value.__class__ is int or value.__class__ is float


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", lambda v: isinstance(v, str)),
    "integer": ("a whole number", lambda v: v.__class__ is int or (v.__class__ is float and v.is_integer())),
    "number": ("a number", _is_number),
    "boolean": ("true or false", lambda v: isinstance(v, bool)),
    "null": ("null", lambda v: v is None),
    "array": ("a list", lambda v: isinstance(v, list)),
    "object": ("an object", lambda v: isinstance(v, dict)),
}


def check(value: Any, schema: Schema, root: Schema | None = None) -> None:
    """Find the first place where a JSON value is not what a schema says.

    Raises:
        Problem: there is one.
    """
    root = schema if root is None else root
    if schema is True:
        return
    if schema is False:
        raise Problem("nothing here", value)
    for keyword, argument in schema.items():
        rule = _RULES.get(keyword)
        if rule is not None:
            rule(value, argument, schema, root)


def _holds(value: Any, schema: Schema, root: Schema) -> bool:
    if value.__class__ is dict and schema.__class__ is dict:
        # Found at once, and most often so: no problem need be told for it.
        for name in schema.get("required", ()):
            if name not in value:
                return False
    try:
        check(value, schema, root)
    except Problem:
        return False
    return True


def _type(value: Any, argument: str | list[str], _schema: Any, _root: Any) -> None:
    names = [argument] if argument.__class__ is str else argument
    for name in names:
        if _TYPES[name][1](value):
            return
    raise Problem(" or ".join(_TYPES[name][0] for name in names), value)


def _enum(value: Any, argument: list[Any], _schema: Any, _root: Any) -> None:
    if not any(_same(value, word) for word in argument):
        raise Problem("one of " + ", ".join(map(repr, argument)), value)


def _const(value: Any, argument: Any, _schema: Any, _root: Any) -> None:
    if not _same(value, argument):
        raise Problem(f"the value {argument!r}", value)


def _same(one: Any, other: Any) -> bool:
    # In Python true equals 1; in JSON it doesn't.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _reference(value: Any, argument: str, _schema: Any, root: Any) -> None:
    check(value, root["$defs"][argument.removeprefix("#/$defs/")], root)


def _bound(applies: Callable[[Any], bool], fits: Callable[[Any, Any], object], words: str) -> Callable[..., None]:
    def rule(value: Any, argument: Any, _schema: Any, _root: Any) -> None:
        if applies(value) and not fits(value, argument):
            raise Problem(words.format(argument), value, received="one that is not" if applies is _is_number else "")

    return rule


def _is_multiple(value: float, step: float) -> bool:
    # As the numbers are written: 4.35 is a multiple of 0.01, though no binary fraction says so.
    (one, power), (other, others_power) = _written(value), _written(step)
    lowest = min(power, others_power)
    return bool(one * 10 ** (power - lowest) % (other * 10 ** (others_power - lowest)) == 0)


def _written(number: float) -> tuple[int, int]:
    """A number's digits, and the power of ten that they stand for."""
    digits, _, power = repr(number).partition("e")
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction), int(power or 0) - len(fraction)


def _are_unique(value: list[Any], wanted: bool) -> bool:  # noqa: FBT001 - the keyword's argument
    return not wanted or not any(_same(one, other) for i, one in enumerate(value) for other in value[:i])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _properties(value: Any, argument: dict[str, Schema], _schema: Any, root: Any) -> None:
    if isinstance(value, dict):
        extra = _let_through(value)
        for name, item in value.items():
            if name in argument and name not in extra:
                _member(name, item, argument[name], root)


def _additional(value: Any, argument: Schema, schema: Any, root: Any) -> None:
    if isinstance(value, dict) and argument is not True:
        patterns = schema.get("patternProperties", ())
        extra = _let_through(value) if argument is False else frozenset[str]()
        for name in value.keys() - schema.get("properties", {}).keys() - extra:
            if not any(ecma_pattern(pattern).search(name) for pattern in patterns):
                _member(name, value[name], argument, root)


def _pattern_properties(value: Any, argument: dict[str, Schema], _schema: Any, root: Any) -> None:
    if isinstance(value, dict):
        for pattern, schema in argument.items():
            for name in value:
                if ecma_pattern(pattern).search(name):
                    _member(name, value[name], schema, root)


def _property_names(value: Any, argument: Schema, _schema: Any, root: Any) -> None:
    if isinstance(value, dict):
        for name in value:
            try:
                check(name, argument, root)
            except Problem as problem:
                raise Problem(f"{problem.expected} as name", received="another name").under(name) from None


def _required(value: Any, argument: list[str], _schema: Any, _root: Any) -> None:
    if isinstance(value, dict):
        for name in argument:
            if name not in value:
                raise Problem("a value").under(name)


def _dependent_required(value: Any, argument: dict[str, list[str]], _schema: Any, _root: Any) -> None:
    if isinstance(value, dict):
        for name, others in argument.items():
            for other in others if name in value else ():
                if other not in value:
                    raise Problem(f"a value, since {name} is given").under(other)


def _contains(value: Any, argument: Schema, schema: Any, root: Any) -> None:
    if isinstance(value, list):
        least, most = schema.get("minContains", 1), schema.get("maxContains", len(value))
        if not least <= sum(_holds(item, argument, root) for item in value) <= most:
            words = argument if isinstance(argument, dict) else {}
            raise Problem(words.get("description") or "other items", received="a list without what it has to contain")


def _items(value: Any, argument: Schema, schema: Any, root: Any) -> None:
    if isinstance(value, list):
        start = len(schema.get("prefixItems", ()))
        for index, item in enumerate(value[start:], start):
            _member(index, item, argument, root)


def _prefix_items(value: Any, argument: list[Schema], _schema: Any, root: Any) -> None:
    if isinstance(value, list):
        for index, (item, schema) in enumerate(zip(value, argument, strict=False)):
            _member(index, item, schema, root)


def _member(key: str | int, value: Any, schema: Schema, root: Schema) -> None:
    try:
        check(value, schema, root)
    except Problem as problem:
        raise problem.under(key) from None


def _all_of(value: Any, argument: list[Schema], _schema: Any, root: Any) -> None:
    for schema in argument:
        check(value, schema, root)


def _any_of(value: Any, argument: list[Schema], _schema: Any, root: Any) -> None:
    problems = []
    for schema in argument:
        try:
            return check(value, schema, root)
        except Problem as problem:
            problems.append((_likeness(value, schema, root), len(problem.place), problem))
    # Of the form that was most likely meant: which has its required members, or else whose problem lies deepest.
    raise max(problems, key=lambda found: found[:2])[2]


def _likeness(value: Any, schema: Schema, root: Any) -> int:
    """How many members a form requires if all of them are there, else 0."""
    if not isinstance(schema, dict) or not isinstance(value, dict):
        return 0
    names = set(schema.get("required", ()))
    parts = [*schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(root["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    for part in parts:
        names.update(part.get("required", ()) if isinstance(part, dict) else ())
    return len(names) if names <= value.keys() else 0


def _one_of(value: Any, argument: list[Schema], schema: Any, root: Any) -> None:
    # A member that names the form is meant to decide; without it most contracts' forms would overlap.
    member, indexes = schema.get("x-told-apart", ("", {}))
    word = value.get(member) if indexes and isinstance(value, dict) else None
    if isinstance(word, str) and word in indexes:
        check(value, argument[indexes[word]], root)
        return
    fitting = sum(_holds(value, branch, root) for branch in argument)
    if fitting == 0:
        _any_of(value, argument, schema, root)
    if fitting > 1 and not _let_through(value):
        raise Problem("exactly one of the alternatives", received=f"a value that fits {fitting} of them")


def form_of(value: Any, schema: Schema) -> int | None:
    """Which of its alternatives a value has, by number; None if it has none."""
    forms = schema.get("oneOf", ()) if isinstance(schema, dict) else ()
    return next((index for index, form in enumerate(forms) if _holds(value, form, schema)), None)


def _not(value: Any, argument: Schema, _schema: Any, root: Any) -> None:
    if _holds(value, argument, root):
        words = argument if isinstance(argument, dict) else {}
        ruled_out = words.get("description") or "what the contract rules out"
        problem = Problem(f"something other than {ruled_out}", received="just that")
        forms = [form for form in (words, *words.get("anyOf", ())) if isinstance(form, dict) and form.get("required")]
        members = next((" and ".join(form["required"]) for form in forms if _holds(value, form, root)), "")
        raise problem.under(members) if members else problem


def _pattern(value: Any, argument: str, schema: Any, _root: Any) -> None:
    # Of a pattern that takes long on long texts the generator says up to which length: `re` knows no time-out.
    is_searched = isinstance(value, str) and len(value) <= schema.get("x-longest-text", len(value))
    if is_searched and not ecma_pattern(argument).search(value):
        raise Problem(f"a text that matches {argument}", value)


def _format(value: Any, argument: str, _schema: Any, _root: Any) -> None:
    bits = _BITS.get(argument)
    if bits is not None and _is_number(value) and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise Problem(f"a whole number of {bits} bits", received="one of more")
    known = _FORMATS.get(argument)
    if known is not None and isinstance(value, str) and not re.fullmatch(known[1], value):
        raise Problem(known[0], value)


@functools.cache
def ecma_pattern(pattern: str) -> re.Pattern[str]:
    """A contract's regular expression in Python's words: there `$` would allow a line feed and digits any script."""
    parts = re.split(r"(\\.|\[(?:\\.|[^\]\\])*\])", pattern, flags=re.DOTALL)
    plain = (_set(part) if i % 2 else part.replace("$", r"\Z") for i, part in enumerate(parts))
    return re.compile("".join(plain), re.ASCII)


def _set(part: str) -> str:
    """An escape, or a set of characters in which Python doesn't suspect operators of its own."""
    return re.sub(r"(\\.)|(?!^)([\[&~|])", lambda found: found[1] or "\\" + found[2], part, flags=re.DOTALL)


_UNRESERVED = r"[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}"
_AUTHORITY = (
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[0-9A-Fa-f:.vV!$&'()*+,;=~_\-]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?"
)
_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
# Texts: compiling them would take a good part of a first call, and most calls need none of them.
_FORMATS = {
    "uri": (
        "an absolute URI",
        (
            rf"[A-Za-z][A-Za-z0-9+.\-]*:(?://{_AUTHORITY}(?:/(?:{_UNRESERVED})*)*|/?(?:(?:{_UNRESERVED})+(?:/(?:{_UNRESERVED})*)*)?)"
            rf"(?:\?(?:{_UNRESERVED}|[/?])*)?(?:#(?:{_UNRESERVED}|[/?])*)?"
        ),
    ),
    "date": ("a date as in 2026-01-31", _DATE),
    "date-time": ("a time as in 2026-01-31T12:00:00Z", rf"{_DATE}[Tt]{_TIME}"),
    "uuid": ("a UUID", r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
}
_BITS = {"int32": 32, "int64": 64}

_RULES: dict[str, Callable[..., None]] = {
    "$ref": _reference,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minLength": _bound(_is_text, lambda v, n: len(v) >= n, "a text of at least {} characters"),
    "maxLength": _bound(_is_text, lambda v, n: len(v) <= n, "a text of at most {} characters"),
    "pattern": _pattern,
    "format": _format,
    "minimum": _bound(_is_number, lambda v, n: v >= n, "a number of at least {}"),
    "maximum": _bound(_is_number, lambda v, n: v <= n, "a number of at most {}"),
    "exclusiveMinimum": _bound(_is_number, lambda v, n: v > n, "a number above {}"),
    "exclusiveMaximum": _bound(_is_number, lambda v, n: v < n, "a number below {}"),
    "multipleOf": _bound(_is_number, _is_multiple, "a multiple of {}"),
    "required": _required,
    "dependentRequired": _dependent_required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "minProperties": _bound(_is_object, lambda v, n: len(v) >= n, "an object of at least {} members"),
    "maxProperties": _bound(_is_object, lambda v, n: len(v) <= n, "an object of at most {} members"),
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "minItems": _bound(_is_list, lambda v, n: len(v) >= n, "a list of at least {} items"),
    "maxItems": _bound(_is_list, lambda v, n: len(v) <= n, "a list of at most {} items"),
    "uniqueItems": _bound(_is_list, _are_unique, "a list without repetitions"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}
KEYWORDS = frozenset(_RULES) | {"$defs", "x-longest-text", "minContains", "maxContains"}


def whole(value: Any, schema: Schema) -> Any:
    """A checked value whose numbers have no fraction of zero where the contract has an integer.

    Not every service reads 5.0.
    """
    return _whole(value, [schema], schema) if _has_fraction(value) else value


def _has_fraction(value: Any) -> bool:
    kind = value.__class__
    if kind is float:
        return bool(value.is_integer())
    return any(map(_has_fraction, value.values() if kind is dict else value if kind is list else ()))


def _whole(value: Any, schemas: Iterable[Schema], root: Any) -> Any:
    forms = [form for schema in schemas for form in _forms(schema, root)]
    if value.__class__ is float:
        return int(value) if value.is_integer() and any(map(_is_of_integers, forms)) else value
    if value.__class__ is dict:
        return {name: _whole(item, _members(name, forms), root) for name, item in value.items()}
    if value.__class__ is list:
        return [_whole(item, _entries(index, forms), root) for index, item in enumerate(value)]
    return value


def _forms(schema: Schema, root: Any) -> Iterator[dict[str, Any]]:
    """What a schema says itself, and what it refers to or is made up of."""
    if isinstance(schema, dict):
        yield schema
        inner = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
        if "$ref" in schema:
            inner.append(root["$defs"][schema["$ref"].removeprefix("#/$defs/")])
        for part in inner:
            yield from _forms(part, root)


def _is_of_integers(form: dict[str, Any]) -> bool:
    kinds = form.get("type", ())
    return "integer" in ([kinds] if isinstance(kinds, str) else kinds)


def _members(name: str, forms: list[dict[str, Any]]) -> Iterator[Schema]:
    for form in forms:
        own = [form["properties"][name]] if name in form.get("properties", ()) else []
        own += [
            each for pattern, each in form.get("patternProperties", {}).items() if ecma_pattern(pattern).search(name)
        ]
        yield from own or [form.get("additionalProperties", True)]


def _entries(index: int, forms: list[dict[str, Any]]) -> Iterator[Schema]:
    for form in forms:
        first = form.get("prefixItems", ())
        yield first[index] if index < len(first) else form.get("items", True)
