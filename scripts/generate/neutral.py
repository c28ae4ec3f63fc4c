"""The contract as the generator gets to see it: its structure alone, under names of our own.

No media type, address, default, example or extension is in it, and no name that a stranger chose: properties and
parameters are numbered, and whatever becomes a class is a component whose name is taken by no other. Of texts there are
descriptions, which go into docstrings, and the values of enums and constants.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import bodies
import document as doc
import media_types
import naming
import structure

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH_PARAMETER = re.compile(r"\{([^{}]*)\}")
_PLACES = ("path", "query", "header", "cookie")
_FORMS = ("anyOf", "oneOf")
_COMPONENTS = "#/components/schemas/"
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
_STAND_INS = {"json": "application/json", "text": "text/plain", "bytes": "application/octet-stream"}


class Neutral:
    """A contract for the generator, and what its names stand for.

    Attributes:
        document: What the generator gets.
        wire: The members' names on the wire, by the generator's.
        parameters: The parameters' places and names on the wire, by the generator's names.
        classes: The class of each component schema, by the component's name.
        one_sided: Members that only the service (readOnly) or only the client (writeOnly) sends, by class name.
        pointers: Where in the contract a component or an operation comes from, by the generator's name for it.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._contract = document
        self.wire: dict[str, str] = {}
        self.parameters: dict[str, tuple[str, str]] = {}
        self.pointers: dict[str, str] = {}
        self.one_sided: dict[str, dict[str, str]] = {}
        self._numbers: dict[str, str] = {}
        self._members: dict[int, dict[str, Any]] = {}
        schemas = document.get("components", {}).get("schemas", {})
        self.classes = naming.unique(schemas, naming.class_name, naming.module_name)
        self.classes = {name: naming.as_class(called) for name, called in self.classes.items()}
        self.services = naming.unique((tag["name"] for tag in document.get("tags", ())), naming.identifier)
        self._taken = {naming.module_name(called) for called in self.classes.values()}
        self._schemas: dict[str, Any] = {}
        self._bases: dict[str, str] = {}
        for name, schema in schemas.items():
            self._add(self.classes[name], schema, doc.pointer("components", "schemas", name))
        self.document = {
            "openapi": "3.1.0",
            "info": {"title": document["info"]["title"], "version": "1"},
            "paths": {f"/{_method(found)}": self._path(found) for found in doc.operations(document)},
            "components": {"schemas": self._schemas},
        }

    def _path(self, found: doc.Found) -> dict[str, Any]:
        operation, name = found.operation, _method(found)
        self.pointers[name] = found.pointer
        told = {
            "operationId": name,
            "tags": [self.services[operation["tags"][0]]],
            "summary": operation.get("summary", ""),
            "description": operation.get("description", ""),
            "parameters": [*self._parameters(found, name)],
            "responses": {
                status: self._reply(doc.resolve(self._contract, reply), f"response_{status}", name, found.pointer)
                for status, reply in operation["responses"].items()
            },
        }
        body = doc.resolve(self._contract, operation.get("requestBody"))
        if body:
            told["requestBody"] = {
                "required": bool(body.get("required", False)),
                "content": self._sent(body["content"], name, f"{found.pointer}/requestBody"),
            }
        return {found.method: told}

    def _parameters(self, found: doc.Found, method: str) -> Any:
        # All as if they were in the query, where the generator allows any type; what they are is told by their number.
        for (place, name), parameter in _in_order(self._contract, found):
            number = f"q{len(self.parameters)}"
            self.parameters[number] = place, name
            where = f"{found.pointer}/parameters"
            schema = self._value(parameter.get("schema", {}), name, method, where)
            yield {"in": "query", "name": number, "required": bool(parameter.get("required")), "schema": schema}

    def _reply(self, reply: dict[str, Any], name: str, method: str, where: str) -> dict[str, Any]:
        told = {"description": reply.get("description", "")}
        if reply.get("content"):
            kind, content = next(bodies.by_kind(reply["content"]))
            told["content"] = {_STAND_INS[kind]: self._read(content, kind, name, method, f"{where}/responses")}
        return told

    def _sent(self, content: dict[str, Any], method: str, where: str) -> dict[str, Any]:
        """A request's body: as if it was JSON, where the generator allows any type; what it is tells its kind."""
        [(media_type, described)] = content.items()
        kind = media_types.kind_of_request(media_type)
        schema = {"type": "string", "format": "binary"} if kind == "bytes" else described.get("schema", {})
        return {"application/json": {"schema": self._value(schema, "body", method, where)}}

    def _read(self, content: dict[str, Any], kind: str, name: str, method: str, where: str) -> dict[str, Any]:
        if kind != "json":
            return {"schema": {"type": "string"}}
        schemas: list[Any] = []
        for described in content.values():
            if described.get("schema", {}) not in schemas:
                schemas.append(described.get("schema", {}))
        # A reply in JSON of several media types is whichever of their schemas it fits.
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        return {"schema": self._value(schema, name, method, where)}

    def _add(self, called: str, schema: Any, where: str) -> None:
        self.pointers[called] = where
        self._schemas[called] = self._plain(schema, called, "", where)

    def _value(self, schema: Any, name: str, parent: str, where: str) -> dict[str, Any]:
        """A schema where it stands: what becomes a class is a reference to a component."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return self._reference(schema)
        if not structure.makes_class(schema):
            return self._plain(schema, name, parent, where)
        base = naming.inner_class(parent, name)
        other = self._bases.get(base)
        if other and "enum" in schema and self._schemas[other].get("enum") == schema["enum"]:
            return {"$ref": _COMPONENTS + other}
        called = naming.as_class(naming.free(base, self._taken, naming.module_name))
        self._taken.add(naming.module_name(called))
        self._bases.setdefault(base, called)
        self._add(called, schema, where)
        return {"$ref": _COMPONENTS + called}

    def _reference(self, schema: Any) -> dict[str, Any]:
        return {"$ref": _COMPONENTS + self.classes[doc.reference_name(schema) or ""]}

    def _plain(self, schema: Any, name: str, parent: str, where: str) -> dict[str, Any]:
        """A schema's own structure, as far as the generator is to know it."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return self._reference(schema)
        about = {"description": schema["description"]} if schema.get("description") else {}
        return about | self._structure(schema, name, parent, where)

    def _structure(self, schema: dict[str, Any], name: str, parent: str, where: str) -> dict[str, Any]:
        passed = structure.passed_through(schema)
        if passed:
            return {"allOf": [self._reference(passed)]}
        if schema.get("enum") and schema.get("type") != "boolean":
            return self._enum(schema, name, parent, where)
        if structure.is_union(schema):
            return self._union(schema, name, parent, where)
        if schema.get("type") == "array":
            return self._list(schema, name, parent, where)
        return self._object(schema, name, where) if structure.is_object(schema) else structure.scalar(schema)

    def _enum(self, schema: dict[str, Any], name: str, parent: str, where: str) -> dict[str, Any]:
        values = [value for value in schema["enum"] if value is not None]
        kinds = {type(value) for value in values}
        if kinds and len(values) < len(schema["enum"]):
            inner = self._value({**schema, "enum": values}, f"{name}_type_1", parent, where)
            return {"anyOf": [{"type": "null"}, inner]}
        if kinds in ({str}, {int}):
            return {"enum": values}
        # A word outside an enum is read all the same, so that its values' types say everything.
        names = sorted({_TYPES[each] for each in kinds}) or ["null"]
        forms = [{"type": each, "items": {}} if each == "array" else {"type": each} for each in names]
        return forms[0] if len(forms) == 1 else {"anyOf": forms}

    def _union(self, schema: dict[str, Any], name: str, parent: str, where: str) -> dict[str, Any]:
        kinds = schema["type"] if isinstance(schema.get("type"), list) else ()
        rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "description"}}
        forms = chain(schema.get("anyOf", ()), schema.get("oneOf", ()), ({**rest, "type": kind} for kind in kinds))
        return {"anyOf": [self._value(form, f"{name}_type_{i}", parent, where) for i, form in enumerate(forms)]}

    def _list(self, schema: dict[str, Any], name: str, parent: str, where: str) -> dict[str, Any]:
        items = [*schema.get("prefixItems", ()), *([schema["items"]] if "items" in schema else [])]
        inner = {"anyOf": items} if len(items) > 1 else items[0] if items else {}
        return {"type": "array", "items": self._value(inner, f"{name}_item", parent, where)}

    def _object(self, schema: dict[str, Any], called: str, where: str) -> dict[str, Any]:
        parts = [*self._conjuncts(schema, called, where, frozenset())]
        if not any(structure.KEYWORDS & part.keys() or part.get("type") == "object" for part, _, _ in parts):
            merged = {key: value for part, _, _ in parts for key, value in part.items()}
            return self._structure(merged, called, "", where)  # `allOf` of what is no object
        declared: dict[str, list[tuple[Any, str, str]]] = {}
        for part, owner, place in parts:
            for name, member in part.get("properties", {}).items():
                declared.setdefault(name, []).append((member, owner, place))
        required = dict.fromkeys(name for part, _, _ in parts for name in part.get("required", ()))
        for name, members in declared.items():
            sides = [side for member, _, _ in members if (side := structure.one_side(self._contract, member))]
            if sides:
                self.one_sided.setdefault(called, {})[name] = sides[0]
        return {
            "type": "object",
            "properties": {
                self._number(name): self._member(name, members, called, where) for name, members in declared.items()
            },
            "required": [self._number(name) for name in required],
            **self._additional(schema, called, where),
        }

    def _conjuncts(
        self, schema: dict[str, Any], owner: str, where: str, seen: frozenset[str]
    ) -> Iterator[tuple[dict[str, Any], str, str]]:
        """All that holds for an object at once, each with the class that it describes first, and its place.

        Of alternatives it is what any of them says, of which nothing is required.
        """
        for part in structure.parts(schema):
            name = doc.reference_name(part)
            if name and name not in seen:
                target = doc.target(self._contract, part["$ref"])
                if isinstance(target, dict):
                    place = doc.pointer("components", "schemas", name)
                    yield from self._conjuncts(target, self.classes[name], place, seen | {name})
            yield {key: value for key, value in part.items() if key not in _FORMS}, owner, where
            for form in (form for key in _FORMS for form in part.get(key, ()) if isinstance(form, dict)):
                for inner, inner_owner, place in self._conjuncts(form, owner, where, seen):
                    yield {**inner, "required": []}, inner_owner, place

    def _member(self, name: str, declared: list[tuple[Any, str, str]], called: str, where: str) -> dict[str, Any]:
        member, owner, place = declared[0]
        if any(other != member for other, _, _ in declared):
            merged = _merged([each for each, _, _ in declared])
            return self._value(merged, name, called, where + _step("properties", name))
        # Made once, however many objects have it by `allOf`; while it is being made it may meet itself.
        if id(member) not in self._members:
            self._members[id(member)] = {}
            self._members[id(member)] = self._value(member, name, owner, place + _step("properties", name))
        return self._members[id(member)]

    def _additional(self, schema: dict[str, Any], called: str, where: str) -> dict[str, Any]:
        allowed = schema.get("additionalProperties")
        if isinstance(allowed, bool) or not allowed or schema.get("patternProperties"):
            # Which of the unknown members a pattern allows is not for a reader to say.
            return {"additionalProperties": allowed is not False or bool(schema.get("patternProperties"))}
        return {"additionalProperties": self._value(allowed, "AdditionalProperty", called, where)}

    def _number(self, name: str) -> str:
        if name not in self._numbers:
            self._numbers[name] = f"p{len(self._numbers)}"
            self.wire[self._numbers[name]] = name
        return self._numbers[name]


