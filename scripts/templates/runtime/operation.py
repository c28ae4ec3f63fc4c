"""One operation of the contract: from typed arguments to what goes over the wire. Pure; nothing is sent here."""

from __future__ import annotations

import functools
import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from .bodies import parts_of, written
from .credentials import Credential, Security, chosen, keyed, wanted
from .errors import BadArgument
from .parameters import Parameter
from .schema import Extended, check, form_of, whole
from .secret import NOTHING, Secret
from .types import UNSET, Problem, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .reply import Reply

__all__ = ["Body", "Call", "Credential", "Operation", "Outgoing"]

T_co = TypeVar("T_co", covariant=True)

_PATH_PARAMETER = re.compile(r"\{([^{}]*)\}")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_PLACES_SHOWN = 12
_OBJECTS = frozenset({"json", "form", "multipart"})  # kinds of bodies that can have members


class Body(NamedTuple):
    """What the contract says of the request's body.

    `arguments` holds the argument's name for those members whose own name another argument has taken. `kind` is `json`,
    `form`, `multipart`, `text` or `bytes`, and `encoding` what the contract says of how a form's members are written.
    """

    media_type: str
    required: bool
    schema: dict[str, Any] | bool
    arguments: Mapping[str, str]
    kind: str = "json"
    encoding: Mapping[str, Any] = MappingProxyType({})


class Call:
    """Checked arguments of one call, as JSON values. Its repr tells the path alone: the others may be secrets.

    Attributes:
        body: As the arguments say; `extra` are the members that are added to it when it is sent.
    """

    __slots__ = ("body", "cookies", "extra", "headers", "path", "query")

    extra: Secret[dict[str, Any]] | None

    def __init__(self, path: str, query: list[str], headers: dict[str, str], cookies: list[str], body: Any) -> None:
        self.path = path
        self.query = query
        self.headers = headers
        self.cookies = cookies
        self.body = body
        self.extra = None

    def with_body(self, body: Any) -> Call:
        """The same call with another body."""
        call = Call(self.path, self.query, self.headers, self.cookies, body)
        call.extra = self.extra
        return call

    def with_whole_body(self, body: Any) -> Call:
        """The same call with another body, which has those members already that a view adds."""
        return Call(self.path, self.query, self.headers, self.cookies, body)

    @property
    def whole_body(self) -> Any:
        """The body as it is sent."""
        if self.extra is None:
            return self.body
        return {**({} if self.body is UNSET else self.body), **self.extra.reveal()}

    def __repr__(self) -> str:
        return f"Call({self.path!r})"


class Outgoing:
    """What is sent, but for what an httpx client adds. Its repr tells nothing of it, and no walk through it finds it.

    Attributes:
        place: Path and query as the arguments say, without what was added to them.
        own_headers: Those that the contract and the arguments ask for; they go before the client's.
        client_headers: Those of the client, the key included.
    """

    __slots__ = (
        "accept",
        "client_headers",
        "content",
        "method",
        "own_headers",
        "place",
        "repeatable",
        "security",
        "url",
    )

    def __init__(
        self,
        operation: Operation[Any],
        *,
        place: str,
        url: str,
        content: bytes | None,
        own_headers: dict[str, str],
        client_headers: Secret[dict[str, str]],
    ) -> None:
        self.method = operation.method
        self.repeatable = operation.repeatable
        self.accept = operation.accept
        self.security = operation.security
        self.place = place
        self.url = url
        self.content = content
        self.own_headers = own_headers
        self.client_headers = client_headers

    @property
    def key_names(self) -> set[str]:
        """Names of the headers and query parameters that hold keys, in small letters."""
        return {each.name.lower() for alternative in self.security for each in alternative}

    @property
    def headers(self) -> dict[str, str]:
        """All headers, the key included; of two with one name the argument of this call goes before the client's."""
        sent = {"accept": self.accept, **self.client_headers.reveal(), **self.own_headers}
        if "cookie" in self.own_headers and "cookie" in self.client_headers.reveal():
            sent["cookie"] = f"{self.client_headers.reveal()['cookie']}; {self.own_headers['cookie']}"
        return sent

    def __repr__(self) -> str:
        return f"Outgoing({self.method!r})"


