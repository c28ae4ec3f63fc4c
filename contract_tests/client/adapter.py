"""
How a client is driven: the adapter protocol.

A judged client runs in a process of its own. An adapter is the small piece of code in that process which knows the
client: which call to make for an operation, how arguments are spelled, what it hands over, what it raises.
Everything else (starting the process, the wire, the cases, the verdicts) is the harness's.

``--adapter MODULE:ATTRIBUTE`` names a callable that is called once with the import name of the generated package and
returns the adapter. A whole adapter for a client with one method per operation is this short::

    class Shop:
        own_errors = (shop.ShopError,)

        def __init__(self, generated: str) -> None: ...

        def connect(self, connection: Connection) -> Any:
            return shop.Client(connection.key, connection.base_url, timeout=connection.timeout)

        def invoke(self, client: Any, call: Call) -> Any:
            return getattr(client, call.operation.id)(**call.path, **call.query, **call.body)

        def read(self, value: Any, call: Call) -> Received:
            return Received(json=value.to_json(), type_name=type(value).__name__)

        def explain(self, error: BaseException, call: Call) -> Explanation:
            return Explanation(status=error.status, content=error.raw_body)

An adapter may have more, and then more rules judge its client; what it does not have is not applicable:

``refusals``
    The exceptions by which the client documents to refuse arguments. Without it any exception is a refusal.
``modules``
    Names of the packages whose modules and type hints are looked at.
``address(call)``
    The base URL that the client uses for an operation if none is given; None if it knows none.
``default_timeout(client)``
    Seconds that a client waits which was built without a time-out; None if it waits for ever.
``close(client)``
    Close a client; an awaitable in the asynchronous form.
``held(value)``
    The object that the caller keeps of a returned value, if it is only a part of that.
``carried(error)``
    The object that one of the client's own errors carries for the reply's body; None if it carries none.
``masks_bodies``
    True if the client documents that a key which was sent back is masked in what its errors have for a body.
``derived(client, headers)``
    A view of a client that sends these headers as well.
``extended(client, query, body)``
    A view of a client that sends these query parameters, a text by its name, and these properties of the body as well.
``documents``
    Ids of inferred rules whose requirement the client's own documentation states, each with the place that does. Of
    this client they are documented, and a violation fails the run.
``tagged(client, call)``
    A view of a client that adds to each such start a text of its own by which it can be found.
``repeats``
    The kinds of faults after which the client documents to send a request again where nothing can happen twice, of
    ``throttled``, ``status``, ``broken`` and ``time-out``; the first at any time.
``python_values``
    Names of those of Python's own types, of ``datetime``, ``date`` and ``UUID``, of which the client documents that it
    takes them for texts.
``has_whole_timeout``
    True if the client can be given a limit of time for one try as a whole, however its response comes.
``has_size_limit``
    True if the client can be given a limit of bytes for the body of a response, whatever its coding.
``reads_proxies``
    True if the client documents that it goes by ``HTTP_PROXY`` and ``NO_PROXY``, in which a name stands for that host
    and all below it.
``serves``
    From what the client documents that one of it may be used at the same time: ``event loops``, ``processes`` that
    were forked.
``raw(client, call)``
    Make a call in the form that has the response beside the value, and give value, status, headers and body; an
    awaitable of them in the asynchronous form.
``hooks``
    Ways in which a caller's own function is called behind a response, by name: for each a function of a connection
    and of ``observer()`` that gives a client which calls it with each response that has come.
``unlogged(call)``
    Texts of a call of which the client documents that it never logs them, the key apart.
``listing(client, call)``
    Iterate over the items of all pages of a list, from the one that a call asks for; for ``async for`` in the
    asynchronous form.
``waiting(client, call, deadline)``
    Start a run by a call and wait for its outcome, at most so many seconds: the value by which the service has told
    that it ended, as :meth:`~Adapter.read` takes it; an awaitable in the asynchronous form.
``main_output(client, call, deadline)``
    The same as ``waiting`` for a start that asks for the entries of all nodes: not those, but what the client then
    tells as the main output of the run, the value of the first output node that has succeeded.
``following(client, call, deadline, follower)``
    The same as ``waiting`` for a caller who is told of each question and may end the wait: see :class:`Follower`.
``batching(client, calls, batch)``
    Make calls that start something as one batch that can be gone on with, see :class:`Batch`; give what became of
    items, a list of ``{"item": PLACE, "state": STATE}`` with ``ended``, ``failed``, ``refused``, ``in doubt`` or
    ``goes on``; an awaitable in the asynchronous form.
``receiving(delivery)``
    What receives a callback or webhook, named by its operationId: a :class:`Receiving`; raises NotSupported.
``unlisted``
    Bodies of deliveries that the contract does not describe, each of another event, by the name under which
    ``receiving`` knows what receives them.

Only the standard library, this module and those of ``driver/`` are loaded into the client's process.
"""

