"""16,000 generated secrets, sent back in every way: none in a log line, a repr, an error's text or a traceback."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import random
import traceback
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import raw_server as raw
from echoes import ABOUT_RESULTS, ECHOES, WRITERS, WRITTEN_ONCE, Held, held

from workflow_runs import (
    AsyncPromptLayer,
    BadArgument,
    BatchItem,
    ContractBroken,
    DashboardWebhooks,
    Interactly,
    InteractlyWebhooks,
    PromptLayer,
    RunCallbacks,
    WorkflowRunsError,
    read_callback,
    read_interactly_event,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRETS, _PER_CALL, _PARTS = 16_000, 20, 4
_FLAVOURS: dict[str, tuple[type[Any], type[Any]]] = {
    "sync": (PromptLayer, httpx.Client),
    "async": (AsyncPromptLayer, httpx.AsyncClient),
}


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every line that anything logs, from DEBUG on."""
    root, lines = logging.getLogger(), _Lines()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(lines)
    yield lines.lines
    root.removeHandler(lines)
    root.setLevel(level)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that hang behind it, whether or not a traceback would show them."""
    while error is not None:
        yield error
        yield from _chain(error.__cause__)
        error = error.__context__


def _shown(error: BaseException) -> str:
    """Everything of an error that a program may print."""
    assert isinstance(error, WorkflowRunsError)
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    every = [*_chain(error), *_chain(copied)]
    texts = [str(part) for each in every for part in (each, repr(each), each.args, getattr(each, "__notes__", ""))]
    texts += [value for value in vars(error).values() if isinstance(value, str)]
    if error.response is not None:
        request = error.response.request
        texts += [repr(error.response), repr(request), repr(request.headers.raw), str(error.response.next_request)]
    return "\n".join([*texts, *traceback.format_exception(error), *traceback.format_exception(copied)])


def _leaks(secrets: list[str], shown: str) -> list[str]:
    """Secrets that can be seen, in one spelling or another. Half of one is a leak too."""
    return [secret for secret in secrets if any(half in shown for half in _halves(secret))]


def _halves(secret: str) -> set[str]:
    spelled = {writer(secret) for writer in WRITERS.values()}
    return {half for text in spelled for half in (text[: len(text) // 2], text[-(len(text) // 2) :])}


def _begin(client: Any, echo: str, call: Held) -> Any:
    if echo in ABOUT_RESULTS:
        return client.wait(1, return_all_outputs=True, deadline=0.01)
    return client.run_workflow("agent", **call.arguments)


def _ended_in(client: Any, echo: str, call: Held) -> BaseException:
    with pytest.raises(WorkflowRunsError) as caught:
        _begin(client, echo, call)
    return caught.value


async def _ended_in_async(client: Any, echo: str, call: Held) -> BaseException:
    with pytest.raises(WorkflowRunsError) as caught:
        await _begin(client, echo, call)
    return caught.value


def _client(kind: type[Any], call: Held, **settings: Any) -> Any:
    client = kind(api_key=call.api_key, headers=call.headers, retries=0, **settings)
    return client.with_options(extra_query=call.extra_query, extra_body=call.extra_body)


def _sent_back(echo: str, call: Held, source: random.Random, writer: str) -> Any:
    secrets = call.in_settings if echo in ABOUT_RESULTS else call.all
    return ECHOES[echo]([WRITERS[writer](secret) for secret in source.sample(secrets, len(secrets))])


def _answering(answer: Any) -> httpx.MockTransport:
    def answered(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    return httpx.MockTransport(answered)


@pytest.mark.parametrize("part", range(_PARTS))
def test_no_secret_is_shown(part: int, log: list[str]) -> None:
    """Whatever comes back of key, headers, query or inputs, in whatever spelling, can be seen nowhere."""
    source = random.Random(part)  # noqa: S311 - the same texts in every run
    calls = _SECRETS // _PER_CALL // _PARTS
    ways = itertools.cycle(itertools.product(ECHOES, WRITERS, _FLAVOURS))
    seen = 0
    with asyncio.Runner() as runner:
        for echo, writer, flavour in itertools.islice(ways, part * calls, (part + 1) * calls):
            call = held(source, _PER_CALL)
            kind, http = _FLAVOURS[flavour]
            transport = _answering(_sent_back(echo, call, source, writer))
            client = _client(kind, call, http_client=http(transport=transport, headers=call.client_headers))
            log.clear()
            if flavour == "sync":
                error = _ended_in(client, echo, call)
            else:
                error = runner.run(_ended_in_async(client, echo, call))
            leaked = _leaks(call.all, "\n".join([_shown(error), repr(client), *log]))
            assert not leaked, f"{echo}, {writer}: {leaked[:3]}"
            assert any(line.startswith("run_workflow: POST") for line in log) or echo in ABOUT_RESULTS
            seen += len(set(call.all))
    assert seen == _SECRETS // _PARTS


@pytest.mark.parametrize("flavour", _FLAVOURS)
@pytest.mark.parametrize("writer", WRITTEN_ONCE)
def test_no_line_of_the_libraries_below_shows_a_secret(writer: str, flavour: str, log: list[str]) -> None:
    """On real sockets httpx and httpcore log addresses and the headers of replies, but not what was sent."""
    source = random.Random(writer)  # noqa: S311 - the same texts in every run
    call = held(source, _PER_CALL)
    spelled = [WRITERS[writer](secret) for secret in call.all if secret not in call.client_headers.values()]
    echo = [text.encode() for text in spelled if "\n" not in text]
    reason = b" ".join(text for text in echo if text.isascii())
    head = b"HTTP/1.1 400 " + reason + b"\r\nx-echo: " + b" ".join(echo)
    with raw.RawServer(raw.sends(head + b"\r\ncontent-length: 0\r\n\r\n")) as server:
        if flavour == "sync":
            with _client(PromptLayer, call, base_url=server.url) as client:
                error = _ended_in(client, "message", call)
        else:
            error = asyncio.run(_closed_after(_client(AsyncPromptLayer, call, base_url=server.url), call))
    assert not _leaks(call.all, "\n".join([_shown(error), *log]))
    assert any("receive_response_headers.complete" in line for line in log)
    assert any("HTTP Request: POST" in line for line in log)


async def _closed_after(client: Any, call: Held) -> BaseException:
    async with client:
        return await _ended_in_async(client, "message", call)


def test_lines_of_others_are_left_alone(log: list[str]) -> None:
    """Masking holds for our own requests: a client of the caller's still logs its own in full."""
    call = held(random.Random(1), _PER_CALL)  # noqa: S311 - the same texts in every run
    http = httpx.Client(transport=_answering(httpx.Response(400)))
    _ended_in(_client(PromptLayer, call, http_client=http), "message", call)
    http.get("https://example.com", params={"token": call.api_key})
    assert any(call.api_key in line for line in log)


