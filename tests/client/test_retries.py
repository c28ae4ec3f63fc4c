"""When a request is sent again: the whole table, the waits and the bounds."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import httpx
import pytest
from client_calls import EXECUTE, FAILED, RESULTS, RUN, SYNC, Call, Flavour, reply

from workflow_runs import MaybeSent, NotSent, Retries, RunFailed, ServerError, TooManyRequests, WorkflowRunsError

_NEVER_SENT = [
    httpx.ConnectError("refused"), httpx.ConnectTimeout("late"), httpx.PoolTimeout("full"), httpx.ProxyError("no"),
]  # fmt: skip
_IN_DOUBT = [
    httpx.ReadTimeout("late"), httpx.WriteTimeout("late"), httpx.ReadError("reset"), httpx.WriteError("reset"),
    httpx.RemoteProtocolError("cut"),
]  # fmt: skip
_SERVER_ERRORS = [500, 501, 502, 503, 504, 520, 529, 599]
_FINAL = [300, 304, 307, 400, 401, 403, 404, 408, 409, 410, 418, 422, 425, 451]
_AT_ONCE = Retries(further_tries=2, first_wait=0)


def _tries(call: Call, outcome: Any, flavour: Flavour, policy: Retries = _AT_ONCE) -> tuple[int, WorkflowRunsError]:
    client, wire = flavour.over(call, outcome, retries=policy)
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(call, client)
    return len(wire.requests), caught.value


@pytest.mark.parametrize("fault", _NEVER_SENT, ids=lambda fault: type(fault).__name__)
def test_what_never_left_is_sent_again(fault: Exception, call: Call, flavour: Flavour) -> None:
    """Without a connection every operation is repeated."""
    tries, error = _tries(call, fault, flavour)
    assert tries == 3
    assert type(error) is NotSent
    assert not error.may_have_run


@pytest.mark.parametrize("fault", _IN_DOUBT, ids=lambda fault: type(fault).__name__)
def test_what_may_have_arrived_is_repeated_only_if_it_starts_nothing(
    fault: Exception, call: Call, flavour: Flavour
) -> None:
    """After sending has begun only questions are repeated, even with a policy that repeats on 503."""
    for policy in (_AT_ONCE, Retries(further_tries=2, first_wait=0, repeat_on_503=True)):
        tries, error = _tries(call, fault, flavour, policy)
        assert tries == (1 if call.starts_something else 3)
        assert type(error) is MaybeSent
        assert error.may_have_run == call.starts_something


def test_429_is_repeated_for_every_operation(call: Call, flavour: Flavour) -> None:
    """The service has refused before it did anything."""
    tries, error = _tries(call, httpx.Response(429), flavour)
    assert tries == 3
    assert type(error) is TooManyRequests
    assert not error.may_have_run


@pytest.mark.parametrize("status", _SERVER_ERRORS)
def test_a_server_error_is_repeated_only_if_it_starts_nothing(status: int, call: Call, flavour: Flavour) -> None:
    """After 5xx a run may have started: it is sent once, and the error says so."""
    tries, error = _tries(call, httpx.Response(status), flavour)
    assert tries == (1 if call.starts_something else 3)
    assert type(error) is ServerError
    assert error.may_have_run == call.starts_something


@pytest.mark.parametrize("status", _SERVER_ERRORS)
def test_only_503_is_opened_by_the_policy(status: int, starting_call: Call, flavour: Flavour) -> None:
    """`repeat_on_503` is about 503 and no other status."""
    policy = Retries(further_tries=2, first_wait=0, repeat_on_503=True)
    tries, _ = _tries(starting_call, httpx.Response(status), flavour, policy)
    assert tries == (3 if status == 503 else 1)


@pytest.mark.parametrize("status", _FINAL)
def test_other_statuses_are_final(status: int, call: Call, flavour: Flavour) -> None:
    """A refusal isn't asked for again."""
    tries, error = _tries(call, httpx.Response(status), flavour)
    assert tries == 1
    assert error.status == status
    if 400 <= status < 500:
        assert not error.may_have_run


