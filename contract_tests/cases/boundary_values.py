"""
Values that no generator draws from a schema, since they are ordinary in it and treacherous in a client.

Null against absent, integers past 2^53, empty containers, text that has a meaning in URLs, HTTP or Python.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract, join
from contract_tests.openapi.schema import alternatives, branches, children, members, schemas_at
from contract_tests.openapi.validation import UNIONS

URL_TEXTS: Final = (
    " ",
    "/",
    "a/b",
    "%2F",
    "%",
    "100%25",
    "?",
    "a?b=c&d",
    "#",
    "+",
    "a b+c",
    "é",
    "e\u0301",  # the same letter in two parts, which some libraries make one
    "日本語",
    "😀",
    "~-_.!*'()",
    ":@",
    ";=,",
    "a\\b",
    '"quoted"',
    "..",
    ".",
    "...",
    "../secrets",
    "null",
    "true",
    "0",
    "tab\tand\nline",
    "\x7f",
)
TEXTS: Final = ("", "é e\u0301 日本語 😀", '"quoted" \\ and\nline\u2028\x7f', "null", "0")
LONG_TEXT: Final = "".join(map(str, range(20_000)))[: 2**16 + 1]  # no part of it stands in it twice
TYPES: Final = {"a": [{"b": {"c": [True, "true", False, 0, 1, "1", 1.5, None, "null", ""]}}]}
MANY: Final = {f"entry {number}": number for number in range(1001)}
HEADER_TEXTS: Final = ("a", "a b", "a;b=c", "a,b", '"quoted"', "~-_.!*'()%2F", "null", "0")
PATH_PROBES: Final = (".", "..", "")
NUMBERS: Final = (0, 1, -1, 2**31, 2**53 + 1, -(2**63), 2**63 - 1, 10**20, 0.5, -1.5, 1e300, 1e-7)
OTHERS: Final[tuple[Any, ...]] = (None, True, False, [], {}, [None], {"": None}, [[1, "a", {}]], {"a": {"b": [False]}})
SMALL: Final[tuple[Any, ...]] = (*OTHERS, *NUMBERS, *TEXTS)
POOL: Final[tuple[Any, ...]] = (*SMALL, TYPES, MANY, LONG_TEXT)
LONG_PARAMETER: Final = LONG_TEXT[: 2**12 + 1]  # many servers and clients stop at twice as much
PARAMETER_POOL: Final[tuple[Any, ...]] = (*SMALL, *URL_TEXTS, LONG_PARAMETER)
HEADER_POOL: Final[tuple[Any, ...]] = (*HEADER_TEXTS, *SMALL, LONG_PARAMETER)
EMPTY_VALUES: Final[tuple[Any, ...]] = (0, False, "", None, {}, [])
PLAIN: Final[tuple[Any, ...]] = ("text", "a,b", 1, 2, 0.5, True, {}, [])
DATES: Final = ("2020-02-29", "1999-12-31")
TIMES: Final = ("2020-01-01T00:00:00Z", "2020-02-29T23:59:59.5+05:30", "1999-12-31T23:59:59.123456-00:00")
ODD_TIMES: Final = ("2020-01-01t00:00:00z", "2020-01-01T00:00:00.123456789Z", "2016-12-31T23:59:60Z")
ALMOST_TIMES: Final = ("20200101", "2020-W01-1", "2020-01-01", "2020-01-01T00:00:00", "2020-01-01 00:00")
IDS: Final = ("12345678-1234-4234-8234-123456789abc", "ABCDEF12-1234-4234-8234-ABCDEF123456")
ALMOST_IDS: Final = ("{12345678-1234-4234-8234-123456789abc}", "12345678123442348234123456789abc")
ADDRESSES: Final = ("http://Example.COM:80/A%7eb/?q=%2F&r=a+b&q=#Part", "https://[2001:db8::1]:8443/Path/")
BY_FORMAT: Final = {
    "date": (*DATES, *ALMOST_TIMES),
    "date-time": (*TIMES, *ALMOST_TIMES),
    "uuid": (*IDS, *ALMOST_IDS),
    "uri": ADDRESSES,
}
LARGEST_HALF: Final = 2.0**51  # beyond it, a float has no room for a half
UNKNOWN_MEMBER: Final = "x_unknown_member"
UNKNOWN_WORD: Final = "x_unknown_word"


def legal(contract: Contract, schema: str, pool: tuple[Any, ...] = POOL) -> list[Any]:
    """Return the values of a pool that fit a schema, and what the schema itself suggests."""
    made = [*declared_values(contract, schema), *_containers(contract, schema, pool), *_of_formats(contract, schema)]
    fitting = [value for value in (*made, *pool) if contract.is_valid(value, schema)]
    return [value for value in fitting if not is_ambiguous_integer(contract, schema, value)]


def is_ambiguous_integer(contract: Contract, schema: str, value: Any) -> bool:
    """
    Whether a value is legal by one reading of ``integer`` only.

    JSON Schema calls 1.0 and 1e300 integers, OpenAPI 3.0 and 3.1.0 say that these have no fraction and no exponent. A
    client may take either for right: nothing is demanded of it, neither that it takes them nor that it refuses them.
    """
    broken = _with_fractions(value)
    return broken is not value and not contract.is_valid(broken, schema)


def _with_fractions(value: Any) -> Any:
    """Return a value with a real fraction in each number that is written with one and has none, or itself."""
    if isinstance(value, float):
        return math.copysign(min(abs(value), LARGEST_HALF) + 0.5, value) if value.is_integer() else value
    if isinstance(value, dict):
        changed: Any = {name: _with_fractions(member) for name, member in value.items()}
        return changed if any(changed[name] is not member for name, member in value.items()) else value
    if isinstance(value, list):
        changed = [_with_fractions(item) for item in value]
        return changed if any(new is not old for new, old in zip(changed, value, strict=True)) else value
    return value


def _of_formats(contract: Contract, schema: str) -> Iterator[str]:
    """Return texts that are of a format, and texts that are almost of it, for where any text is allowed beside."""
    formats = {contract.at(branch).get("format") for branch in alternatives(contract, schema)}
    for name, texts in BY_FORMAT.items():
        yield from texts if name in formats else ()


def _containers(contract: Contract, schema: str, pool: tuple[Any, ...]) -> Iterator[Any]:
    """Return lists of one, two and three items, and an object with each of its properties, as far as there are such."""
    for pointer in alternatives(contract, schema):
        node = contract.at(pointer)
        if isinstance(node.get("items"), dict):
            items = [item for item in PLAIN + pool if contract.is_valid(item, join(pointer, "items"))]
            yield from (items[:length] for length in (1, 2, 3) if len(items) >= length)
        if node.get("properties"):
            inner = {name: join(pointer, "properties", name) for name in node["properties"]}
            fitting = {name: _plain(contract, child) for name, child in inner.items()}
            yield {name: values[0] for name, values in fitting.items() if values}
        if isinstance(node.get("additionalProperties"), dict):
            inner_schema = join(pointer, "additionalProperties")
            yield from ({"first": value, "a/b": value} for value in _plain(contract, inner_schema)[:1])
            yield from ({"first": entry} for entry in _entries(contract, inner_schema))
            if contract.is_valid(LONG_TEXT, inner_schema):
                yield {"first": LONG_TEXT}


def _entries(contract: Contract, schema: str) -> Iterator[dict[str, Any]]:
    """Return the object that a map holds, with all its members, and once more for each word that one of them may be."""
    node = contract.at(pointer := contract.follow(schema))
    if not isinstance(node, dict) or not node.get("properties"):
        return
    inner = {name: join(pointer, "properties", name) for name in node["properties"]}
    whole = {name: values[0] for name, child in inner.items() if (values := _plain(contract, child))}
    yield whole
    for name, child in inner.items():
        yield from ({**whole, name: word} for word in declared_values(contract, child) if word != whole.get(name))


def _plain(contract: Contract, schema: str) -> list[Any]:
    """Return ordinary values that fit a schema."""
    ordinary = (*declared_values(contract, schema), *PLAIN, *_of_formats(contract, schema))
    return [value for value in ordinary if value is not None and contract.is_valid(value, schema)]


def declared_values(contract: Contract, schema: str) -> list[Any]:
    """Return what a schema names itself: its enum, const, default and examples."""
    node = contract.at(contract.follow(schema))
    if not isinstance(node, dict):
        return []
    named = [node[keyword] for keyword in ("const", "default", "example") if keyword in node]
    own = [*named, *node.get("enum", ()), *node.get("examples", ())]
    inner = branches(contract, contract.follow(schema), UNIONS)
    return own + [word for pointer in inner for word in declared_values(contract, pointer)]


def variants(contract: Contract, schema: str, start: Any) -> Iterator[tuple[Any, str]]:
    """
    Return legal values: those of the pool, and those near a legal one.

    That one with each value of the pool in each declared member that it fits, and without the member; and with all
    members that an exclusion names, as far as they may stand together.

    Yields:
        The value, and the pointer of the schema whose value was changed.
    """
    for value in legal(contract, schema):
        yield value, contract.follow(schema)
    if not isinstance(start, dict):
        return
    for name, pointer in members(contract, schema).items():
        for value in legal(contract, pointer):
            if contract.is_valid(changed := {**start, name: value}, schema):
                yield changed, pointer
        without = {key: value for key, value in start.items() if key != name}
        if name in start and contract.is_valid(without, schema):
            yield without, pointer
    yield from _beside_exclusions(contract, schema, start)


def _beside_exclusions(contract: Contract, schema: str, start: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    declared = members(contract, schema)
    for pointer in alternatives(contract, schema):
        excluded = contract.at(pointer).get("not")
        names = excluded.get("required", []) if isinstance(excluded, dict) else []
        pools = {name: legal(contract, declared[name]) for name in names if name in declared}
        together = {name: next((value for value in pool if value is not None), None) for name, pool in pools.items()}
        for name, pool in pools.items() if len(pools) == len(names) else ():
            for value in pool:
                if contract.is_valid(changed := {**start, **together, name: value}, schema):
                    yield changed, join(pointer, "not")


def with_unknown_members(contract: Contract, schema: str, value: Any) -> Iterator[tuple[Any, str]]:
    """Return a legal value with a member that the contract does not name, in each object of it that is open."""
    for place, node in _inner(value):
        if isinstance(node, dict):
            grown = _replace(value, place, {**node, UNKNOWN_MEMBER: {"nested": [1, None]}})
            if _forms(contract, schema, grown) == _forms(contract, schema, value):
                yield grown, "".join(f"/{token}" if isinstance(token, str) else "/*" for token in place)


def with_empty_values(contract: Contract, schema: str, value: Any) -> Iterator[tuple[Any, Any]]:
    """
    Return a value with what programs take for nothing wherever any value may stand, and what stands there then.

    Of places that lie in one another the innermost counts: where all of a form is described, its parts are meant.
    """

    def is_open(place: tuple[str | int, ...]) -> bool:
        outer = schemas_at(contract, schema, place[:-1])
        stated = [inner for one in outer for inner in children(contract, one, place[-1])] if place else [schema]
        return bool(stated) and all(contract.is_valid(one, each) for one in EMPTY_VALUES for each in stated)

    places = [place for place, _ in _inner(value) if is_open(place)]
    innermost = [one for one in places if not any(other != one and other[: len(one)] == one for other in places)]
    for empty in EMPTY_VALUES if innermost else ():
        emptied = value
        for place in innermost:
            emptied = _replace(emptied, place, empty)
        yield emptied, empty


def _forms(contract: Contract, schema: str, value: Any) -> list[str]:
    # A map of closed values that takes a member of another kind is legal at most as another form, hence another type.
    place = contract.follow(schema)
    return [form for form in (place, *branches(contract, place, UNIONS)) if contract.is_valid(value, form)]


def _inner(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield place, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for token, child in children:
        yield from _inner(child, (*place, token))


def _replace(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    if not place:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replace(value[place[0]], place[1:], new)
    return copy
