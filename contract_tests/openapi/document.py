"""
The contract: an OpenAPI 3.1 document, its operations, and strict JSON Schema 2020-12 verdicts on data.

``Contract.load(path)`` reads YAML or JSON. Everything keeps its JSON pointer in the document, so that a problem can
always say where the contract states what was broken::

    contract = Contract.load(Path("openapi.yaml"))
    operation = contract.operation("runWorkflow")
    media = operation.response(201).media["application/json"]
    contract.problems({"success": "yes"}, media.schema)
    # [Problem(at="/success", constraint="#/components/schemas/Success/type", message="..."), ...]

A schema is named by its JSON pointer (``media.schema``, ``parameter.schema``), never passed as a loose dictionary,
since references and constraints are relative to the document. ``contract.at(pointer)`` gives its text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from contract_tests.openapi.validation import Problem, Validators
from contract_tests.rules import SetUpError
from workflow_contract import Remark, UnreadableError, is_argument, read_contract

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

RETRY: Final = {"safe": True, "not_sent_only": False}
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
LOCATIONS: Final = ("path", "query", "header", "cookie")  # of parameters


def join(pointer: str, *tokens: str | int) -> str:
    """Extend a JSON pointer."""
    return pointer + "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def split(pointer: str) -> list[str]:
    """Return the tokens of a JSON pointer, with or without a leading ``#``."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.removeprefix("#").split("/")[1:]]


@dataclass(frozen=True)
class Example:
    """An example value and where it stands."""

    pointer: str
    value: Any


@dataclass(frozen=True)
class Media:
    """A body in one media type; ``schema`` is a pointer, None if the contract states none."""

    media_type: str
    pointer: str
    schema: str | None
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Body:
    """The request body of an operation, by media type."""

    pointer: str
    required: bool
    media: Mapping[str, Media]


@dataclass(frozen=True)
class Parameter:
    """
    A parameter; ``location`` is path, query, header or cookie, ``schema`` a pointer.

    ``media_type`` is that of its ``content``; empty for a parameter that is described by its style.
    """

    name: str
    location: str
    required: bool
    pointer: str
    schema: str | None
    style: str
    explode: bool
    examples: tuple[Example, ...]
    media_type: str = ""


