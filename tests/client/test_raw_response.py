"""`with_raw_response`: the reply itself beside what was read from it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from client_calls import FAILED, RUN, Call, Flavour, reply

from workflow_runs import BadArgument, ContractBroken, RunFailed, Unauthorized

if TYPE_CHECKING:
    import httpx


def _raw(flavour: Flavour, client: Any, call: Call, **changed: Any) -> Any:
    return flavour.do(client.with_raw_response, call.operation, *call.positional, **{**call.keywords, **changed})


def test_a_raw_response_has_all_of_the_reply(call: Call, flavour: Flavour) -> None:
    """Status, headers in any case, the very bytes, and what the method itself returns."""
    sent = call.ok()
    sent.headers["X-Trace"] = "abc"
    client, _ = flavour.over(call, sent)
    found = _raw(flavour, client, call)
    assert (found.status, found.content) == (sent.status_code, sent.content)
    assert found.headers["x-trace"] == found.headers["X-TRACE"] == "abc"
    assert found.parsed == flavour.make(call, client)
    assert type(found.parsed).__name__ == call.model
    assert repr(found) == f"<RawResponse {sent.status_code}, {len(sent.content)} bytes>"


def test_its_methods_take_the_same_arguments(call: Call, flavour: Flavour) -> None:
    """The signatures are those of the client's own methods; only the results differ."""
    client = flavour.client(call.service)
    own = inspect.signature(getattr(client, call.operation))
    raw = inspect.signature(getattr(client.with_raw_response, call.operation))
    assert raw.parameters == own.parameters
    assert raw.return_annotation == f"RawResponse[{own.return_annotation}]"


def test_errors_are_raised_as_ever(flavour: Flavour) -> None:
    """A status that is no success has its reply at the error."""
    client, _ = flavour.over(RUN, reply(401, {"error": "no"}))
    with pytest.raises(Unauthorized) as caught:
        _raw(flavour, client, RUN)
    assert caught.value.response is not None
    assert caught.value.response.json() == {"error": "no"}
    with pytest.raises(BadArgument, match="workflow_version_number"):
        _raw(flavour, client, RUN, workflow_version_number="1")
    client, _ = flavour.over(RUN, reply(200, []))
    with pytest.raises((ContractBroken, Exception)):
        _raw(flavour, client, RUN)


def test_options_hold_and_the_last_reply_is_given(flavour: Flavour) -> None:
    """It is a view like the others: retries, extra headers and `on_reply` go on as they were."""
    seen: list[httpx.Response] = []
    client, wire = flavour.over(RUN, reply(429, {}, retry_after="0"), RUN.ok(), retries=1)
    view = client.with_options(headers={"x-team": "b"}, on_reply=seen.append)
    found = _raw(flavour, view, RUN)
    assert found.status == 201
    assert [each.status_code for each in seen] == [429, 201]
    assert [each.headers["x-team"] for each in wire.requests] == ["b", "b"]
    flavour.make(RUN, client)
    assert len(seen) == 2


def test_a_failed_run_is_told_as_ever(flavour: Flavour) -> None:
    """What a service's own client makes of an error holds here as well."""
    client, _ = flavour.over(RUN, reply(500, FAILED))
    with pytest.raises(RunFailed):
        flavour.do(
            client.with_raw_response, "get_workflow_version_execution_results", workflow_version_execution_id=98765
        )