class Operation(NamedTuple, Generic[T_co]):
    """One operation, with its name in the contract and in Python.

    Attributes:
        accept: The media types of all documented replies, as the `Accept` header has them.
        repeatable: Whether sending it twice does no more than sending it once.
        query_schema: What holds for the query's parameters together.
        security: The keys that it needs, in one of several ways; empty if it needs none.
        read: Makes a reply the operation's result.
        server: Its address, if that differs from the one that its class has.
        answers: What the reply to each form of the request becomes, where the one decides the other.
    """

    name: str
    operation_id: str
    method: str
    path: str
    accept: str
    repeatable: bool
    security: Security
    parameters: tuple[Parameter, ...]
    query_schema: dict[str, Any] | bool
    body: Body | None
    read: Callable[[Reply], T_co]
    server: str = ""
    answers: tuple[type, ...] = ()

    def result(self, reply: Reply, call: Call) -> T_co:
        """What a reply becomes.

        Raises:
            StatusError: the status is no success.
            ContractBroken: the body is not what the contract says, or has the form of the answer to another request.
        """
        result = self.read(reply)
        form = form_of(call.whole_body, self.body.schema) if self.answers and self.body else None
        if form is not None and not isinstance(result, self.answers[form]):
            expected = f"{self.answers[form].__name__}, which answers a request of this form"
            raise reply.broken(Problem(expected, received=type(result).__name__))
        return result

    def keyed(
        self, key: Secret[Any], headers: Secret[dict[str, str]]
    ) -> tuple[Secret[dict[str, str]], Secret[dict[str, str]]]:
        """A client's headers with those keys that go there, and the keys that go into the query.

        Raises:
            BadArgument: a key is missing.
        """
        found = chosen(self.security, key, headers)
        if found is None:
            got = "none" if key.reveal() is None else "something else"
            raise BadArgument(f"expected {wanted(self.security)}, got {got}", field="api_key", operation=self.name)
        return keyed(found, key, headers)

    def call(
        self,
        *,
        members: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        extra: Secret[dict[str, Any]] | None = None,
        **given: Mapping[str, Any],
    ) -> Call:
        """Check the arguments, given by place and by their name on the wire; the body whole or member by member.

        The body is checked as it will be sent, with the `extra` members of a view.

        Raises:
            BadArgument: one is missing or is not what the contract says.
        """
        texts = {"path": {}, "query": [], "header": {}, "cookie": []}  # type: dict[str, Any]
        for parameter in self.parameters:
            value = given[parameter.place].get(parameter.name, UNSET)
            try:
                self._place(parameter, value, texts)
            except Problem as problem:
                raise self._refusal(problem, parameter.argument) from None
        if self.query_schema is not True:
            self._check_query(given["query"])
        if members is not None:
            body = self._object(members)
        path = self._filled(texts["path"])
        return self._with_body(
            Call(path, texts["query"], texts["header"], texts["cookie"], UNSET), body, members, extra
        )

    def _check_query(self, values: Mapping[str, Any]) -> None:
        try:
            check({name: value for name, value in values.items() if value is not UNSET}, self.query_schema)
        except Problem as problem:
            name = str(problem.place[0]) if problem.place else "query"
            raise BadArgument(
                f"expected {problem.expected}, got {problem.received}", field=name, operation=self.name
            ) from None

    def _place(self, parameter: Parameter, value: Any, texts: dict[str, Any]) -> None:
        if value is UNSET:
            if parameter.required:
                raise Problem("a value")
            return
        value = parameter.text(value)
        match parameter.place:
            case "path":
                texts["path"][parameter.name] = parameter.segment(value)
            case "query":
                texts["query"] += parameter.query(value)
            case "header":
                texts["header"][parameter.name] = parameter.header(value)
            case _:
                texts["cookie"].append(parameter.cookie(value))

    def _filled(self, texts: dict[str, str]) -> str:
        parts = _parts(self.path)
        return "".join([self._segment(part, texts) if part.__class__ is tuple else part for part in parts])

    def _segment(self, parts: tuple[str, ...], texts: dict[str, str]) -> str:
        filled = "".join([texts[part] if i % 2 else part for i, part in enumerate(parts)])
        if filled in {"", ".", ".."}:
            # On its way such a segment is taken for a step in the path: the request would reach another address.
            name = next(parameter.argument for parameter in self.parameters if parameter.name in parts[1::2])
            raise BadArgument("expected a text other than '', '.' and '..'", field=name, operation=self.name)
        return filled

    def _object(self, members: Mapping[str, Any]) -> Any:
        given = {name: value for name, value in members.items() if value is not UNSET}
        return given if given or (self.body and self.body.required) else UNSET

    def _with_body(
        self, call: Call, body: Any, members: Mapping[str, Any] | None, extra: Secret[dict[str, Any]] | None
    ) -> Call:
        if self.body is None:
            return call
        try:
            call = call.with_body(body if body is UNSET else self._json_of(body))
            call.extra = self._added(call.body, extra)
            _check_body(call, self.body)
        except Problem as problem:
            raise self._refusal(problem, "body" if members is None else "", members) from None
        return call.with_body(whole(call.body, self.body.schema))

    def _json_of(self, body: Any) -> Any:
        kind = self.body.kind if self.body else ""
        return _bytes(body) if kind == "bytes" else to_json(parts_of(body) if kind == "multipart" else body)

    def _added(self, body: Any, extra: Secret[dict[str, Any]] | None) -> Secret[dict[str, Any]] | None:
        try:
            if extra is None:
                return None
            is_absent = body is UNSET and self.body is not None and self.body.kind in _OBJECTS
            if not (is_absent or isinstance(body, dict)):
                raise Problem("an object as body, to add members to", body)
            return Secret(self._json_of(extra.reveal()))
        except Problem as problem:
            raise self._refusal(problem, "extra_body") from None

    def _refusal(self, problem: Problem, argument: str, members: Mapping[str, Any] | None = None) -> BadArgument:
        """The error for a problem inside an argument, or without one inside the body, of which these are arguments."""
        problem.__context__ = None  # it may hold the value
        place = list(problem.place)
        if not argument:
            member = str(place.pop(0)) if place else "body"
            named = {member, *member.split(" and ")} if problem.place else set()
            is_extra = members is not None and bool(named) and not named & members.keys()
            own = self.body.arguments.get(member, member) if self.body else member
            argument = f"extra_body.{member}" if is_extra else own
        # A value that holds itself has no end.
        shown = place if len(place) <= _PLACES_SHOWN else [*place[:_PLACES_SHOWN], "..."]
        trail = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in shown)
        words = f"expected {problem.expected}, got {problem.received}"
        return BadArgument(words, field=argument + trail, operation=self.name)

    def outgoing(
        self,
        call: Call,
        base_url: str,
        headers: Secret[dict[str, str]] = NOTHING,
        extra_query: Secret[dict[str, Any]] = NOTHING,
    ) -> Outgoing:
        """What to send for a checked call.

        Raises:
            BadArgument: a text or an extra parameter can't be sent.
        """
        sent = self._sent(call.whole_body)
        fault = _first_fault(extra_query)
        if fault is not None:
            raise self._refusal(*fault)
        own = {name.lower(): value for name, value in call.headers.items()}
        content = None
        if sent is not None:
            content, own["content-type"] = sent
        if call.cookies:
            own["cookie"] = "; ".join(call.cookies)
        place = _address(call.path, "&".join(call.query))
        query = "&".join(call.query + _pairs(extra_query))
        url = base_url + _address(call.path, query)
        return Outgoing(self, place=place, url=url, content=content, own_headers=own, client_headers=headers)

    def _sent(self, body: Any) -> tuple[bytes, str] | None:
        """The body's bytes and its content type."""
        if self.body is None or body is UNSET:
            return None
        if self.body.kind == "json":
            return self._json(body), self.body.media_type
        try:
            return written(self.body.media_type, self.body.kind, body, self.body.encoding)
        except Problem as problem:
            raise self._refusal(problem, "") from None

    def _json(self, body: Any) -> bytes:
        text = _ENCODER.encode(body)
        try:
            return text.encode()
        except UnicodeEncodeError:
            unwritable = Problem("a text that UTF-8 can write", received="one with half a character")
        # Raised out here, since the error in there holds the whole body.
        unwritable.place = _unwritable(body) or []
        raise self._refusal(unwritable, "")


