"""
Reads what authors write although OpenAPI 3.1 has no such thing, as they meant it or not at all, and says so.

A keyword that no vocabulary knows binds nobody, and an empty list of values could only mean that no value is allowed.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from workflow_contract.places import Place, at, objects
from workflow_contract.reading import SHOWN
from workflow_contract.upgrade import IMPLIED, allow_null

# Of JSON Schema since draft 4 and of OpenAPI since 3.0.
_KEYWORDS: Final = frozenset(
    """
    $anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary additionalItems
    additionalProperties allOf anyOf const contains contentEncoding contentMediaType contentSchema default
    definitions dependencies dependentRequired dependentSchemas deprecated description discriminator else enum
    example examples exclusiveMaximum exclusiveMinimum externalDocs format id if items maxContains maxItems
    maxLength maxProperties maximum minContains minItems minLength minProperties minimum multipleOf not nullable
    oneOf pattern patternProperties prefixItems properties propertyNames readOnly required summary then title type
    unevaluatedItems unevaluatedProperties uniqueItems writeOnly xml
    """.split()  # noqa: SIM905 - a list of so many words is read more easily as a text
)
_OTHERWISE_TYPED: Final = frozenset({"type", "$ref", "enum", "const", "not", "if", "allOf", "anyOf", "oneOf"})
_CONDITIONS: Final = frozenset({"not", "if", "then", "else", "dependentSchemas"})
_WITHOUT_BODY: Final = frozenset({"204", "304"})


class Remark(NamedTuple):
    """One place that was read otherwise than it is written: the object, its keyword, and why."""

    pointer: str
    keyword: str
    words: str


def read_as_meant(document: dict[str, Any]) -> list[Remark]:
    """Change a document; return what was changed."""
    found = []
    for place in list(objects(document)):
        changes = (
            [*_of_type(place), *_of_schema(place.value)]
            if place.is_schema
            else [*_of_content(document, place.value), *_of_responses(document, place.value)]
        )
        found += [Remark(place.pointer, keyword, words) for keyword, words in changes]
    return found


def notes(remarks: list[Remark]) -> list[str]:
    """Return a line for each kind of remark, with its first place and the number of the others."""
    places: dict[str, list[str]] = {}
    for remark in remarks:
        places.setdefault(remark.words, []).append(remark.pointer)
    return [f"{first}{_more(others)}: {words}" for words, (first, *others) in places.items()]


def _more(places: list[str]) -> str:
    return f" and {len(places)} {'place' if len(places) == 1 else 'places'} more" if places else ""


def _of_content(document: dict[str, Any], holder: dict[str, Any]) -> Iterator[tuple[str, str]]:
    content = holder.get("content")
    if isinstance(content, dict) and isinstance(content.get("$ref"), str):
        try:
            referred = at(document, content["$ref"])
        except KeyError:
            return
        if isinstance(referred, dict) and "$ref" not in referred:
            holder["content"] = referred
            yield "content", "`content` can't be a $ref; what it refers to is read in its place"


def _of_responses(document: dict[str, Any], holder: dict[str, Any]) -> Iterator[tuple[str, str]]:
    responses: Any = holder.get("responses")
    for status in _WITHOUT_BODY & responses.keys() if isinstance(responses, dict) else ():
        response = responses[status]
        if isinstance(response, dict) and isinstance(reference := response.get("$ref"), str):
            try:
                response = at(document, reference)
            except KeyError:
                continue
        if isinstance(response, dict) and response.get("content"):
            responses[status] = {key: value for key, value in response.items() if key != "content"}
            yield "responses", f"a response {status} has no body in HTTP; its `content` is passed over"


def _of_type(place: Place) -> Iterator[tuple[str, str]]:
    schema = place.value
    # Beside a condition or within a negation the type would say something else.
    if schema.keys() & _OTHERWISE_TYPED or _CONDITIONS & set(place.pointer.split("/")):
        return
    for keyword, kind in IMPLIED.items():
        if isinstance(schema.get(keyword), dict):
            schema["type"] = kind
            yield (
                keyword,
                f"`{keyword}` without a `type` would allow all values of others; it is read as of type {kind}",
            )
            return


def _of_schema(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(schema.get("nullable"), bool):
        if schema.pop("nullable"):
            allow_null(schema)
        yield "nullable", "`nullable` has no effect in OpenAPI 3.1; it is read as in 3.0, so that null is allowed"
    if schema.get("enum") == []:
        del schema["enum"]
        yield "enum", "an `enum` without values would allow nothing; it is passed over"
    if isinstance(schema.get("required"), bool):
        del schema["required"]
        yield "required", "`required` is a list of names in a schema; a truth value is passed over"
    for keyword in [key for key in schema if key not in _KEYWORDS and not key.startswith("x-")]:
        del schema[keyword]
        yield keyword, f"{keyword[:SHOWN]!r} is no keyword of a schema; it is passed over"
