"""The same JSON written in other legal ways."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase, Spelling

UTF_8: Final = "application/json; charset=utf-8"
CAPITALS: Final = "Application/JSON"


def reversed_order(value: Any) -> Any:
    """Return a JSON value with the properties of each object in reverse order."""
    if isinstance(value, Mapping):
        return {name: reversed_order(value[name]) for name in reversed(value)}
    return [reversed_order(inner) for inner in value] if isinstance(value, list) else value


def _escaped(value: Any) -> str:
    """Write JSON with every character of every string escaped."""
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass").hex()
        return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_escaped(name)}:{_escaped(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_escaped, value)) + "]"
    return json.dumps(value)


def _raw(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spaced(value: Any) -> str:
    return "\r\n\t " + json.dumps(value, indent="\t", separators=(" ,", " : ")).replace("\n", "\r\n") + " \n"


def _with_slashes(value: Any) -> str:
    return json.dumps(value).replace("/", "\\/")


def _numbers(form: str) -> Callable[[Any], str]:
    def written(value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return form.format(value)
        if isinstance(value, Mapping):
            return "{" + ",".join(f"{json.dumps(name)}:{written(inner)}" for name, inner in value.items()) + "}"
        return "[" + ",".join(map(written, value)) + "]" if isinstance(value, list) else json.dumps(value)

    return written


SPELLINGS: Final[Mapping[str, Callable[[Any], Spelling]]] = {
    "properties in another order": lambda body: Spelling(json.dumps(reversed_order(body)).encode()),
    "everything escaped": lambda body: Spelling(_escaped(body).encode()),
    "text that is not escaped": lambda body: Spelling(_raw(body).encode()),
    "white space round everything": lambda body: Spelling(_spaced(body).encode()),
    "escaped slashes": lambda body: Spelling(_with_slashes(body).encode()),
    "a charset": lambda body: Spelling(json.dumps(body).encode(), UTF_8),
    "a media type in capitals": lambda body: Spelling(json.dumps(body).encode(), CAPITALS),
    "a body in chunks": lambda body: Spelling(json.dumps(body).encode(), is_chunked=True),
    "integers with a fraction of zero": lambda body: Spelling(_numbers("{}.0")(body).encode()),
    "integers with an exponent": lambda body: Spelling(_numbers("{}e0")(body).encode()),
}
# Several at once, each of which is tried alone where they are refused.
TOGETHER: Final[Mapping[str, tuple[Callable[[Any], Spelling], Sequence[str]]]] = {
    "another spelling": (
        lambda body: Spelling(_escaped(reversed_order(body)).encode(), UTF_8),
        ("properties in another order", "everything escaped", "a charset"),
    ),
    "a third spelling": (
        lambda body: Spelling(("\n" + _raw(body).replace("/", "\\/") + "\r\n").encode(), CAPITALS, is_chunked=True),
        (
            "text that is not escaped",
            "white space round everything",
            "escaped slashes",
            "a media type in capitals",
            "a body in chunks",
        ),
    ),
}
# A service may know less than these: no source says that it takes them.
MAY_BE_REFUSED: Final = frozenset(
    {"a charset", "a body in chunks", "integers with a fraction of zero", "integers with an exponent", *TOGETHER}
)
NUMBER_FORMS: Final = ("integers with a fraction of zero", "integers with an exponent")


def spelled(case: RequestCase, name: str) -> RequestCase:
    """Return a request whose body is written in one of these ways."""
    write = SPELLINGS[name] if name in SPELLINGS else TOGETHER[name][0]
    return replace(case, spelling=write(case.body))
