"""Everything that a call can end in, besides its result.

WorkflowRunsError
|-- BadArgument         our side: refused before anything was sent
|-- NotSent             the network: the request never reached the service
|-- MaybeSent           the network: it may have, and no reply tells
|-- StatusError         the service: it answered with an error or an undocumented status
|   |-- BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Conflict 409, Unprocessable 422
|   |-- TooManyRequests 429
|   `-- ServerError 5xx
`-- ContractBroken      the service: its reply is not what the contract says
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime

    import httpx

__all__ = [
    "BadArgument",
    "BadRequest",
    "Conflict",
    "ContractBroken",
    "Forbidden",
    "MaybeSent",
    "NotFound",
    "NotSent",
    "ServerError",
    "StatusError",
    "TooManyRequests",
    "Unauthorized",
    "Unprocessable",
    "WorkflowRunsError",
]


class WorkflowRunsError(Exception):
    """The root of all errors of this client.

    Attributes:
        operation: Python name of the operation, or None if there was none yet.
        response: The raw reply, or None. Its request has lost its secret headers.
        request_id: The service's own name for this request, from its `X-Request-Id` header, or None.
        retry_after: Seconds the service asks to wait, or None if it does not.
        may_have_run: Whether there may be a run although the call ended in an error: one that it may have started, or
            the one that it waited for.
        how_to_find: Where to look for that run, and by what; None if none can have been started.
        sent_at: When the request went out that may have started it, in UTC; else None.
    """

    how_to_find: str | None = None
    sent_at: datetime.datetime | None = None

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        response: httpx.Response | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        may_have_run: bool = False,
    ) -> None:
        self.message = message
        self.operation = operation
        self.response = response
        self.request_id = request_id
        self.retry_after = retry_after
        self.may_have_run = may_have_run
        super().__init__(message)

    @property
    def status(self) -> int | None:
        """HTTP status of the reply, or None without one."""
        return None if self.response is None else self.response.status_code

    def __str__(self) -> str:
        status = f"status {self.status}" if self.status else None
        request_id = f"request {_printable(self.request_id)}" if self.request_id else None
        where = ", ".join(part for part in (self.operation, status, request_id) if part)
        return f"{where}: {self.message}" if where else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # The default recipe calls the class with the message alone, and would lose what the error is about.
        return (_rebuild, (type(self), self.args, {**self.__dict__, "response": _without_jar(self.response)}))


def _printable(text: str) -> str:
    # A terminal would act upon some of the characters that a header may have.
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _without_jar(response: httpx.Response | None) -> httpx.Response | None:
    # Once somebody has read `cookies`, the response keeps a jar, whose lock can be neither copied nor pickled.
    if response is None or "_cookies" not in vars(response):
        return response
    again = copy.copy(response)
    del vars(again)["_cookies"]
    return again


def _rebuild(kind: type[WorkflowRunsError], args: tuple[Any, ...], state: dict[str, Any]) -> WorkflowRunsError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class BadArgument(WorkflowRunsError, ValueError):
    """Something given to the client is not what the contract says. Nothing was sent.

    Attributes:
        field: Name of the argument or member, as in `input_variables.user`.
    """

    def __init__(self, message: str, *, field: str, operation: str | None = None) -> None:
        self.field = field
        super().__init__(f"{field}: {message}", operation=operation)


class NotSent(WorkflowRunsError):
    """No connection came about: nothing has reached the service, and the call may be repeated."""


class MaybeSent(WorkflowRunsError):
    """The connection broke or timed out after sending had begun; whether the service acted is not known.

    See `may_have_run` before repeating the call: for an operation that starts something it is true.
    """


class StatusError(WorkflowRunsError):
    """The service answered with a status that is no success of this operation.

    Attributes:
        body: The response's body: a model where the contract describes it, else plain JSON, else text. Secrets of the
            request that the service has sent back are masked in it.
    """

    def __init__(
        self,
        message: str,
        *,
        body: Any = None,
        **about: Any,
    ) -> None:
        self.body = body
        super().__init__(message, **about)

    @classmethod
    def of(cls, status: int) -> type[StatusError]:
        """The class for a status."""
        return _BY_STATUS.get(status, ServerError if status >= _SERVER_ERROR else StatusError)


class BadRequest(StatusError):
    """400: the request makes no sense to the service."""


class Unauthorized(StatusError):
    """401: the key is missing or not valid."""


class Forbidden(StatusError):
    """403: the key is valid but may not do this."""


class NotFound(StatusError):
    """404: it does not exist, or the key may not see it."""


class Conflict(StatusError):
    """409: the state of things does not allow it."""


class Unprocessable(StatusError):
    """422: the service refuses a parameter or the body."""


class TooManyRequests(StatusError):
    """429: too many requests; `retry_after` says how long to wait, if the service does."""


class ServerError(StatusError):
    """5xx: the service or something before it failed."""


class ContractBroken(WorkflowRunsError):
    """The service's reply is not what the contract says.

    Attributes:
        path: JSON path of the first thing that is wrong, `$` for the body as a whole.
        expected: What the contract says stands there.
        received: What stands there, without its text.
    """

    def __init__(
        self,
        message: str = "",
        *,
        path: str = "$",
        expected: str = "",
        received: str = "",
        **about: Any,
    ) -> None:
        self.path, self.expected, self.received = path, expected, received
        message = message or f"the reply breaks the contract: expected {expected}, got {received} @ {path}"
        super().__init__(message, **about)


_SERVER_ERROR = 500
_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Unprocessable,
    429: TooManyRequests,
}
