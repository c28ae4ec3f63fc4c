"""What a request has to look like on the wire, by the contract's styles (RFC 6570, as OpenAPI 3.1 has it)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from contract_tests.http.parameters import items_of, query_entries, text_of
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Operation, Parameter
from contract_tests.openapi.json_text import essence_of, json_or, read_json
from contract_tests.openapi.text_equality import equal_by_format

DELIMITERS: Final = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "simple": ","}
NO_WEIGHT: Final = r"q\s*=\s*0(\.0*)?"


def reads_as(text: str, value: Any) -> bool:
    """Whether a text stands for a single value; numbers may be written in any form of JSON."""
    if isinstance(value, float):
        try:
            return float(read_json(text)) == value
        except (TypeError, ValueError):
            return False
    if isinstance(value, list | dict):  # inside another one, of which OpenAPI says nothing
        return is_json_of(text, value)
    return equal_by_format(text, value) if isinstance(value, str) else text == text_of(value)


def is_json_of(text: str, value: Any) -> bool:
    """Whether a text is a value as JSON."""
    read = json_or(text, ...)
    return read is not ... and json.dumps(read, sort_keys=True) == json.dumps(value, sort_keys=True)


def path_of(target: str) -> str:
    """Return the path of a request target, undecoded; by a fragment contracts tell operations of one address apart."""
    return target.partition("#")[0].partition("?")[0]


def path_values(operation: Operation, base: str, target: str) -> dict[str, str] | None:
    """
    Read the path parameters off a request target, undecoded.

    Returns:
        The raw text of each parameter; None if the target is not the operation's path.
    """
    template, path = (base + path_of(operation.path)).split("/"), path_of(target).split("/")
    if len(template) != len(path):
        return None
    values: dict[str, str] = {}
    for expected, segment in zip(template, path, strict=True):
        if (found := _match_segment(expected, segment)) is None:
            return None
        values |= found
    return values


def segment_of(operation: Operation, base: str, target: str, name: str) -> str | None:
    """Return the whole raw segment that holds a path parameter; None if the target has other segments."""
    template, path = (base + path_of(operation.path)).split("/"), path_of(target).split("/")
    place = next(index for index, expected in enumerate(template) if f"{{{name}}}" in expected)
    return path[place] if len(template) == len(path) else None


def admits(accept: str, media_type: str) -> bool:
    """Whether an ``Accept`` header lets a media type come, which may be a range such as ``text/*``."""
    ranges = [part.split(";") for part in accept.lower().split(",")]
    wanted = [name.strip() for name, *rest in ranges if not any(re.fullmatch(NO_WEIGHT, one.strip()) for one in rest)]
    brought = essence_of(media_type)
    return any(_covers(one, brought) or _covers(brought, one) for one in wanted)


def _covers(pattern: str, media_type: str) -> bool:
    return pattern in {"*/*", media_type} or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))


def _match_segment(expected: str, segment: str) -> dict[str, str] | None:
    parts = re.split(r"\{([^}]*)\}", expected)
    if len(parts) == 1:
        return {} if unquote(segment) == expected else None
    pattern = "".join(re.escape(part) if index % 2 == 0 else "(.*)" for index, part in enumerate(parts))
    match = re.fullmatch(pattern, segment)
    return dict(zip(parts[1::2], match.groups(), strict=True)) if match else None


def decode(raw: str) -> str | None:
    """Undo percent-encoding; None if what comes out is not UTF-8."""
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None


def matches_value(raw: str, value: Any, parameter: Parameter) -> bool:
    """Whether an encoded text is the whole value of a parameter that is not exploded into pairs."""
    start = {"label": ".", "matrix": f";{parameter.name}="}.get(parameter.style, "")
    return raw.startswith(start) and _reads_whole(raw.removeprefix(start), value, parameter)


def _reads_whole(raw: str, value: Any, parameter: Parameter) -> bool:
    if isinstance(value, dict) and parameter.explode:
        return _reads_list(raw, [f"{name}={text_of(member)}" for name, member in value.items()], parameter)
    if isinstance(value, list | dict):
        return _reads_list(raw, items_of(value), parameter)
    text = decode(raw)
    return text is not None and reads_as(text, value)


def _reads_list(raw: str, items: list[Any], parameter: Parameter) -> bool:
    delimiter = DELIMITERS.get(parameter.style, ",")
    if _all_read([decode(part) for part in raw.split(delimiter)], items):
        return True
    # The delimiter may be percent-encoded itself, as long as that leaves no doubt.
    whole = decode(raw)
    is_plain = not any(delimiter in text_of(item) for item in items)
    return whole is not None and is_plain and _all_read(list(whole.split(delimiter)), items)