_UNSPEAKABLE = "\ud800"


@pytest.mark.parametrize("flavour", _FLAVOURS)
def test_no_refusal_shows_a_secret(flavour: str, log: list[str]) -> None:
    """What is refused before it is sent is named by its place alone; no parser's error hangs behind with the text."""
    source = random.Random(7)  # noqa: S311 - the same texts in every run
    call = held(source, _PER_CALL)
    two = call.in_text[3]
    wrong: list[dict[str, Any]] = [
        {"input_variables": {"a": [two + _UNSPEAKABLE]}},
        {"input_variables": {"a": [two, {1: two}]}},
        {"input_variables": {"a": [two, object()]}},
        {"metadata": {"a": two, "b": [two]}},
        {"callback_url": two},
        {"workflow_label_name": two, "workflow_version_number": 1},
    ]
    kind, http = _FLAVOURS[flavour]
    client = _client(kind, call, http_client=http(transport=_answering(httpx.Response(500))))
    for name, arguments in (*(("agent", each) for each in wrong), (two + _UNSPEAKABLE, {})):
        with pytest.raises(BadArgument) as caught:
            _done(client.run_workflow(name, **arguments))
        assert not _leaks([two, *call.all], "\n".join([_shown(caught.value), *log]))


def _done(result: Any) -> Any:
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def test_no_payload_of_a_callback_is_shown() -> None:
    """What comes in from outside is told by its place, and no parser's error hangs behind with the whole of it."""
    secret = "payload-that-nobody-may-see"
    bodies: list[Any] = [
        f'{{"workflow_version_execution_id": "{secret}"}}',
        f'{{"a": "{secret}", '.encode(),
        b"\xff" + secret.encode(),
        f'"{secret}"',
    ]
    for body in bodies:
        with pytest.raises(ContractBroken) as caught:
            read_callback(body)
        assert not _leaks([secret], _shown(caught.value))
    with pytest.raises(BadArgument) as refused:
        read_interactly_event(secret + _UNSPEAKABLE, {}, secret=secret)
    assert not _leaks([secret], _shown(refused.value))


def test_no_secret_is_shown_by_what_holds_it() -> None:
    """Clients, views, policies, items of a batch, receivers and listeners tell what they are, not what they hold."""
    call = held(random.Random(3), _PER_CALL)  # noqa: S311 - the same texts in every run
    client = _client(PromptLayer, call)
    holders = [
        client,
        client.with_run_tags(),
        Interactly(api_key=call.api_key, base_url="https://example.com", headers=call.headers),
        BatchItem("agent", cast("Any", call.arguments)),
        RunCallbacks(print, token=call.api_key.replace("+", "-").replace("/", "-").replace("=", "-")),
        DashboardWebhooks(print, secret=call.api_key),
        InteractlyWebhooks(print, secret=call.api_key),
    ]
    assert not _leaks(call.all, "\n".join(f"{holder!r} {holder}" for holder in holders))


class Chatty(PromptLayer):
    """Planted: an error that tells what the service has said, as it came."""

    def _refined(self, error: WorkflowRunsError) -> WorkflowRunsError:
        error.message += error.response.text if error.response else ""
        return error


@pytest.mark.parametrize("writer", WRITERS)
def test_a_planted_leak_is_seen(writer: str) -> None:
    """The same look at an error finds every secret of one that is not masked, in every spelling."""
    source = random.Random(1)  # noqa: S311 - the same texts in every run
    call = held(source, _PER_CALL)
    transport = _answering(httpx.Response(502, text="\n".join(WRITERS[writer](secret) for secret in call.all)))
    error = _ended_in(_client(Chatty, call, http_client=httpx.Client(transport=transport)), "HTML", call)
    assert _leaks(call.all, _shown(error)) == call.all
