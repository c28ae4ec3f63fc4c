"""Signed webhooks: a genuine delivery is read, anything else ends in one typed error that shows no secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import time
import traceback
from email.message import Message
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from callback_subjects import INTERACTLY_BODY, RUN_FINISHED, SECRET, json_bytes, lower, shown, validator
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders

from workflow_runs import BadArgument, ContractBroken, WorkflowRunsError
from workflow_runs.callbacks.signatures import BadSignature, sign_dashboard_event, sign_interactly_event
from workflow_runs.webhooks import InteractlyEvent, read_dashboard_event, read_interactly_event

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNATURE, _TIMESTAMP = "X-Interactly-Signature", "X-Interactly-Timestamp"
_VALID = validator("DashboardEvent")


def _hex(signed: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _dashboard_refusal(body: Any, headers: dict[str, str], secret: str = SECRET) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        read_dashboard_event(body, headers, secret=secret)
    return _without_secrets(caught.value, headers)


def _interactly_refusal(body: bytes | str, headers: dict[str, str], **options: Any) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        read_interactly_event(body, headers, secret=SECRET, **options)
    return _without_secrets(caught.value, headers)


def _without_secrets(error: BadSignature, headers: dict[str, str]) -> BadSignature:
    text = f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
    assert isinstance(error, WorkflowRunsError)
    assert SECRET not in text
    assert not any(value.strip() and value in text for name, value in headers.items() if "signature" in name.lower())
    return error


def test_dashboard_signature_is_as_documented() -> None:
    """The signature is the HMAC of the payload with sorted keys and Python's separators, at every level, in ASCII."""
    payload = {"b": {"d": 1, "c": "ü"}, "a": [1.0, True, None]}

    signed = rb'{"a": [1.0, true, null], "b": {"c": "\u00fc", "d": 1}}'
    assert sign_dashboard_event(payload, SECRET) == {"X-PromptLayer-Signature": _hex(signed)}


@pytest.mark.parametrize("spelled", [json_bytes, json.dumps, lambda payload: payload], ids=["bytes", "str", "dict"])
def test_genuine_dashboard_event_is_read(spelled: Any) -> None:
    """However the body is spelled, its meaning is what is signed; header names may be in any case."""
    headers = sign_dashboard_event(RUN_FINISHED, SECRET)

    event = read_dashboard_event(spelled(RUN_FINISHED), lower(headers), secret=SECRET)

    assert (event.event_type, event.details["agent_execution_id"]) == ("agent_run_finished", 98765)
    assert event.to_dict() == RUN_FINISHED


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_signature_survives_the_wire(details: Any) -> None:
    """Whatever is signed and sent is found genuine, then read if the contract allows it and refused if not."""
    payload = {"event_type": "some_event", "details": details}
    headers = sign_dashboard_event(payload, SECRET)
    body = json.dumps(payload).encode()

    if _VALID.is_valid(json.loads(body)):
        assert read_dashboard_event(body, headers, secret=SECRET).details == details
        return
    with pytest.raises(ContractBroken) as caught:
        read_dashboard_event(body, headers, secret=SECRET)
    assert caught.value.path == "$.details"


def test_forged_dashboard_events_are_refused() -> None:
    """A changed payload, another secret, a changed signature, none at all and one that isn't ASCII are told apart."""
    headers = sign_dashboard_event(RUN_FINISHED, SECRET)
    name, signature = next(iter(headers.items()))
    changed = {**RUN_FINISHED, "workspace_id": 3}

    assert _dashboard_refusal(changed, headers).reason == "wrong"
    assert _dashboard_refusal(RUN_FINISHED, headers, "another").reason == "wrong"
    assert _dashboard_refusal(RUN_FINISHED, {name: signature[:-1]}).reason == "wrong"
    assert _dashboard_refusal(RUN_FINISHED, {name: "sïgnature\ud800"}).reason == "wrong"
    assert _dashboard_refusal(RUN_FINISHED, {name: " "}).reason == "missing"
    assert _dashboard_refusal(RUN_FINISHED, {}).reason == "missing"
    assert _dashboard_refusal(RUN_FINISHED, {}).operation == "agent_run_finished"


def test_dashboard_payload_that_is_no_json_is_refused() -> None:
    """What can't be parsed can't be checked either: it is broken, whatever its signature."""
    with pytest.raises(ContractBroken):
        read_dashboard_event(b"{", sign_dashboard_event({}, SECRET), secret=SECRET)


def test_interactly_signature_is_as_documented() -> None:
    """The signature is the HMAC of the raw body, the timestamp whole seconds; now by default."""
    before = int(time.time())
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET)

    assert headers[_SIGNATURE] == _hex(INTERACTLY_BODY)
    assert before <= int(headers[_TIMESTAMP]) <= time.time()
    assert sign_interactly_event(INTERACTLY_BODY.decode(), SECRET, timestamp=1.9)[_TIMESTAMP] == "1"