def test_a_failed_execution_is_final(flavour: Flavour) -> None:
    """A 500 in the documented failure form is an answer; any other 500 is a server in trouble."""
    tries, error = _tries(RESULTS, reply(500, FAILED), flavour)
    assert tries == 1
    assert type(error) is RunFailed
    for other in (reply(500, {"message": "oops"}), httpx.Response(500, text="oops"), reply(500, {"output": 1})):
        tries, error = _tries(RESULTS, other, flavour)
        assert tries == 3
        assert type(error) is ServerError


def test_a_success_after_failures_is_a_success(call: Call, flavour: Flavour) -> None:
    """The tries before it leave no trace in the result."""
    client, wire = flavour.over(call, httpx.Response(429), httpx.ConnectError("x"), call.ok(), retries=_AT_ONCE)
    assert type(flavour.make(call, client)).__name__ == call.model
    assert len(wire.requests) == 3
    assert len({(request.method, str(request.url), request.content) for request in wire.requests}) == 1


@pytest.mark.parametrize(("retries", "expected"), [(0, 1), (1, 2), (4, 5)])
def test_a_number_stands_for_a_policy(retries: int, expected: int) -> None:
    """A plain number is the number of further tries."""
    client, wire = SYNC.over(RESULTS, httpx.ConnectError("x"))
    policy = Retries(further_tries=retries, first_wait=0)
    with pytest.raises(NotSent):
        SYNC.make(RESULTS, client.with_options(retries=policy))
    assert len(wire.requests) == expected
    client, wire = SYNC.over(RESULTS, reply(429, {}, retry_after="0"), retries=min(retries, 1))
    with pytest.raises(TooManyRequests):
        SYNC.make(RESULTS, client)
    assert len(wire.requests) == min(retries, 1) + 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("7", 7), (" 7 ", 7), ("120", 120), ("-1", None), ("1.5", 1.5), ("1.5s", None), ("soon", None),
     ("", None), ("٣", None), ("1 1", None), ("Mon, 01 Jan 2001 00:00:00 GMT", 0), ("Mon, 99 Foo 2001", None),
     ("Mon, 01 Jan 2001 00:00:00 +99999999", None), ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None)],
)  # fmt: skip
def test_retry_after_is_read(header: str, seconds: float | None, call: Call) -> None:
    """Seconds and dates are read; what makes no sense is as good as absent and never an error of its own."""
    answer = httpx.Response(429, headers=[(b"retry-after", header.encode())])
    _, error = _tries(call, answer, SYNC, Retries(further_tries=0))
    assert error.retry_after == seconds


def test_of_two_retry_afters_the_longer_one_counts(flavour: Flavour) -> None:
    """A service and the gateway before it may each write one."""
    headers = [(b"retry-after", b"3"), (b"retry-after", b"3"), (b"retry-after", b"soon"), (b"retry-after", b"7")]
    _, error = _tries(RESULTS, httpx.Response(429, headers=headers), flavour, Retries(further_tries=0))
    assert error.retry_after == 7


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_retry_after_may_be_a_date(status: int, flavour: Flavour) -> None:
    """The date form is turned into seconds from now, for every status."""
    header = email.utils.formatdate(time.time() + 50, usegmt=True)
    _, error = _tries(
        RESULTS, httpx.Response(status, headers={"retry-after": header}), flavour, Retries(further_tries=0)
    )
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 50


def test_a_retry_after_is_waited_for(flavour: Flavour) -> None:
    """The next try comes no sooner than the service asks."""
    client, wire = flavour.over(RUN, reply(429, {}, retry_after="1"), RUN.ok(), retries=_AT_ONCE)
    began = time.monotonic()
    flavour.make(RUN, client)
    assert time.monotonic() - began >= 1
    assert len(wire.requests) == 2


