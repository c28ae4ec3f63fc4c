"""
Values that no generator draws from a schema, since they are ordinary in it and treacherous in a client.

Null against absent, integers past 2^53, empty containers, text that has a meaning in URLs, HTTP or Python.
"""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.contract import Contract, join

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
TEXTS: Final = ("", "é 日本語 😀", '"quoted" \\ and\nline\u2028\x7f', "null", "0")
HEADER_TEXTS: Final = ("a", "a b", "a;b=c", "a,b", '"quoted"', "~-_.!*'()%2F", "null", "0")
PATH_PROBES: Final = (".", "..", "")
NUMBERS: Final = (0, 1, -1, 2**31, 2**53 + 1, -(2**63), 2**63 - 1, 10**20, 0.5, -1.5, 1e300, 1e-7)
OTHERS: Final[tuple[Any, ...]] = (None, True, False, [], {}, [None], {"": None}, [[1, "a", {}]], {"a": {"b": [False]}})
POOL: Final[tuple[Any, ...]] = (*OTHERS, *NUMBERS, *TEXTS)
PARAMETER_POOL: Final[tuple[Any, ...]] = (*POOL, *URL_TEXTS)
PLAIN: Final[tuple[Any, ...]] = ("text", "a,b", 1, 2, 0.5, True, {}, [])
UNKNOWN_MEMBER: Final = "x_unknown_member"
UNKNOWN_WORD: Final = "x_unknown_word"


def legal(contract: Contract, schema: str, pool: tuple[Any, ...] = POOL) -> list[Any]:
    """Give the values of a pool that fit a schema, and the words that the schema lists."""
    made = [*words_of(contract, schema), *_containers(contract, schema, pool)]
    return [value for value in (*made, *pool) if contract.is_valid(value, schema)]


def _containers(contract: Contract, schema: str, pool: tuple[Any, ...]) -> Iterator[Any]:
    """Give lists of one, two and three items, and an object with each of its members, as far as the schema has such."""
    node = contract.at(pointer := contract.follow(schema))
    if isinstance(node, dict) and isinstance(node.get("items"), dict):
        items = [item for item in PLAIN + pool if contract.is_valid(item, join(pointer, "items"))]
        yield from (items[:length] for length in (1, 2, 3) if len(items) >= length)
    if isinstance(node, dict) and node.get("properties"):
        inner = {name: join(pointer, "properties", name) for name in node["properties"]}
        fitting = {name: [value for value in PLAIN if contract.is_valid(value, child)] for name, child in inner.items()}
        yield {name: values[0] for name, values in fitting.items() if values}


def words_of(contract: Contract, schema: str) -> list[Any]:
    """Give what a schema names itself: its enum, const, default and examples."""
    node = contract.at(contract.follow(schema))
    if not isinstance(node, dict):
        return []
    named = [node[keyword] for keyword in ("const", "default", "example") if keyword in node]
    own = [*named, *node.get("enum", ()), *node.get("examples", ())]
    inner = [join(contract.follow(schema), key, i) for key in ("anyOf", "oneOf") for i in range(len(node.get(key, ())))]
    return own + [word for pointer in inner for word in words_of(contract, pointer)]


def variants(contract: Contract, schema: str, start: Any) -> Iterator[tuple[Any, str]]:
    """
    Give legal values near a legal one: each declared member with each value of the pool that fits it, and without it.

    Yields:
        The value, and the pointer of the schema whose value was changed.
    """
    if not isinstance(start, dict):
        for value in legal(contract, schema):
            yield value, contract.follow(schema)
        return
    for name, pointer in members(contract, schema).items():
        for value in legal(contract, pointer):
            if contract.is_valid(changed := {**start, name: value}, schema):
                yield changed, pointer
        without = {key: value for key, value in start.items() if key != name}
        if name in start and contract.is_valid(without, schema):
            yield without, pointer


def members(contract: Contract, schema: str) -> dict[str, str]:
    """Give the declared members of an object with the pointers of their schemas, those of its alternatives included."""
    node = contract.at(pointer := contract.follow(schema))
    if not isinstance(node, dict):
        return {}
    found = {name: join(pointer, "properties", name) for name in node.get("properties", {})}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(node.get(keyword, ()))):
            found |= members(contract, join(pointer, keyword, index)) | found
    return found


def with_unknown_members(contract: Contract, schema: str, value: Any) -> Iterator[tuple[Any, str]]:
    """Give a legal value with a member that the contract does not name, in each object of it that is open."""
    for place, node in _inner(value):
        if isinstance(node, dict):
            grown = _replace(value, place, {**node, UNKNOWN_MEMBER: {"nested": [1, None]}})
            if contract.is_valid(grown, schema):
                yield grown, "".join(f"/{token}" if isinstance(token, str) else "/*" for token in place)


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