import base64
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol


class Absent(Enum):
    """What stands where nothing was given, since null is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """
    Where the credentials go, as the contract's security scheme says.

    Attributes:
        id: What the contract calls it.
        kind: ``apiKey`` or ``http``, which OAuth2 and OpenID are as well: their token is a bearer's.
        location: For an API key: ``header``, ``query`` or ``cookie``.
        name: For an API key: the name of the header, query parameter or cookie.
        scheme: For ``http``: the scheme, such as ``bearer``.
        others: What is needed beside it, each with the same key.
    """

    id: str = ""
    kind: str
    location: str = ""
    name: str = ""
    scheme: str = ""
    others: tuple["Scheme", ...] = ()


@dataclass(frozen=True, kw_only=True)
class OperationInfo:
    """
    What an adapter may want to know of an operation, in the words of the contract.

    Attributes:
        id: The operationId.
        method: In capitals.
        path: The template.
        tag: The first tag, empty if there is none.
        parameters: Declared parameters, by place (``path``, ``query``, ``header``, ``cookie``), in order.
        required: Those of them that have to be given, by place.
        media_type: Of the request body; None if the operation takes none.
        members: Names of the body's declared members in order; None if the body is no object.
        required_members: Those of them that have to be given.
        body_required: Whether there has to be a body.
        is_closed: Whether the body may have no other members, but those that match one of ``patterns``.
        patterns: Regular expressions of what further members of the body are called.
    """

    id: str
    method: str
    path: str
    tag: str = ""
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    media_type: str | None = None
    members: tuple[str, ...] | None = None
    required_members: tuple[str, ...] = ()
    body_required: bool = False
    is_closed: bool = False
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Connection:
    """
    What a client is built with.

    Attributes:
        base_url: Stands for the operation's server; no slash at its end.
        key: The credentials, empty for none; for HTTP basic the user, with an empty password. Never to be shown.
        scheme: Where the contract wants them; None for an operation without security.
        timeout: Seconds to wait for the wire; None for the client's own default.
        retries: How often a request may be sent again; None for the client's own default.
        whole_timeout: Seconds for one try as a whole; None for the client's own default. An adapter that heeds it says
            so by ``has_whole_timeout``.
        is_async: Whether the client's asynchronous form is meant.
        headers: More headers for every request, in the caller's own mapping; empty if none are to be given.
        most_bytes: Most bytes that the body of a response may have, decoded; None for the client's own default. An
            adapter that heeds it says so by ``has_size_limit``.
    """

    base_url: str
    key: str
    scheme: Scheme | None
    timeout: float | None
    retries: int | None
    is_async: bool
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    whole_timeout: float | None = None
    most_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """
    One call with its arguments by the names that they have on the wire; values are what ``json.loads`` gives.

    A body may be bytes, and so may members of a form.

    ``is_async`` says that the asynchronous form is meant, as for the client that it is made on.
    """

    operation: OperationInfo
    is_async: bool = False
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    cookie: Mapping[str, Any] = field(default_factory=dict)
    body: Any = ABSENT

    def given(self) -> Iterator[tuple[str, str, Any]]:
        """Return location, name and value of each parameter that has a value, in the order of the contract."""
        for location, names in self.operation.parameters.items():
            values: Mapping[str, Any] = getattr(self, location)
            yield from ((location, name, values[name]) for name in names if name in values)


@dataclass(frozen=True, kw_only=True)
class Received:
    """
    A value as the caller has it.

    Attributes:
        json: The value as JSON again. Whatever the client lost or changed is lost or changed here.
        type_name: Name of its class.
        status: The status, if the client hands it over beside the value.
        content: The value itself if it is bytes.
        types: Names of the classes of the objects in it, by their JSON pointers; empty if nothing is known of them.
    """

    json: Any
    type_name: str
    status: int | None = None
    content: bytes | None = None
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """
    What one of the client's own errors says.

    Attributes:
        status: The status that was received, None if it does not say.
        body: The parsed body, None if it has none.
        content: The raw body, None if the error does not keep it.
        facts: Its further documented attributes, JSON values.
        may_have_acted: Whether the error says that the service may have acted; None if it says nothing of that.
        sent_at: When the request was sent that may have acted, in seconds since 1970; None if it does not say.
    """

    status: int | None = None
    body: Received | None = None
    content: bytes | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    may_have_acted: bool | None = None
    sent_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """
    How a batch is to be run.

    Attributes:
        ledger: Path of the file that says how far it has come; it is there if the batch is gone on with.
        at_once: How many items may be under way at once.
        deadline: Seconds to wait for each item at most.
    """

    ledger: str
    at_once: int
    deadline: float


@dataclass(frozen=True, kw_only=True)
class Follower:
    """
    Who waits for a run and hears how it goes.

    Attributes:
        tell: Is to be called with a :class:`Heard` after each question that does not end the wait; what it raises ends
            the wait.
        stop: Ends the wait once it is set: a ``threading.Event``, or an ``asyncio.Event`` in the asynchronous form.
    """

    tell: Callable[["Heard"], None]
    stop: Any


@dataclass(frozen=True, kw_only=True)
class Heard:
    """
    What a client tells of a wait.

    Attributes:
        run: The run's id.
        asked: How many questions were asked so far, those without an answer included.
        is_lost: Whether the last one got no answer.
    """

    run: Any
    asked: int
    is_lost: bool


@dataclass(frozen=True, kw_only=True)
class Listening:
    """
    A listener of the client's on a socket of its own, which gives whoever waits for a run what was posted of it.

    Attributes:
        url: Where the sender posts to.
        outcome: Waits so many seconds at most for the run that the JSON of a delivery is about; gives what was posted.
        close: Ends it.
    """

    url: str
    outcome: Callable[[Any, float], Any]
    close: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Receiving:
    """
    What of a client receives the deliveries of a callback or a webhook.

    Attributes:
        parse: The client's parser: makes an event of a body and the request's headers, or raises.
        read: Gives an event as the JSON that was sent.
        app: Makes the client's ASGI application, which hands each event to a handler; None if it has none.
        path: Where the sender posts to.
        foreign_path: Where one posts to who does not know the address; empty if that proves nothing.
        sign: Gives the headers by which the sender proves itself for a body; None if the contract has no such thing.
        secrets: What nobody may be told: the key of the signature, the part of the address that is kept secret.
        listen: Opens a listener of the client's; None if it has none.
    """

    parse: Callable[[bytes, Mapping[str, str]], Any]
    read: Callable[[Any], Any]
    app: Callable[[Callable[[Any], None]], Any] | None = None
    path: str = "/"
    foreign_path: str = ""
    sign: Callable[[bytes], Mapping[str, str]] | None = None
    secrets: tuple[str, ...] = ()
    listen: Callable[[], Listening] | None = None


class CannotExpress(Exception):
    """The client's interface has no way to write this call; the text says why."""


