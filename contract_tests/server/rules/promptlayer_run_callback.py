"""PromptLayer: the callback of a run."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest

from contract_tests.http.recording_server import RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import same
from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.callback import MISSING, Bodies, Callback, Came, bodies_of, came_of, delivery_problems
from contract_tests.server.models.execution import CASE_OF_STATUS, RUNNING, entries_of, misspelt
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04)"
NOT_COME: Final = "no callback came that could be read"
QUIET_SECONDS: Final = 0.3
SLOW_SECONDS, TWICE = 2.0, 2
ID: Final = "workflow_version_execution_id"
SAME_STATUS: Final = {"FAILURE": "FAILED"}  # as two pages of the documentation spell it
rule: Final = partial(
    card,
    source=PAGE,
    basis="inferred",
    operations=["runWorkflow"],
    side="server",
    service="promptlayer",
    otherwise=NOT_COME,
)


@pytest.fixture
def callbacks(scenarios: ExecutionScenarios) -> list[Callback]:
    """Return runs with a callback that have ended, and what was posted for them; the same ones for every rule."""
    first = scenarios.called_back
    for others in ("called_back_bare", "failing"):
        with contextlib.suppress(NotExercised):
            # Where one callback is lost, waiting for another tells nothing new.
            if all(callback.delivery is not None for callback in scenarios.callbacks):
                getattr(scenarios, others)
    scripted = [first, *(callback for callback in scenarios.callbacks if callback is not first)]
    return [*scripted, *scenarios.drawn_callbacks]


@pytest.fixture
def came(callbacks: list[Callback]) -> Came:
    """Return those of which something was posted, with the first post."""
    return came_of(callbacks)


@pytest.fixture
def bodies(callbacks: list[Callback]) -> Bodies:
    """Return those of which an object was posted, with that object."""
    return bodies_of(callbacks)


@rule(
    "PL-CB-37",
    "The outcome of a run with a callback URL is posted there, as the contract's callback says.",
    says="Once the run has ended, its execution id and final output are posted to the callback URL as JSON.",
    basis="documented",
)
def test_outcome_is_posted(contract: Contract, operation: Operation, callbacks: list[Callback], came: Came) -> Checks:
    found = [one for callback in callbacks for one in _posted(callback)]
    if any(found):
        return found
    return [
        *found,
        *(one for callback, post in came[:1] for one in delivery_problems(contract, operation, post, callback.started)),
    ]


@rule(
    "PL-CB-38",
    "The callback carries the execution id of the 202.",
    says="The id in the callback has the same name as the one in the response to the run.",
)
def test_callback_has_the_id_of_the_run(bodies: Bodies) -> Checks:
    return (
        callback.check(same(body.get(ID), callback.execution.id), ID, callback.says(body.get(ID)))
        for callback, body in bodies
    )


@rule(
    "PL-CB-39",
    "The nodes in a callback have ended.",
    says="The outcome is posted once the run has ended; the page shows SUCCESS and FAILURE as a node's status.",
    otherwise="the callback has no entries of nodes",
)
def test_nodes_in_a_callback_have_ended(bodies: Bodies) -> Checks:
    return (
        callback.check(not words & RUNNING, "status of a node", callback.says(sorted(words)))
        for callback, body in bodies
        if (words := {entry["status"] for entry in entries_of(body.get("final_output")).values()})
    )


@rule(
    "PL-CB-40",
    "A callback that was answered 200 is not posted again.",
    says="Nothing is said of repetitions; a receiver has to cope with them, a sender has no reason for them.",
)
def test_callback_comes_once(server: ServerUnderTest, callbacks: list[Callback], came: Came) -> Checks:
    first, seconds = callbacks[0], QUIET_SECONDS if server.target.is_local else 10 * QUIET_SECONDS
    again = server.listener.wait(first.url, seconds, count=2) if first.delivery is not None else None
    return (
        callback.check(again is None, "second delivery", "the same callback came again", (again or delivery).number)
        for callback, delivery in came
        if callback is first
    )


@rule(
    "PL-CB-66",
    "The final output of a callback is what the results operation returns.",
    says="The final output has the structure of the results. FAILURE means FAILED. A callback may have no output.",
    otherwise="the callback has no final output, or the results could not be fetched",
)
def test_callback_says_what_results_say(bodies: Bodies) -> Checks:
    return (
        callback.check(
            any(same(_normal(output), _normal(one)) for one in polled), "final_output", callback.says(output)
        )
        for callback, body in bodies
        if callback.execution.is_watched or callback.execution.is_over
        if (output := body.get("final_output", MISSING)) is not MISSING and (polled := list(_polled(callback)))
    )


@rule(
    "PL-CB-67",
    "The callback does not come before the execution has ended.",
    says="The outcome is posted when the run completes.",
    basis="documented",
)
def test_callback_is_not_early(came: Came) -> Checks:
    early = "the execution was still running when the callback had come"
    return (callback.check(not callback.is_early, "end", early) for callback, _ in came)


@rule(
    "PL-CB-68",
    "The callback comes soon after the end.",
    says="The outcome is posted when the run completes; no page says how soon. Within 3 seconds on this machine, a "
    "minute elsewhere.",
)
def test_callback_is_not_late(came: Came) -> Checks:
    return (
        callback.check(late <= callback.seconds, "time", f"the callback came {late:.1f} seconds after the end")
        for callback, delivery in came
        for late in [delivery.at - callback.ended_at]
    )


@rule(
    "PL-CB-69",
    "A callback has a final output.",
    says="The page shows it beside the execution id in every callback, and it is what a receiver asked for.",
    basis="documented",
)
def test_callback_has_a_final_output(bodies: Bodies) -> Checks:
    return (
        callback.check("final_output" in body, "member final_output", "the callback has none")
        for callback, body in bodies
    )


@rule(
    "PL-CB-70",
    "A run with a callback URL is answered before its receiver has answered.",
    says="202 comes immediately, and the outcome is posted later: whoever waits for it is not who has started the run. "
    "Seen with a receiver that takes two seconds.",
    basis="documented",
    requests=2,
)
def test_response_does_not_wait_for_the_receiver(server: ServerUnderTest) -> Checks:
    if not server.target.is_local:
        raise NotExercised("only a server on this machine reaches a receiver that is slow")
    with RecordingServer(ScriptedResponse(status=204, media_type=None, delay=SLOW_SECONDS)) as receiver:
        for _ in range(TWICE):  # once the machine may be busy
            began = time.monotonic()
            run = server.run(callback_url=f"{receiver.url}/slow")
            waited = time.monotonic() - began
            if waited < SLOW_SECONDS:
                break
    received = f"the response came after {waited:.1f} s, when the receiver had answered"
    return [run.check(waited < SLOW_SECONDS or not receiver.seen, "time", received)]


def _posted(callback: Callback) -> Iterator[Violation | None]:
    seconds, delivery = 2 * callback.seconds, callback.delivery
    lost = f"no callback within {seconds:g} seconds after the end of the execution"
    yield callback.check(delivery is not None, "delivery", lost)
    if delivery is not None:
        yield callback.check(delivery.is_exact, "address", f"it was posted to {delivery.path}")
    if callback.body is not None:
        output = callback.body.get("final_output")
        wrong = next(filter(None, map(misspelt, output.values() if isinstance(output, dict) else ())), "")
        yield callback.check(not wrong, CASE_OF_STATUS, callback.started.bounded(wrong))


def _polled(callback: Callback) -> Iterator[Any]:
    """Yield what the results operation gave in the end, in both forms, and what a 500 there holds."""
    for form in (True, False):
        poll = callback.execution.last(all_outputs=form)
        if poll:
            yield poll.body
            if isinstance(poll.body, dict) and "output" in poll.body:
                yield poll.body["output"]


def _normal(output: Any) -> Any:
    entries = entries_of(output)
    if not entries:
        return output
    return {
        name: {**entry, "status": SAME_STATUS.get(entry["status"], entry["status"])} for name, entry in entries.items()
    }