def _delays(policy: Retries, error: WorkflowRunsError, *, repeatable: bool = True, most: int = 50) -> list[float]:
    tries = policy.begin()
    delays: list[float] = []
    while (delay := tries.after(error, repeatable=repeatable)) is not None and len(delays) < most:
        delays.append(delay)
    return delays


def _error(call: Call, answer: Any) -> WorkflowRunsError:
    return _tries(call, answer, SYNC, Retries(further_tries=0))[1]


def test_waits_grow_and_are_bounded() -> None:
    """A wait is drawn between 0 and a bound that doubles up to the longest one."""
    policy = Retries(further_tries=6, first_wait=0.5, longest_wait=4)
    bounds = [0.5, 1, 2, 4, 4, 4]
    seen = [_delays(policy, _error(RESULTS, httpx.Response(502))) for _ in range(200)]
    for delays in seen:
        assert len(delays) == 6
        assert all(0 <= delay <= bound for delay, bound in zip(delays, bounds, strict=True))
    assert all(max(column) > bound / 2 for column, bound in zip(zip(*seen, strict=True), bounds, strict=True))
    assert all(min(column) < bound / 2 for column, bound in zip(zip(*seen, strict=True), bounds, strict=True))


def test_a_retry_after_is_the_least_wait() -> None:
    """What the service asks for is waited for in full, or the error is raised."""
    error = _error(RUN, httpx.Response(429, headers={"retry-after": "30"}))
    assert _delays(Retries(further_tries=2), error) == [30, 30]
    assert _delays(Retries(further_tries=2, longest_retry_after=29), error) == []
    assert _delays(Retries(further_tries=2, total_time=29), error) == []


def test_the_total_time_is_a_bound() -> None:
    """No try begins after it."""
    assert _delays(Retries(further_tries=9, first_wait=0), _error(RUN, httpx.Response(429))) == [0] * 9
    error = _error(RUN, httpx.Response(429, headers={"retry-after": "1"}))
    assert _delays(Retries(further_tries=9, total_time=0.5), error) == []


def test_a_run_is_not_repeated_by_a_policy_that_is_asked_directly() -> None:
    """The policy itself knows the table."""
    for answer in (httpx.ReadError("x"), httpx.Response(503), httpx.Response(500)):
        error = _error(RUN, answer)
        assert _delays(Retries(first_wait=0), error, repeatable=False) == []
        assert len(_delays(Retries(first_wait=0), error, repeatable=True)) == 2


def test_very_many_tries_are_possible() -> None:
    """The growth of the waits never runs out of numbers."""
    client, wire = SYNC.over(RESULTS, httpx.Response(503))
    policy = Retries(further_tries=1_100, first_wait=0.00001, longest_wait=0)
    with pytest.raises(ServerError):
        SYNC.make(RESULTS, client.with_options(retries=policy))
    assert len(wire.requests) == 1_101


def test_a_request_that_can_not_be_written_is_not_sent(flavour: Flavour) -> None:
    """A local protocol error happens before anything leaves."""
    _, error = _tries(EXECUTE, httpx.LocalProtocolError("illegal header"), flavour)
    assert type(error) is NotSent
    assert not error.may_have_run


@pytest.mark.parametrize(("call", "status"), [(RUN, 404), (RESULTS, 503)], ids=["run-404", "results-503"])
def test_a_hook_that_raises_for_status_hides_no_status(call: Call, status: int) -> None:
    """A client of the user's whose hook raises on errors has still received a reply: it isn't told as a lost one."""
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return reply(status, {"message": "told"})

    hooks = {"response": [lambda response: response.raise_for_status()]}
    http = httpx.Client(transport=httpx.MockTransport(answer), event_hooks=hooks)
    with pytest.raises(WorkflowRunsError) as caught:
        SYNC.make(call, SYNC.client(call.service, http_client=http, retries=0))
    assert type(caught.value) is not MaybeSent
    assert caught.value.status == status
    assert len(sent) == 1