def test_genuine_interactly_event_is_read() -> None:
    """Known members are read under either of their documented names, all others are in `raw`."""
    other = b'{"event_id": "e2", "type": "run.completed", "run_id": "r2", "status": "new-word", "extra": [1]}'

    first, second = (
        read_interactly_event(body, lower(sign_interactly_event(body, SECRET)), secret=SECRET)
        for body in (INTERACTLY_BODY, other)
    )

    assert first == InteractlyEvent("e1", "workflow_run_completed", None, "r1", "failed", json.loads(INTERACTLY_BODY))
    assert second == InteractlyEvent("e2", "run.completed", None, "r2", "new-word", json.loads(other))


def test_forged_interactly_events_are_refused() -> None:
    """A single other byte, a space included, another secret, a changed and a missing signature are refused."""
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET)

    assert _interactly_refusal(INTERACTLY_BODY + b" ", headers).reason == "wrong"
    assert _interactly_refusal(INTERACTLY_BODY, sign_interactly_event(INTERACTLY_BODY, "another")).reason == "wrong"
    assert _interactly_refusal(INTERACTLY_BODY, {**headers, _SIGNATURE: "é" * 64}).reason == "wrong"
    assert _interactly_refusal(INTERACTLY_BODY, {_TIMESTAMP: headers[_TIMESTAMP]}).reason == "missing"


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        (None, "missing"),
        ("", "missing"),
        ("soon", "malformed"),
        ("1e9", "malformed"),
        ("-1", "malformed"),
        ("٣", "malformed"),
        ("9" * 5000, "malformed"),
        ("0", "stale"),
        (-301, "stale"),
        (+310, "stale"),
    ],
    ids=shown,
)
def test_timestamp_must_be_near_now(timestamp: str | int | None, reason: str) -> None:
    """A timestamp that is missing, no number, more than 300 s old or ahead is refused, good signature or not."""
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET)
    if isinstance(timestamp, int):
        headers = sign_interactly_event(INTERACTLY_BODY, SECRET, timestamp=time.time() + timestamp)
    elif timestamp is None:
        del headers[_TIMESTAMP]
    else:
        headers[_TIMESTAMP] = timestamp

    assert _interactly_refusal(INTERACTLY_BODY, headers).reason == reason
    assert read_interactly_event(INTERACTLY_BODY, headers, secret=SECRET, max_age=None).event_id == "e1"


def test_window_can_be_widened() -> None:
    """A delivery that is tried again after half an hour is taken by a receiver that says so."""
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET, timestamp=time.time() - 1800)

    assert _interactly_refusal(INTERACTLY_BODY, headers).reason == "stale"
    assert read_interactly_event(INTERACTLY_BODY, headers, secret=SECRET, max_age=3600).event_id == "e1"


@pytest.mark.parametrize(
    ("body", "path"),
    [(b"[]", "$"), (b"", "$"), (b'{"event_id": 4}', "$.event_id"), (b'{"type": []}', "$.type")],
    ids=repr,
)
def test_genuine_interactly_event_may_be_broken(body: bytes, path: str) -> None:
    """A body that is no object, or has a known member that is no text, ends in `ContractBroken`."""
    with pytest.raises(ContractBroken) as caught:
        read_interactly_event(body, sign_interactly_event(body, SECRET), secret=SECRET)
    assert caught.value.path == path


def test_interactly_body_is_bounded() -> None:
    """A body that is too large is refused before it is hashed, so that its signature doesn't matter."""
    with pytest.raises(ContractBroken, match="at most 10 bytes"):
        read_interactly_event(INTERACTLY_BODY, {}, secret=SECRET, max_bytes=10)


@pytest.mark.parametrize("secret", ["", None], ids=repr)
def test_empty_secret_is_refused(secret: Any) -> None:
    """A secret that a forgotten variable left empty would let everybody in: it is refused, never used."""
    headers = {"X-PromptLayer-Signature": _hex(b"{}", ""), _SIGNATURE: _hex(b"{}", "")}
    attempts: list[Callable[[], object]] = [
        lambda: read_dashboard_event({}, headers, secret=secret),
        lambda: read_interactly_event(b"{}", headers, secret=secret),
        lambda: sign_dashboard_event({}, secret),
        lambda: sign_interactly_event(b"{}", secret),
    ]
    for attempt in attempts:
        with pytest.raises(BadArgument, match="secret"):
            attempt()


def test_interactly_body_must_be_raw() -> None:
    """A body that is parsed already has lost the bytes that are signed; the error says so."""
    with pytest.raises(BadArgument, match="body: expected the raw body"):
        read_interactly_event({"event_id": "e1"}, {}, secret=SECRET)  # type: ignore[arg-type]
    with pytest.raises(BadArgument, match="body"):
        read_interactly_event("\ud800", {}, secret=SECRET)


def test_payload_that_is_no_json_can_not_be_signed() -> None:
    """The signing helper names what is wrong."""
    with pytest.raises(BadArgument, match="payload"):
        sign_dashboard_event({"details": object()}, SECRET)