def _all_read(parts: list[str | None], items: list[Any]) -> bool:
    if len(parts) != len(items):
        return False
    return all(part is not None and reads_as(part, item) for part, item in zip(parts, items, strict=True))


def query_pairs(target: str) -> list[tuple[str, str]]:
    """Return the pairs of a query in order, undecoded but for ``+``, which stands for a space."""
    _, _, query = target.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return [(name.replace("+", "%20"), value.replace("+", "%20")) for name, _, value in pairs]


def without_fixed(operation: Operation, pairs: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Take out of a query what the contract's own path has there; what of that is missing is the second."""
    left, missing = list(pairs), []
    for name, value in query_pairs(operation.path):
        if "{" in name + value:
            continue
        sent = next((pair for pair in left if [*map(decode, pair)] == [decode(name), decode(value)]), None)
        if sent is None:
            missing.append(f"{name}={value}")
        else:
            left.remove(sent)
    return left, missing


def query_problems(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], pairs: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """
    Compare the pairs of a query with the arguments that were given.

    Yields:
        The name of a parameter that is wrong, empty for what was added, and what is wrong with it.
    """
    left = pairs
    for name, value in given.items():
        own = [pair for pair in left if _belongs(pair[0], name, value, parameters[name])]
        left = [pair for pair in left if pair not in own]
        if not _query_reads(own, value, parameters[name]):
            yield name, f"sent as {'&'.join('='.join(pair) for pair in own) or 'nothing'}"
    for name, value in left:
        yield (decode(name) or "" if decode(name) in parameters else ""), f"{name}={value} was sent, but not given"


def _belongs(raw_name: str, name: str, value: Any, parameter: Parameter) -> bool:
    decoded = decode(raw_name) or ""
    if isinstance(value, dict) and not parameter.media_type:
        if parameter.style == "deepObject":
            return decoded.startswith(f"{name}[")
        if parameter.explode:
            return decoded in value
    return decoded == name


def _query_reads(pairs: list[tuple[str, str]], value: Any, parameter: Parameter) -> bool:
    if parameter.media_type:
        return len(pairs) == 1 and is_json_of(decode(pairs[0][1]) or "", value)
    entries = query_entries(parameter, value) if value != [] else []
    sent = [(decode(name) or "", raw) for name, raw in pairs]
    if isinstance(value, dict):  # whose properties may stand in any order
        entries, sent = sorted(entries, key=_name), sorted(sent, key=_name)
    return [*map(_name, sent)] == [*map(_name, entries)] and all(
        _entry_reads(raw, item, parameter) for (_, raw), (_, item) in zip(sent, entries, strict=True)
    )


def _entry_reads(raw: str, item: Any, parameter: Parameter) -> bool:
    is_inner = isinstance(item, list | dict) and (parameter.explode or parameter.style == "deepObject")
    return reads_as(decode(raw) or "", item) if is_inner else _reads_whole(raw, item, parameter)


def _name(entry: tuple[str, Any]) -> str:
    return entry[0]


def header_reads(text: str, value: Any, parameter: Parameter) -> bool:
    """Whether the text of a header or cookie stands for a value; encoded or not, both is right."""
    if value in ([], {}):
        return not text
    raw = [part.strip() for part in text.split(",")] if isinstance(value, list | dict) else [text]
    items = items_of(value) if isinstance(value, list | dict) else [value]
    if isinstance(value, dict) and parameter.explode and parameter.location == "header":
        items = [f"{name}={text_of(member)}" for name, member in value.items()]
    if _all_read(list(raw), items) or _all_read([decode(part) for part in raw], items):
        return True
    return isinstance(value, list | dict) and _reads_list(text, items, parameter)


def holds_text(raw: str, text: str) -> bool:
    """Whether the raw text of a header or cookie is a text in an encoding that can be undone."""
    as_utf_8 = raw.encode("latin-1", "replace").decode("utf-8", "replace")
    return text in {raw, as_utf_8, decode(raw), raw.strip('"').replace('\\"', '"')}


def cookies_of(seen: RecordedRequest) -> dict[str, str]:
    """Return the cookies of a request, undecoded."""
    pairs = [pair.strip().partition("=") for line in seen.all("Cookie") for pair in line.split(";")]
    return {name: value for name, _, value in pairs if name}
