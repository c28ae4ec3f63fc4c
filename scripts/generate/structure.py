"""What a schema is to the generator: a class, a union, a value, or another schema under a second name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import document as doc

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS = frozenset({"properties", "required", "additionalProperties", "patternProperties"})
# Forms that only say which of an object's members must be there are no classes of their own.
_ONLY = frozenset({"required", "not", "title", "description"})
_FORMATS = frozenset({"date", "date-time", "uuid", "binary"})
_CONSTANTS = frozenset({str, int, bool})


def is_union(schema: dict[str, Any]) -> bool:
    """Whether it has one of several forms."""
    forms = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if forms and schema.get("properties") and all(isinstance(form, dict) and form.keys() <= _ONLY for form in forms):
        return False
    return bool(forms) or isinstance(schema.get("type"), list)


def is_object(schema: dict[str, Any]) -> bool:
    """Whether it is an object, if it is no union."""
    kind = schema.get("type")
    return kind == "object" or bool(schema.get("allOf")) or (kind is None and bool(schema.get("properties")))


def makes_class(schema: dict[str, Any]) -> bool:
    """Whether the generator makes a class of a schema that is no reference."""
    if passed_through(schema):
        return False
    if schema.get("enum") and schema.get("type") != "boolean":
        return {type(value) for value in schema["enum"]} in ({str}, {int})
    return not is_union(schema) and is_object(schema)


def scalar(schema: dict[str, Any]) -> dict[str, Any]:
    """A value without parts, as the generator is to know it: a constant, a type, a text in a form of its own."""
    if type(schema.get("const")) in _CONSTANTS:
        return {"const": schema["const"]}
    if schema.get("type") == "string" and "contentMediaType" in schema and "contentEncoding" not in schema:
        return {"type": "string", "format": "binary"}
    names = ("type", "format") if schema.get("type") == "string" and schema.get("format") in _FORMATS else ("type",)
    return {name: schema[name] for name in names if name in schema}


def passed_through(schema: dict[str, Any]) -> Any:
    """The reference that a schema is, but for words to people and rules that only arguments are checked against."""
    forms = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if forms:
        alone = len(forms) == 1 and not schema.get("allOf") and isinstance(forms[0], dict) and "$ref" in forms[0]
        return forms[0] if alone and not schema.get("properties") else None
    conjuncts = [*parts(schema)] if schema.get("allOf") else []
    references = [part for part in conjuncts if "$ref" in part]
    others = any(KEYWORDS & part.keys() for part in conjuncts if "$ref" not in part)
    return references[0] if len(references) == 1 and not others else None


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas that hold at once with it."""
    yield {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", ()):
        if isinstance(part, dict):
            yield from parts(part)


def one_side(document: dict[str, Any], declared: Any) -> str | None:
    """`readOnly` for a member that only the service sends, `writeOnly` for one that only the client does."""
    schema = {**doc.resolve(document, declared), **declared} if isinstance(declared, dict) else {}
    return next((side for side in ("readOnly", "writeOnly") if schema.get(side)), None)


def names_forms(union: dict[str, Any]) -> bool:
    """Whether a discriminator's schema has alternatives which are all components."""
    forms = [*union.get("oneOf", ()), *union.get("anyOf", ())]
    return bool(forms) and all(doc.reference_name(form) for form in forms)


def forms_of(union: dict[str, Any]) -> list[str]:
    """The names of the components that a union consists of."""
    return [doc.reference_name(form) or "" for form in (*union.get("oneOf", ()), *union.get("anyOf", ()))]


def mapped(union: dict[str, Any]) -> dict[str, str]:
    """The names of the components that a discriminator's words stand for; they are given by name or by reference."""
    given = union["discriminator"].get("mapping", {})
    return {tag: doc.reference_name({"$ref": to}) or "" if to.startswith("#/") else to for tag, to in given.items()}