def _message(headers: dict[str, str]) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


@pytest.mark.parametrize(
    "spelled",
    [
        lambda headers: list(headers.items()),
        lambda headers: tuple((name.encode(), value.encode()) for name, value in headers.items()),
        lambda headers: [[name, value] for name, value in headers.items()],
        lambda headers: {name.upper(): [value] for name, value in headers.items()},
        lambda headers: {name: (None, value) for name, value in headers.items()},
        lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
        lambda headers: {"X-Absent": None, "X-List": [], 5: 6, None: None, **headers},
        lambda headers: {name: f"  {value}\t" for name, value in headers.items()},
        lambda headers: {name: value.upper() for name, value in headers.items()},
        _message,
        httpx.Headers,
        StarletteHeaders,
    ],
)
def test_headers_are_read_as_frameworks_have_them(spelled: Callable[[dict[str, str]], Any]) -> None:
    """Mappings and pairs, texts and bytes, lists of one and None beside it: a genuine delivery is read."""
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET)

    assert read_interactly_event(INTERACTLY_BODY, spelled(headers), secret=SECRET).event_id == "e1"


@pytest.mark.parametrize("absent", [None, [], [None], (), "", b" ", [""]], ids=repr)
def test_header_without_a_value_is_missing(absent: Any) -> None:
    """A framework's way to say that a header is not there is no signature, and no `AttributeError`."""
    headers = sign_interactly_event(INTERACTLY_BODY, SECRET)

    with pytest.raises(BadSignature, match="X-PromptLayer-Signature is missing"):
        read_dashboard_event(b"{", {"x-promptlayer-signature": absent}, secret=SECRET)
    for name in headers:
        with pytest.raises(BadSignature, match=f"{name} is missing"):
            read_interactly_event(INTERACTLY_BODY, {**headers, name: absent}, secret=SECRET)


def test_two_signatures_are_none() -> None:
    """Which of two is checked isn't left to chance: neither, not even if they are the same."""
    ((name, value),) = sign_dashboard_event(RUN_FINISHED, SECRET).items()
    several = [(name, value), (name.lower(), "0" * 64)]
    for headers in (several, several[::-1], dict(several), {name: [value, value]}, httpx.Headers(several)):
        with pytest.raises(BadSignature, match="is there 2 times"):
            read_dashboard_event(RUN_FINISHED, headers, secret=SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize("headers", [None, 5, "X-Interactly-Signature", ["ab", 5], [()]], ids=repr)
def test_headers_that_are_none_are_refused(headers: Any) -> None:
    """What is no collection of headers is the caller's mistake, told as such."""
    for attempt in (
        lambda: read_dashboard_event(b"{}", headers, secret=SECRET),
        lambda: read_interactly_event(b"{}", headers, secret=SECRET),
    ):
        with pytest.raises(BadArgument) as caught:
            attempt()
        assert caught.value.field == "headers"


@pytest.mark.parametrize("value", [5, 1.5, True, {"a": "b"}, [5]], ids=repr)
def test_header_of_another_type_is_refused(value: Any) -> None:
    """A value that is no text is named by its header, and not quoted."""
    with pytest.raises(BadArgument, match="headers: expected a text as the value of X-PromptLayer-Signature"):
        read_dashboard_event(b"{}", {"X-PromptLayer-Signature": value}, secret=SECRET)


@pytest.mark.parametrize("max_age", [math.nan, math.inf, -math.inf, -1, "300", True, [], 1j], ids=repr)
def test_age_that_is_none_is_refused(max_age: Any) -> None:
    """An age that would take any delivery, or fail with the first, is refused by name."""
    for body in (INTERACTLY_BODY, b"{"):
        with pytest.raises(BadArgument) as caught:
            read_interactly_event(body, {}, secret=SECRET, max_age=max_age)
        assert caught.value.field == "max_age"


@pytest.mark.parametrize("timestamp", [math.nan, math.inf, "now", True], ids=repr)
def test_moment_that_is_none_can_not_be_signed(timestamp: Any) -> None:
    """The signing function names the timestamp."""
    with pytest.raises(BadArgument, match="timestamp"):
        sign_interactly_event(b"{}", SECRET, timestamp=timestamp)


def test_large_event_is_parsed_only_if_its_very_bytes_are_signed() -> None:
    """What nobody has signed isn't parsed, however large; what is signed as it is spelled is read."""
    payload = {**RUN_FINISHED, "more": "x" * 1_100_000}
    headers = sign_dashboard_event(payload, SECRET)

    assert read_dashboard_event(json.dumps(payload, sort_keys=True), headers, secret=SECRET).to_dict() == payload
    assert read_dashboard_event(payload, headers, secret=SECRET).to_dict() == payload
    assert _dashboard_refusal(b"[" * 1_100_000, headers).reason == "wrong"
    assert _dashboard_refusal(b"[" * 1_100_000, {}).reason == "missing"
