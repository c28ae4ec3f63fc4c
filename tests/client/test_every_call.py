"""An interactive session of all operations and errors, executed as it stands: the last line of each traceback, too."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import doctest
import inspect
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from client_calls import ASYNC, INTERACTLY_WORKFLOW, SYNC, Flavour

from workflow_sandbox import InProcessSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SESSION = Path(__file__).with_name("every_call.txt")


class Awaiting:
    """An asyncio client in a session without `await`: what a call gives is awaited at once, an iterator to its end."""

    def __init__(self, client: Any, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._awaited(found) if callable(found) else Awaiting(found, self._runner)

    def _awaited(self, method: Any) -> Any:
        def call(*positional: Any, **keywords: Any) -> Any:
            result = method(*positional, **keywords)
            if inspect.iscoroutine(result):
                return self._runner.run(result)
            if inspect.isasyncgen(result):
                return self._runner.run(_all(result))
            return Awaiting(result, self._runner)

        return call

    def __repr__(self) -> str:
        return repr(self._client)


async def _all(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


@pytest.fixture
def sandbox() -> Iterator[InProcessSandbox]:
    """One whose ids begin anew."""
    with InProcessSandbox() as running:
        yield running


@pytest.mark.parametrize("flavour", [SYNC, ASYNC], ids=str)
def test_a_session_shows_what_a_user_sees(
    flavour: Flavour, sandbox: InProcessSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every operation, the iterators, the waits, the search for a run in doubt, and an error of each kind."""
    with socket.socket() as unused, asyncio.Runner() as runner, contextlib.ExitStack() as ending:
        unused.bind(("127.0.0.1", 0))  # and nobody listens

        def of(service: str, **settings: Any) -> Any:
            own = {"api_key": sandbox.api_key, "base_url": getattr(sandbox, f"{service}_url")}
            made = flavour.client(service, **{**own, **settings})
            used = made if flavour is SYNC else Awaiting(made, runner)
            ending.callback(used.close if flavour is SYNC else used.aclose)
            return used

        client, interactly = of("promptlayer"), of("interactly")

        def meeting(fault: str, chosen: Any = client) -> Any:
            return chosen.with_options(headers={"X-Sandbox-Fault": fault})

        names = {
            "client": client,
            "interactly": interactly,
            "stranger": of("promptlayer", api_key="wrong"),
            "nowhere": of("promptlayer", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}"),
            "meeting": meeting,
            "now": lambda: datetime.datetime.now(datetime.UTC),
            "HOUR": datetime.timedelta(hours=1),
            "WORKFLOW": INTERACTLY_WORKFLOW,
        }
        test = doctest.DocTestParser().get_doctest(SESSION.read_text("utf-8"), names, SESSION.name, str(SESSION), 0)
        runner_of_examples = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        told: list[str] = []
        assert runner_of_examples.run(test, out=told.append).failed == 0, "".join(told)
    assert "Traceback" not in capfd.readouterr().err