@dataclass(frozen=True)
class Response:
    """A documented response; ``status`` as the contract writes it, such as ``201``, ``4XX`` or ``default``."""

    status: str
    pointer: str
    media: Mapping[str, Media]
    links: Mapping[str, Mapping[str, Any]]
    headers: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Operation:
    """
    One operation.

    Attributes:
        id: operationId, or method and path where there is none.
        method: In capitals.
        service: The first tag, empty if there is none.
        servers: URLs, the nearest ones that are declared: operation, path or document.
        security: Alternatives, each a set of scheme names that are needed together; empty if none is needed.
        callbacks: By name and runtime expression, the operations that the server calls.
        query_schema: Pointer of ``x-query-schema``, of all query parameters together; None if there is none.
        may_be_repeated: Whether a request that may have acted can be sent again, by ``x-retry`` or the method.
        has_same_form: Whether the n-th alternative of a request is answered by the n-th of a success, ``x-same-form``.
    """

    id: str
    method: str
    path: str
    service: str
    pointer: str
    servers: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Response]
    security: tuple[tuple[str, ...], ...]
    callbacks: Mapping[str, Mapping[str, tuple[Self, ...]]] = field(default_factory=dict)
    query_schema: str | None = None
    may_be_repeated: bool = False
    has_same_form: bool = False

    def response(self, status: int) -> Response | None:
        """Return what the contract says of a status: itself, then its class (``4XX``), then ``default``."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.responses[key] for key in keys if key in self.responses), None)

    @property
    def is_read_only(self) -> bool:
        """Whether the method promises to change nothing."""
        return self.method in {"GET", "HEAD", "OPTIONS", "TRACE"}


class Contract:
    """An OpenAPI document in the words of 3.1; see the module's docstring."""

    def __init__(self, document: Mapping[str, Any], source: str = "") -> None:
        self.document = document
        self.source = source  # the file that it was read from
        self.version = str(document.get("openapi", ""))  # the version of OpenAPI that it was written in
        self.notes: tuple[str, ...] = ()  # what was changed in reading it, one line each
        self.remarks: tuple[Remark, ...] = ()  # where it was read otherwise than it is written
        self._places: dict[str, Any] = {}
        self._validators = Validators(document, self._at)

    @classmethod
    def load(cls, path: Path) -> Self:
        """
        Read a contract from a YAML or JSON file; OpenAPI 3.0 is brought up to 3.1.

        Raises SetUpError if the file cannot be read within the limits or is no OpenAPI document.
        """
        try:
            read = read_contract(path)
        except UnreadableError as error:
            raise SetUpError(f"the contract {error}") from error
        contract = cls(read.document, str(path))
        contract.version, contract.notes, contract.remarks = read.version, read.notes, read.remarks
        try:
            contract.operations  # noqa: B018 - reading them is what checks them
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            what = " ".join(str(error).split())
            raise SetUpError(f"the contract {path} is no OpenAPI document: {type(error).__name__} {what}") from error
        return contract

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations in the order of the document."""
        paths = self.document.get("paths", {})
        return tuple(
            operation
            for path in paths
            for operation in self._path_item(path, "#/paths", path, self.document.get("servers"))
        )

    @cached_property
    def webhooks(self) -> tuple[Operation, ...]:
        """What services call by themselves, in the order of the document; the path of each is its name."""
        names = self.document.get("webhooks", {})
        return tuple(made for name in names for made in self._path_item(name, "#/webhooks", name, None))

    @property
    def services(self) -> tuple[str, ...]:
        """The first tags of all operations, each once, in order."""
        return tuple(dict.fromkeys(operation.service for operation in self.operations))

    def operation(self, name: str) -> Operation:
        """Return the operation with this operationId; KeyError if there is none."""
        for operation in self.operations:
            if operation.id == name:
                return operation
        raise KeyError(name)

    def at(self, pointer: str) -> Any:
        """Return what stands at a JSON pointer, without following a reference at its end."""
        if pointer not in self._places:
            value: Any = self.document
            for token in split(pointer):
                value = value[int(token)] if isinstance(value, list) else value[token]
            self._places[pointer] = value
        return self._places[pointer]

    def follow(self, pointer: str) -> str:
        """
        Follow references from a pointer to the place that is meant.

        Raises SetUpError if a reference leaves the document, leads nowhere or in a circle.
        """
        seen = {pointer}
        while isinstance(value := self._at(pointer), dict) and isinstance(value.get("$ref"), str):
            pointer = value["$ref"]
            if not pointer.startswith("#"):
                raise SetUpError(f"{self.source}: reference {pointer!r} is not to a place in this document")
            if pointer in seen:
                raise SetUpError(f"{self.source}: reference {pointer!r} leads back to itself")
            seen.add(pointer)
        return pointer

    def problems(self, instance: Any, schema: str, *, formats: bool = True) -> list[Problem]:
        """
        Judge a JSON value strictly by the schema at a pointer; of very many problems it gives the first ones.

        Args:
            instance: What ``json.loads`` gives.
            schema: JSON pointer of the schema in the document.
            formats: Whether ``format`` is a requirement (``uri``, ``date-time``, ``int64``, ...) or only a remark.
        """
        return self._validators.problems(instance, schema, formats=formats)

    def is_valid(self, instance: Any, schema: str, *, formats: bool = True) -> bool:
        """Whether :meth:`problems` would find nothing, but faster."""
        return self._validators.is_valid(instance, schema, formats=formats)

    def forget_validators(self) -> None:
        """Let go of the schemas that were compiled: of a large contract they are half of the memory."""
        self._validators.forget()

    def can_judge(self, schema: str) -> bool:
        """Whether the schema at a pointer, and all that it refers to, are schemas."""
        try:
            self._validators.compiled(schema, formats=True)
        except SetUpError:
            return False
        return True

    def _at(self, pointer: str) -> Any:
        try:
            return self.at(pointer)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise SetUpError(f"{self.source}: nothing stands at {pointer}") from error

    def _child(self, pointer: str, *tokens: str | int) -> tuple[str, Any]:
        for token in tokens:
            pointer = self.follow(join(pointer, token))
        return pointer, self._at(pointer)

    def _path_item(self, key: str, parent: str, path: str, servers: Any) -> Iterator[Operation]:
        pointer, item = self._child(parent, key)
        servers = item.get("servers", servers)
        for method in METHODS:
            if method in item:
                yield self._operation(pointer, method, path, servers)

    def _operation(self, parent: str, method: str, path: str, servers: Any) -> Operation:
        pointer, item = self._child(parent, method)
        tags = item.get("tags") or [""]
        return Operation(
            id=item.get("operationId") or f"{method.upper()} {path}",
            method=method.upper(),
            path=path,
            service=tags[0],
            pointer=pointer,
            servers=tuple(map(_url, item.get("servers", servers) or [])),
            parameters=tuple(self._parameters(parent, pointer)),
            body=self._body(pointer) if "requestBody" in item else None,
            responses={status: self._response(pointer, status) for status in item.get("responses", {})},
            security=_security(item.get("security", self.document.get("security"))),
            callbacks={name: self._callback(pointer, name) for name in item.get("callbacks", {})},
            query_schema=join(pointer, "x-query-schema") if "x-query-schema" in item else None,
            may_be_repeated=RETRY.get(item.get("x-retry"), method.upper() in IDEMPOTENT),
            has_same_form=item.get("x-same-form") is True,
        )

    def _callback(self, parent: str, name: str) -> dict[str, tuple[Operation, ...]]:
        pointer, item = self._child(parent, "callbacks", name)
        return {expression: tuple(self._path_item(expression, pointer, expression, None)) for expression in item}

    def _parameters(self, path_item: str, operation: str) -> Iterator[Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        for parent in (path_item, operation):  # the operation's own replace those of the path, by place and name
            for index in range(len(self._at(parent).get("parameters", []))):
                place, item = self._child(parent, "parameters", index)
                if is_argument(self.document, self._at(operation), item):
                    found[item["in"], item["name"]] = self._parameter(place, item)
        yield from found.values()

    def _parameter(self, pointer: str, item: Mapping[str, Any]) -> Parameter:
        style = item.get("style") or {"query": "form", "cookie": "form"}.get(item["in"], "simple")
        content = next(iter(self._media(pointer).values()), None)
        schema = join(pointer, "schema") if "schema" in item else None
        return Parameter(
            name=item["name"],
            location=item["in"],
            required=bool(item.get("required", False)),
            pointer=pointer,
            schema=content.schema if content else schema,
            style=style,
            explode=item.get("explode", style == "form"),
            examples=tuple(self._examples(pointer, item)) + (content.examples if content else ()),
            media_type=content.media_type if content else "",
        )

    def _body(self, parent: str) -> Body:
        pointer, item = self._child(parent, "requestBody")
        return Body(pointer=pointer, required=bool(item.get("required", False)), media=self._media(pointer))

    def _response(self, parent: str, status: str) -> Response:
        pointer, item = self._child(parent, "responses", status)
        links = {name: self._child(pointer, "links", name)[1] for name in item.get("links", {})}
        headers = {name: self._child(pointer, "headers", name)[1] for name in item.get("headers", {})}
        return Response(status=status, pointer=pointer, media=self._media(pointer), links=links, headers=headers)

    def _media(self, parent: str) -> dict[str, Media]:
        found = {}
        for media_type in self._at(parent).get("content", {}):
            pointer, item = self._child(parent, "content", media_type)
            schema = join(pointer, "schema") if "schema" in item else None
            found[media_type] = Media(media_type, pointer, schema, tuple(self._examples(pointer, item)))
        return found

    def _examples(self, parent: str, item: Mapping[str, Any]) -> Iterator[Example]:
        if "example" in item:
            yield Example(join(parent, "example"), item["example"])
        for name in item.get("examples", {}):
            pointer, example = self._child(parent, "examples", name)
            if "value" in example:
                yield Example(join(pointer, "value"), example["value"])


def _url(server: Mapping[str, Any]) -> str:
    """Return the URL of a server, its variables replaced by their defaults."""
    variables = server.get("variables", {})
    return re.sub(r"{([^{}]+)}", lambda found: str(variables.get(found[1], {}).get("default", found[1])), server["url"])


def _security(stated: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(alternative) for alternative in stated or ())