def _merged(declared: list[Any]) -> Any:
    """What several schemas say of one member: all that they say of its parts, or the last one that is a component."""
    told = [each for each in declared if isinstance(each, dict)]
    components = [each for each in told if "$ref" in each]
    if components:
        return components[-1]
    merged = {key: value for each in told for key, value in each.items()}
    if "properties" in merged:
        merged["properties"] = {name: value for each in told for name, value in each.get("properties", {}).items()}
    if "required" in merged:
        merged["required"] = [name for each in told for name in each.get("required", ())]
    return merged


def _in_order(document: dict[str, Any], found: doc.Found) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """An operation's parameters: those of the path as they stand there, then all others, its own before the path's."""
    own = [doc.resolve(document, declared) for declared in found.operation.get("parameters", ())]
    merged = doc.parameters(document, found)
    names = [key for parameter in own if (key := (parameter["in"], parameter["name"])) in merged]
    rest = [key for key in merged if key not in names]
    in_path = PATH_PARAMETER.findall(found.path)

    def rank(key: tuple[str, str]) -> tuple[int, int]:
        return _PLACES.index(key[0]), in_path.index(key[1]) if key[0] == "path" else 0

    return [(key, merged[key]) for key in sorted(dict.fromkeys([*names, *rest]), key=rank)]


def _method(found: doc.Found) -> str:
    return naming.identifier(found.operation["operationId"])


def _step(*keys: str) -> str:
    return doc.pointer(*keys).removeprefix("#")
