"""What goes wrong on the wire, one thing at a time: refusals of the service, silence, broken connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from contract_tests.http.recording_server import Fault, ScriptedResponse
from contract_tests.openapi.document import Operation
from contract_tests.openapi.json_text import is_json

SHORT: Final = 0.5
SLOW: Final = 2.5
LONG: Final = 15.0
ASKED_WAIT: Final = 3
HALF_A_MINUTE, YEARS = 30, 400_000_000
OLD_DATES: Final = {"RFC 850": "%A, %d-%b-%y %H:%M:%S GMT", "asctime": "%a %b %e %H:%M:%S %Y"}
LIMIT, PART_OF_LIMIT, LENGTH = 2.0, 0.6, 3_000
DROPS, DRIP = 100, 0.1
ODD_WAITS: Final = ("soon", "-5", "1.5", "")
UNKNOWN_SUCCESS: Final = 299
MESSAGE: Final = b'{"message": "not now"}'


@dataclass(frozen=True, kw_only=True)
class FaultCase:
    """
    A wire that misbehaves.

    Attributes:
        name: What goes wrong, part of a finding's identity.
        kind: ``status``, ``time-out``, ``broken``, ``throttled``, ``wait``, ``wait again``, ``over``, ``odd wait``,
            ``redirect``, ``unread``, ``refused``, ``other error``, ``slow``, ``trickle`` or ``own limit``.
        timeout: The client's time-out in seconds; None for its default.
        whole_timeout: The client's limit for one try as a whole; None for its default.
        is_full: Whether the call has all arguments that it can have, and not only those that it must have.
        is_large: Whether the request has a body that does not go out before the service reads it, which it does not.
    """

    name: str
    kind: str
    answers: tuple[ScriptedResponse, ...]
    timeout: float | None = None
    whole_timeout: float | None = None
    is_full: bool = False
    is_large: bool = False


def fault_cases(
    operation: Operation, success: ScriptedResponse, refusal: Callable[[int], ScriptedResponse]
) -> Iterator[FaultCase]:
    """Return the faults for an operation; ``success`` is its legal answer, ``refusal`` makes one with a status."""
    at_once = (("Retry-After", "0"),)
    for status in (500, 502, 503, 504, 520, 529):
        answer = replace(refusal(status), headers=at_once)
        yield FaultCase(name=f"status {status}", kind="status", answers=(answer,))
    yield FaultCase(name="no answer", kind="time-out", answers=(ScriptedResponse(fault=Fault.HANG),), timeout=SHORT)
    yield FaultCase(name="reset", kind="broken", answers=(ScriptedResponse(fault=Fault.RESET),))
    yield FaultCase(name="closed without an answer", kind="broken", answers=(ScriptedResponse(fault=Fault.CLOSE),))
    if success.body:
        yield FaultCase(name="closed within the body", kind="broken", answers=(replace(success, fault=Fault.CUT),))
    yield from _unread(success)
    throttled = replace(refusal(429), headers=at_once)
    yield FaultCase(name="status 429", kind="throttled", answers=(throttled,))
    yield from _later(success, refusal)
    for status in (408, 409, 425):
        answer = replace(refusal(status), headers=at_once)
        yield FaultCase(name=f"status {status}", kind="refused", answers=(answer,))
    down = replace(refusal(503), headers=at_once)
    yield FaultCase(name="status 429, then 503", kind="other error", answers=(throttled, down))
    yield FaultCase(name="a slow response", kind="slow", answers=(replace(success, delay=SLOW),), timeout=LONG)
    elsewhere = ScriptedResponse(
        status=307, body=b"", media_type=None, headers=(("Location", f"/elsewhere{operation.path}"),)
    )
    yield FaultCase(name="status 307", kind="redirect", answers=(elsewhere, success))


def large_faults() -> Iterator[FaultCase]:
    """Return the faults that come while a large request is being sent."""
    silence, end = ScriptedResponse(fault=Fault.HANG), ScriptedResponse(fault=Fault.CLOSE)
    yield FaultCase(
        name="a request that is not read", kind="time-out", answers=(silence,), timeout=SHORT, is_large=True
    )
    yield FaultCase(name="closed within the request", kind="broken", answers=(end,), is_large=True)


def limited(success: ScriptedResponse, refusal: ScriptedResponse) -> Iterator[FaultCase]:
    """Return responses that trickle, longer than a try may take, and two tries that are so together."""
    long = (*success.headers, ("X-Long", "a" * LENGTH))
    yield _trickling("headers that trickle", replace(success, headers=long), 0)
    if is_json(success.media_type or ""):
        spread = replace(success, body=b" " * LENGTH + success.body)
        yield _trickling("a body that trickles", spread, len(spread.wire()) - len(spread.body))
    first, second = (replace(answer, delay=PART_OF_LIMIT * LIMIT) for answer in (refusal, success))
    at_once_again = replace(first, headers=(("Retry-After", "0"),))
    yield FaultCase(name="two long tries", kind="own limit", answers=(at_once_again, second), whole_timeout=LIMIT)


def _trickling(name: str, answer: ScriptedResponse, at_once: int) -> FaultCase:
    parts = max(1, (len(answer.wire()) - at_once) // DROPS)
    drops = replace(answer, segment=parts, pause=DRIP, at_once=at_once)
    return FaultCase(name=name, kind="trickle", answers=(drops,), whole_timeout=LIMIT)


def odd_waits(success: ScriptedResponse, refusal: ScriptedResponse) -> Iterator[FaultCase]:
    """Return refusals with each form that Retry-After may have, and with what it may not be."""
    for form, date_form in OLD_DATES.items():
        at_a_date = replace(refusal, retry_at=ASKED_WAIT + 1, date_form=date_form)
        yield FaultCase(name=f"Retry-After with a date of {form}", kind="wait", answers=(at_a_date, success))
    for about, seconds in (("a while ago", HALF_A_MINUTE), ("long ago", YEARS)):
        past = replace(refusal, retry_at=-seconds)
        yield FaultCase(name=f"Retry-After with a date {about}", kind="over", answers=(past, success))
    for text in ODD_WAITS:
        odd = replace(refusal, headers=(("Retry-After", text),))
        yield FaultCase(name=f"Retry-After {text!r}", kind="odd wait", answers=(odd, success))
    twice = replace(refusal, headers=(("Retry-After", "0"), ("Retry-After", "0")))
    yield FaultCase(name="Retry-After twice", kind="odd wait", answers=(twice, success))


def _later(success: ScriptedResponse, refusal: Callable[[int], ScriptedResponse]) -> Iterator[FaultCase]:
    """Return refusals that say how long to wait: in seconds, by a date, with the status of a service that is down."""
    in_seconds = (("Retry-After", str(ASKED_WAIT)),)
    throttled = replace(refusal(429), headers=in_seconds)
    yield FaultCase(name="Retry-After", kind="wait", answers=(throttled, success))
    # A date has whole seconds: one second more than asked is between what is asked and that second more away.
    at_a_date = replace(refusal(429), retry_at=ASKED_WAIT + 1)
    yield FaultCase(name="Retry-After with a date", kind="wait", answers=(at_a_date, success))
    down = replace(refusal(503), headers=in_seconds)
    yield FaultCase(name="Retry-After with 503", kind="wait", answers=(down, success))
    first = replace(refusal(429), headers=(("Retry-After", "0"),))
    again = (first, throttled, success)
    yield FaultCase(name="a second Retry-After", kind="wait again", answers=again, is_full=True)


def _unread(success: ScriptedResponse) -> Iterator[FaultCase]:
    """Return whole answers that say nothing a client can read: no JSON, a page in place of it, an unknown success."""
    unknown = ScriptedResponse(status=UNKNOWN_SUCCESS, body=MESSAGE)
    yield FaultCase(name=f"status {UNKNOWN_SUCCESS}", kind="unread", answers=(unknown,))
    if success.body:
        yield FaultCase(name="an empty success", kind="unread", answers=(replace(success, body=b""),))
        coded = replace(success, headers=(("Content-Encoding", "gzip"),))
        yield FaultCase(name="another coding than it says", kind="unread", answers=(coded,))
        yield FaultCase(name="not JSON", kind="unread", answers=(replace(success, body=b"{"),))
        page = replace(success, body=b"<p>Welcome</p>", media_type="text/html")
        yield FaultCase(name="a page", kind="unread", answers=(page,))
