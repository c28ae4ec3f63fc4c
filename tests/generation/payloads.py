"""Texts that would run if they got into code unquoted, and a contract with a place for each kind of text."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from growing import JSON, parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

# What stands in the environment afterwards has run.
RUN = "__import__('os').environ.__setitem__('RAN','1')"
HALF_A_CHARACTER = "\udc80"  # which is refused wherever it stands
PAYLOADS = (
    f"'+{RUN}+'",
    f'"+{RUN}+"',
    f'""" + {RUN} + """',
    f"''' + {RUN} + '''",
    f'", *[{RUN}], "',
    f'")\n{RUN}\n("',
    f"\n{RUN}\n",
    f"\\\n{RUN}",
    '\\"""',
    '"',
    '""',
    "\\",
    "\\N{",
    "\\x4",
    "\\ud800\\U00110000",
    "\0",
    "\x1b[2J\x07\u2028\u2029\x85\x0c",
    "\u202e\ufeff\U0001f600",
    "{{ 7 * 7 }}{% endraw %}{% set x = 1 %}{#",
    "%s%(x)s{0.__class__}$x",
    f"*/ # -->\n{RUN}",
    "\n>>> " + RUN,
    HALF_A_CHARACTER,
)
_NAMED = frozenset(
    {"paths", "properties", "patternProperties", "schemas", "responses", "content", "securitySchemes", "examples"}
    | {"callbacks", "links", "headers", "mapping", "variables", "requestBodies", "parameters"}
)
Steps = tuple[str | int, ...]


def featured(number: int) -> dict[str, Any]:
    """A contract with a text in every place that has one; `number` tells one from another where names must differ."""
    word = f"w{number}"
    text = {"type": "string", "description": word}
    free = {"type": "string", "title": word, "format": word, "pattern": word, "default": word, "example": word}
    inner = {"type": "object", "properties": {f"{word}f": text}}
    schema = {
        "type": "object",
        "description": word,
        "title": word,
        "required": [f"{word}a"],
        "properties": {
            f"{word}a": {"type": "string", "enum": [word, f"{word} other"]},
            f"{word}b": {"const": word, "description": word},
            f"{word}c": {"type": "object", "properties": {f"{word}d": {**text, "default": word}}},
            f"{word}e": {"type": "array", "items": {"oneOf": [inner, text]}},
        },
        "x-word": word,
    }
    kinds = {
        "oneOf": [{"$ref": f"#/components/schemas/{word}One"}, {"$ref": f"#/components/schemas/{word}Two"}],
        "discriminator": {"propertyName": "kind", "mapping": {word: f"{word}One"}},
    }
    body = {"$ref": f"#/components/schemas/{word}Body"}
    one = {"type": "object", "required": ["kind"], "properties": {"kind": text}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": word, "version": word, "description": word, "x-word": word},
        "tags": [{"name": word, "description": word, "externalDocs": {"url": "https://w.example", "title": word}}],
        "paths": {
            f"/{word}/{{{word}p}}": {
                "summary": word,
                "servers": [{"url": "https://w.example", "description": word}],
                "post": {
                    "operationId": f"op_{word}",
                    "tags": [word],
                    "summary": word,
                    "description": word,
                    "security": [{f"{word}key": []}],
                    "parameters": [
                        parameter("path", f"{word}p", text, description=word, example=word),
                        parameter("query", f"{word}q", free, description=word, examples={word: {"value": word}}),
                        parameter("query", f"{word}l", {"type": "string", "enum": [word]}, style="form"),
                        parameter("header", f"{word}h", text),
                        parameter("cookie", f"{word}k", text),
                    ],
                    "requestBody": {
                        "description": word,
                        "required": True,
                        "content": {JSON: {"schema": body, "example": {word: word}}},
                    },
                    "responses": {
                        "200": {
                            "description": word,
                            "headers": {f"{word}X": {"schema": text, "description": word}},
                            "content": {JSON: {"schema": body}},
                            "links": {word: {"operationId": f"op_{word}", "description": word}},
                        },
                        "202": {"description": word, "content": {JSON: {"schema": kinds}}},
                        "404": {"description": word, "content": {"text/plain": {"schema": text}}},
                    },
                    "callbacks": {word: {"{$request.body#/url}": {"summary": word}}},
                    "x-sources": [{"page": word, "basis": word}],
                },
            },
        },
        "components": {
            "schemas": {f"{word}Body": schema, f"{word}One": one, f"{word}Two": copy.deepcopy(one)},
            "securitySchemes": {f"{word}key": {"type": "apiKey", "in": "header", "name": word, "description": word}},
        },
    }  # fmt: skip
    whole: dict[str, Any] = json.loads(json.dumps(document))  # in which no part is shared
    return whole


def places(value: Any, steps: Steps = (), *, named: bool = False) -> Iterator[tuple[Steps, bool]]:
    """Where texts stand: the way there, and whether it is the key itself that is one."""
    if isinstance(value, str):
        yield steps, False
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        if (named and steps[-1:] != ("security",)) or str(key).startswith("x-"):
            yield (*steps, key), True
        if key not in {"$ref", "openapi", "security", "required", "type", "in"}:
            yield from places(inner, (*steps, key), named=key in _NAMED and not named and isinstance(inner, dict))


def poisoned(document: dict[str, Any], steps: Steps, payload: str, *, is_key: bool) -> dict[str, Any]:
    """The same contract with a payload at one place, and with what refers to a name there following it."""
    changed = copy.deepcopy(document)
    holder: Any = changed
    for step in steps[:-1]:
        holder = holder[step]
    last = steps[-1]
    old = str(last if is_key else holder[last])
    new = f"{old}{payload}" if is_key or old.startswith(("/", "http")) else f"{payload}{old}{payload}"
    if is_key:
        entries = [(new if key == last else key, value) for key, value in holder.items()]
        holder.clear()
        holder.update(entries)
    else:
        holder[last] = new
    is_name = is_key or last == "name"
    return _followed(changed, old, new) if is_name else changed


def _followed(value: Any, old: str, new: str) -> Any:
    """What refers to a thing by its name: references, lists of required members, tags, security, templates of paths."""
    if isinstance(value, list):
        return [_followed(item, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    followed = {}
    for key, item in value.items():
        if key == "$ref" and item.endswith(f"/{old}"):
            escaped = new.replace("~", "~0").replace("/", "~1").replace("%", "%25")
            followed[key] = item.removesuffix(old) + escaped
        elif key in {"required", "tags"} and isinstance(item, list) and old in item:
            followed[key] = [new if each == old else each for each in item]
        elif key == "security":
            followed[key] = [{new if name == old else name: scopes for name, scopes in each.items()} for each in item]
        elif key == "mapping":
            followed[key] = {word: new if to == old else to for word, to in item.items()}
        else:
            followed[key.replace(f"{{{old}}}", f"{{{new}}}")] = _followed(item, old, new)
    return followed


def merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """One contract of many: their paths, tags and components side by side, their titles in one text."""
    whole = copy.deepcopy(documents[0])
    for document in documents[1:]:
        for name in ("title", "version", "description"):
            whole["info"][name] += document["info"][name]
        whole["tags"] += document["tags"]
        whole["paths"] |= document["paths"]
        for kind, named in document["components"].items():
            whole["components"][kind] |= named
    return whole
