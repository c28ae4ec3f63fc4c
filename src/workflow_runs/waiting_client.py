"""What a client needs to wait for a run, and the one way in which all of them do."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from workflow_runs_api.client import AsyncClient
from workflow_runs_api.errors import WorkflowRunsError
from workflow_runs_api.secret import Secret

from .both_forms import result_of
from .outcome import RunFailed, WaitCancelled, WaitTimeout
from .settings import Configured, Http

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import Self

    import httpx

    from workflow_runs_api.operation import Call, Operation, Outgoing

    from .waiting import Question, Waiting

__all__ = ["WaitingClient", "started_and_waited", "waited"]

Run = TypeVar("Run")
Outcome = TypeVar("Outcome")


class WaitingClient(Configured[Http]):
    """A client that can wait, whether or not it is awaited."""

    _now = staticmethod(time.monotonic)

    def _asking(self, waiting: Waiting[Any]) -> Self:
        """Return a view that asks once and in time, and keeps the raw response: the wait says when to ask again."""
        on_reply = self._on_reply

        def keep(response: httpx.Response) -> None:
            waiting.response = response
            if on_reply is not None:
                with waiting.callers_own():
                    on_reply(response)

        return self._ending_in(waiting.seconds_left).with_options(retries=0, on_reply=keep)

    def _question(self, operation: Operation[Any], call: Call) -> Outgoing:
        headers = Secret({**self._connection.headers, **self._all_headers(operation).reveal()})
        return operation.outgoing(call, self._base_url, headers, self._extra_query)


async def waited(client: Any, question: Question[Outcome], **how: Any) -> Outcome:
    """Ask until the run has ended, and return what it has produced."""
    # Loaded here, since it needs the replies, which a script may never see.
    from .waiting import Waiting

    clock = {"retries": client._retries, "now": client._now}  # noqa: SLF001 - our own kind
    waiting = Waiting(question, asynchronous=isinstance(client, AsyncClient), **clock, **how)
    for seconds in waiting.pauses():
        await waiting.rest(seconds, client._pause)  # noqa: SLF001 - our own kind
        with waiting.asking():
            waiting.read(await result_of(question.ask(client._asking(waiting))))  # noqa: SLF001 - our own kind
        waiting.tell()
    return waiting.outcome


async def started_and_waited(
    client: Any,
    start: Callable[[], Run | Awaitable[Run]],
    wait: Callable[[Run], Outcome | Awaitable[Outcome]],
    name_of: Callable[[Run], str],
    **how: Any,
) -> Outcome:
    """Start a run and wait for it; how to wait is checked before anything is started."""
    from .waiting import check_options

    check_options("run_and_wait", **how, asynchronous=isinstance(client, AsyncClient))
    run = await result_of(start())
    with _naming(f"{name_of(run)} was started, wait for it"):
        return await result_of(wait(run))


@contextmanager
def _naming(words: str) -> Iterator[None]:
    """Whoever catches an error from after the start must not take it for a reason to start again."""
    try:
        yield
    except (RunFailed, WaitTimeout, WaitCancelled):
        raise  # they say so themselves
    except WorkflowRunsError as error:
        error.may_have_run = True
        error.how_to_find = words
        error.message += f"; {words}"
        raise
    except BaseException as error:
        error.add_note(words)
        raise