class NotSupported(CannotExpress):
    """
    The client does not offer this and does not say that it does: an operation, its asynchronous form, an argument.

    The text says so, and where the client's documentation shows it. Such a call is not judged.
    """


class NotJSON(Exception):
    """The value is not JSON and cannot be made JSON again; the text names its class."""


class Adapter(Protocol):
    """See the module's docstring."""

    @property
    def own_errors(self) -> tuple[type[BaseException], ...]:
        """The exceptions that the client documents as its own: the root of their tree is enough."""

    def connect(self, connection: Connection) -> Any:
        """Build a client."""

    def invoke(self, client: Any, call: Call) -> Any:
        """
        Make the call and give what the client gives; an awaitable in the asynchronous form.

        Raises CannotExpress if no call can be written for these arguments, for example since a required one is not
        given; NotSupported if the client does not claim to offer such calls; from :meth:`connect` for a whole form.
        """

    def read(self, value: Any, call: Call) -> Received:
        """Turn a returned value into JSON again; raises NotJSON."""

    def explain(self, error: BaseException, call: Call) -> Explanation:
        """Read one of ``own_errors``."""


def user_alone(key: str) -> str:
    """Return a key as HTTP basic writes it: as a user with an empty password, in base 64."""
    return base64.b64encode(f"{key}:".encode()).decode()


def transform(value: Any, make: Callable[[Any], Any], *, is_async: bool) -> Any:
    """Return what a function makes of a value; of an awaitable in the asynchronous form, an awaitable of that."""

    async def awaited() -> Any:
        return make(await value)

    return awaited() if is_async else make(value)


def check_signature(method: Callable[..., Any], *positional: Any, **named: Any) -> None:
    """
    Demand that a signature takes these arguments: what it does not take is refused by Python, not by the client.

    Raises CannotExpress if it does not.
    """
    try:
        inspect.signature(method).bind(*positional, **named)
    except TypeError as error:
        raise CannotExpress(str(error)) from None


def to_json(value: Any) -> Any:
    """
    Turn a client's value into JSON: models through their ``to_dict``, containers member by member.

    Raises NotJSON if something in it is neither JSON nor a model, or is a model that cannot be turned.
    """
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {name: to_json(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if callable(turn := getattr(value, "to_dict", None)):
        try:
            turned = turn()
        except Exception as error:  # noqa: BLE001 - whatever a client's model raises
            raise NotJSON(f"{type(value).__name__}, whose to_dict raises {type(error).__name__}") from None
        return to_json(turned)
    raise NotJSON(type(value).__name__)


# The names of before 0.2, for adapters that were written with them; they go with the next release.
Foreign, NotClaimed, OperationFacts, Unsayable = NotJSON, NotSupported, OperationInfo, CannotExpress
