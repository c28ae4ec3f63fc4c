"""PromptLayer: the callback of a run."""

from typing import Any, Final

import pytest

from contract_tests.contract import Contract
from contract_tests.exchange import Exchange
from contract_tests.json_text import read_json
from contract_tests.listener import Delivery
from contract_tests.rules import NotExercised, Violation, expect, report_all, rule
from contract_tests.server.live import CALLBACK_SECONDS, Server, callback_media, id_of

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow (wording of 2025-11 to 2026-04)"
ABOUT: Final[dict[str, Any]] = {"operations": ["runWorkflow"], "side": "server", "service": "promptlayer"}
_DELIVERED: dict[Server, tuple[Exchange, Delivery | None]] = {}


@pytest.fixture
def delivered(server: Server) -> tuple[Exchange, Delivery | None]:
    """Give a run with a callback that has ended, and what was posted for it; the same one for every rule."""
    if server not in _DELIVERED:
        url = server.listener.new_url()
        started = server.run(callback_url=url)
        server.watch(started).last(return_all_outputs=True)
        _DELIVERED[server] = started, server.listener.wait(url, CALLBACK_SECONDS)
    return _DELIVERED[server]


@rule(
    "PL-CB-37",
    "The outcome of a run with a callback URL is posted there, as the contract's callback says.",
    says="Once the run has ended, its execution id and final output are posted to the callback URL as JSON.",
    source=PAGE,
    basis="documented",
    **ABOUT,
)
def test_outcome_is_posted(contract: Contract, delivered: tuple[Exchange, Delivery | None]) -> None:
    """A POST with a JSON body comes, valid against the contract's callback, and it has a final output."""
    started, delivery = delivered
    nothing = f"no callback within {CALLBACK_SECONDS:g} seconds after the end of the execution"
    expect(delivery is not None, "delivery", received=f"{nothing}; run: {started.shown}", reproduce=started.curl)
    assert delivery is not None
    expect(delivery.method == "POST", "method", received=delivery.method, reproduce=started.curl)
    expect(delivery.media_type == "application/json", "media type", received=delivery.media_type or "none")
    body = _body(delivery, started)
    problems = contract.problems(body, callback_media(contract.operation("runWorkflow")))
    report_all(
        Violation(
            f"at {problem.at or '/'}: {started.bounded(problem.message, 160)}", problem.constraint, "", started.curl
        )
        for problem in problems
    )
    expect("final_output" in body, "member final_output", received=started.bounded(repr(body)), reproduce=started.curl)


@rule(
    "PL-CB-38",
    "The callback carries the execution id of the 202.",
    says="The id in the callback has the name of the one in the reply to the run.",
    source=PAGE,
    basis="inferred",
    **ABOUT,
)
def test_callback_has_the_id_of_the_run(delivered: tuple[Exchange, Delivery | None]) -> None:
    """The two ids are equal."""
    started, delivery = delivered
    if delivery is None:
        raise NotExercised("no callback came")
    body = _body(delivery, started)
    found = body.get("workflow_version_execution_id") if isinstance(body, dict) else None
    received = f"{started.bounded(repr(found))} for the run: {started.shown}"
    expect(found == id_of(started), "workflow_version_execution_id", received=received, reproduce=started.curl)


def _body(delivery: Delivery, started: Exchange) -> Any:
    try:
        return read_json(delivery.body)
    except ValueError:
        received = started.bounded(delivery.body.decode("utf-8", "replace")) or "an empty body"
        raise Violation(received, "json", "The callback's body is JSON.", started.curl) from None