def _check_body(call: Call, described: Body) -> None:
    if call.body is UNSET and call.extra is None:
        if described.required:
            raise Problem("a value")
        return
    if described.kind == "bytes":
        return
    try:
        check(call.whole_body, described.schema)
    except Problem:
        if call.extra is None:
            raise
        # What a view adds may be newer than the contract: what that says of members by their names, and that it allows
        # no others, is no reason to hold it back.
        check(Extended(call.whole_body, call.extra.reveal()), described.schema)


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if not isinstance(body, bytes | bytearray | memoryview):
        raise Problem("bytes", body)
    return bytes(body)


def _address(path: str, query: str) -> str:
    # A path of the contract may have a query of its own, as in /messages?beta=true.
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _first_fault(extra: Secret[dict[str, Any]]) -> tuple[Problem, str] | None:
    # Looked for apart from writing: whoever raises it has none of the values in its frame.
    for name, value in extra.reveal().items():
        try:
            _written(name, value)
        except Problem as problem:
            return problem.with_traceback(None), f"extra_query.{name}"
    return None


def _pairs(extra: Secret[dict[str, Any]]) -> list[str]:
    return [pair for name, value in extra.reveal().items() for pair in _written(name, value)]


def _written(name: str, value: Any) -> list[str]:
    parameter = Parameter(name, name, "query", "form", explode=True, required=False, schema=True)
    return parameter.query(parameter.text(value))


@functools.cache
def _parts(path: str) -> list[Any]:
    """A path as texts, and tuples for the segments to fill: a text, a parameter's name, a text, and so on."""
    parts: list[Any] = []
    for segment in path.split("/")[1:]:
        found = tuple(_PATH_PARAMETER.split(segment))
        parts += ["/", found if len(found) > 1 else segment]
    return parts


def _unwritable(value: Any) -> list[str | int] | None:
    """The place of the first text that can't be written as UTF-8, if there is one."""
    if isinstance(value, str):
        return None if value.encode("utf-8", "ignore").decode() == value else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        inner = _unwritable(item)
        if inner is not None:
            return [key, *inner]
        if isinstance(key, str) and _unwritable(key) is not None:
            return [ascii(key)]
    return None
