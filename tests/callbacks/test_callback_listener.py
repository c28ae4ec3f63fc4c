"""The listener for scripts: a run's outcome arrives, early or late, once, and nobody else can make one up."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import logging
import math
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from callback_subjects import finished, held, json_bytes, node, raw_reply, shown

from workflow_runs import BadArgument, PromptLayer, RunFailed, WaitTimeout
from workflow_runs.callbacks.listener import CallbackListener
from workflow_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 60


@pytest.fixture
def listener() -> Iterator[CallbackListener]:
    """A listener on a free loopback port."""
    with CallbackListener() as listening:
        yield listening


@pytest.fixture(scope="module")
def client() -> Iterator[PromptLayer]:
    """A client of a sandbox whose runs end at once, so that callbacks race with the replies to the runs."""
    with (
        Sandbox(run_seconds=0, options=["--callback-backoff=0.02"]) as sandbox,
        PromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url) as promptlayer,
    ):
        yield promptlayer


def test_script_waits_for_its_run(client: PromptLayer, listener: CallbackListener) -> None:
    """A run that is given the listener's URL can be waited for, by the reply or the id, as often as one likes."""
    run = client.run_workflow("canary", input_variables={"user_message": "hello"}, callback_url=listener.url)

    outcome = listener.wait_for(run, timeout=_SECONDS)

    assert outcome == listener.wait_for(run.workflow_version_execution_id)
    assert outcome == client.wait(run, return_all_outputs=True)
    assert "hello" in outcome.output


def test_all_outputs_arrive_as_nodes(client: PromptLayer, listener: CallbackListener) -> None:
    """A run with all outputs gives the same nodes as waiting for it does."""
    run = client.run_workflow("canary", return_all_outputs=True, callback_url=listener.url)

    assert listener.wait_for(run, timeout=_SECONDS) == client.wait(run, return_all_outputs=True)


def test_failed_run_raises(client: PromptLayer, listener: CallbackListener) -> None:
    """A run without an output raises `RunFailed`, in iteration it is one like the others."""
    run = client.run_workflow("canary", metadata={"sandbox": "fail"}, callback_url=listener.url)

    with pytest.raises(RunFailed) as caught:
        listener.wait_for(run, timeout=_SECONDS)
    assert (caught.value.execution_id, set(caught.value.nodes or {})) == (
        run.workflow_version_execution_id,
        {"Draft", "Reply"},
    )
    assert [each.succeeded for each in itertools.islice(listener, 1)] == [False]


def test_many_runs_arrive_once_each(client: PromptLayer, listener: CallbackListener) -> None:
    """Iteration gives each run once, in whatever order they finish."""
    runs = [client.run_workflow("canary", callback_url=listener.url) for _ in range(10)]

    arrived = [each.execution_id for each in itertools.islice(listener, 10)]

    assert sorted(arrived) == [run.workflow_version_execution_id for run in runs]
    assert list(listener.finished(timeout=0.1)) == []


def test_outcomes_survive_a_killed_sender() -> None:
    """A service that is killed between accepting runs and delivering them delivers them all in the end, seen once."""
    with Sandbox(run_seconds=0.2, options=["--callback-backoff=0.02"]) as sandbox, CallbackListener() as listener:
        with PromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url) as client:
            runs = [client.run_workflow("canary", callback_url=listener.url) for _ in range(8)]
            listener.wait_for(runs[0], timeout=_SECONDS)
            sandbox.kill()
            sandbox.start()
            outcomes = [listener.wait_for(run, timeout=_SECONDS) for run in runs]
            polled = [client.wait(run, return_all_outputs=True) for run in runs]
        arrived = [each.execution_id for each in listener.finished(timeout=0.5)]

    assert outcomes == polled
    assert sorted(arrived) == [run.workflow_version_execution_id for run in runs]


def test_callback_may_come_early_late_or_again(listener: CallbackListener) -> None:
    """An outcome is kept until it is asked for, wakes who waits already, and the first one stays."""
    late = threading.Timer(0.2, httpx.post, (listener.url,), {"json": finished(2, "late")})
    statuses = [httpx.post(listener.url, json=finished(1, output)).status_code for output in ("first", "second")]

    assert statuses == [204, 204]
    late.start()
    assert (listener.wait_for(1, 0).output, listener.wait_for(2, _SECONDS).output) == ("first", "late")
    assert [each.output for each in listener.finished(timeout=0)] == ["first", "late"]
    late.join()


def test_waiting_ends_in_time(listener: CallbackListener) -> None:
    """Without a callback the wait ends in `WaitTimeout` with the execution's id, and can be taken up again."""
    began = time.monotonic()
    with pytest.raises(WaitTimeout) as caught:
        listener.wait_for(5, timeout=0.05)

    assert caught.value.execution_id == 5
    assert time.monotonic() - began >= 0.05
    httpx.post(listener.url, json=finished(5))
    assert listener.wait_for(5, timeout=math.inf).output == "Hello"


def test_closing_wakes_who_waits() -> None:
    """A listener that is closed ends waits and iterations that would go on for ever."""
    listener = CallbackListener()
    httpx.post(listener.url, json=finished(1))
    ended: list[object] = []

    def wait() -> None:
        with pytest.raises(WaitTimeout):
            listener.wait_for(2, timeout=math.inf)
        ended.append("wait")

    def iterate() -> None:
        ended.extend(each.execution_id for each in listener)

    threads = [threading.Thread(target=target, daemon=True) for target in (wait, iterate)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    listener.close()
    for thread in threads:
        thread.join(_SECONDS)

    assert sorted(map(str, ended)) == ["1", "wait"]


def test_closed_listener_gives_what_has_come() -> None:
    """Closing, once or twice, ends the listening; outcomes that have come can still be had."""
    with CallbackListener() as listener:
        httpx.post(listener.url, json=finished(1))
    listener.close()

    assert [each.execution_id for each in listener] == [1]
    assert listener.wait_for(1).output == "Hello"
    with pytest.raises(httpx.ConnectError):
        httpx.post(listener.url, json=finished(3))


def test_oldest_is_dropped_first() -> None:
    """No more runs are kept than asked for."""
    with CallbackListener(keep=2) as listener:
        for execution_id in (1, 2, 3):
            httpx.post(listener.url, json=finished(execution_id))

        assert [each.execution_id for each in listener.finished(timeout=0)] == [2, 3]
        with pytest.raises(WaitTimeout):
            listener.wait_for(1, timeout=0)


def _changed(url: str) -> str:
    return url[:-1] + ("A" if url[-1] != "A" else "B")


@pytest.mark.parametrize(
    ("method", "address", "request_", "status"),
    [
        ("POST", _changed, {"json": finished()}, 404),
        ("GET", _changed, {}, 404),
        ("POST", lambda url: url.rpartition("/")[0] + "/", {"json": finished()}, 404),
        ("GET", str, {}, 405),
        ("PUT", str, {"json": finished()}, 405),
        ("HEAD", str, {}, 405),
        ("POST", str, {"content": b"{}", "headers": {"content-type": "text/html"}}, 415),
        ("POST", str, {"content": b"{"}, 400),
        ("POST", str, {"json": {}}, 400),
        ("POST", str, {"content": b""}, 400),
        ("POST", str, {"content": b"x" * 2000}, 413),
        ("POST", str, {"content": iter([b"x" * 900, b"x" * 900])}, 413),
        ("POST", str, {"content": iter([json_bytes(finished())[:20], json_bytes(finished())[20:]])}, 204),
        ("POST", lambda url: url + "?attempt=2", {"json": finished()}, 204),
    ],
    ids=shown,
)
def test_request_gets_its_status(
    method: str,
    address: Any,
    request_: dict[str, Any],
    status: int,
    *,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What isn't a delivery is told why and not kept; a chunked body is one; standard error stays clean."""
    caplog.set_level(logging.DEBUG, "workflow_runs")
    with CallbackListener(max_bytes=1000) as listener:
        reply = httpx.request(method, address(listener.url), **request_)
        arrived = list(listener.finished(timeout=0))
        token = listener.url.rpartition("/")[2]

    assert (reply.status_code, len(arrived)) == (status, status == 204)
    assert token not in reply.text + caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("content-length: -5", b"", 400),
        ("content-length: 0x10", b"", 400),
        ("content-length: 99999999999999999999", b"", 413),
        ("transfer-encoding: chunked", b"-5\r\nhello", 400),
        ("transfer-encoding: chunked", b"1_0\r\nhello", 400),
        ("transfer-encoding: chunked", b"fffffffffffffff\r\n", 413),
        ("transfer-encoding: chunked", b"", 400),
        ("content-length: 100", b"{", 400),
        ("content-length: 500", b'{"workflow_version_execution_id": 1, "final_output": 1}', 400),
        ("content-length: 2\ncontent-length: 55", b'{"workflow_version_execution_id": 1, "final_output": 1}', 400),
        ("content-length: 2\ncontent-length: 2", b"{}", 400),
        ("content-length: +2", b"{}", 400),
        ("content-length: 2\ntransfer-encoding: chunked", b"0\r\n\r\n", 400),
        ("transfer-encoding: gzip, chunked", b"0\r\n\r\n", 400),
        ("transfer-encoding: chunked", b" 5\r\nhello\r\n", 400),
        ("transfer-encoding: chunked", b"3\r\nhello\r\n", 400),
        ("transfer-encoding: chunked", b"5;" + b"x" * 1000, 431),
        ("x: " + "y" * 10_000, b"", 431),
        ("\n".join(["x: y"] * 200), b"", 431),
        ("x : y", b"", 400),
        ("host: x", b"", 400),
        ("x: y\n folded", b"", 400),
    ],
    ids=str,
)
def test_malformed_request_is_refused(
    listener: CallbackListener, headers: str, body: bytes, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lengths that are none are refused without reading on, and nothing is written to standard error."""
    path = httpx.URL(listener.url).path

    answered, text = raw_reply(listener.url, f"POST {path} HTTP/1.1\nhost: x\n{headers}", body)

    assert answered == status
    assert path.strip("/") not in text
    assert capfd.readouterr() == ("", "")


_BEGUN = {
    "nothing": "",
    "half a line": "POST /who-knows HT",
    "headers": "POST /who-knows HTTP/1.1\nhost: x\nx: ",
    "a body": "POST /who-knows HTTP/1.1\nhost: x\ncontent-length: 9\n\n{",
}


@pytest.mark.parametrize("beginning", _BEGUN.values(), ids=_BEGUN)
def test_slow_strangers_take_neither_threads_nor_the_place_of_a_delivery(beginning: str) -> None:
    """However many connections without the token are held open, a delivery gets through, and the rest stays bounded."""
    with CallbackListener(max_connections=10) as listener:
        before = threading.active_count()
        with held(listener.url, 100, beginning) as connections:
            assert httpx.post(listener.url, json=finished(1)).status_code == 204
            assert threading.active_count() <= before
            assert sum(_is_closed(connection) for connection in connections) >= 90


def test_delivery_that_has_begun_keeps_its_place() -> None:
    """A sender who knows the token isn't dropped for the strangers who come after; if all know it, the newest waits."""
    body = json_bytes(finished(1))
    with CallbackListener(max_connections=3) as listener:
        head = f"POST {httpx.URL(listener.url).path} HTTP/1.1\nhost: x\ncontent-length: {len(body)}\n\n"
        with held(listener.url, 1, head) as (delivery,), held(listener.url, 20, "POST /x"):
            delivery.sendall(body)
            assert delivery.recv(1000).startswith(b"HTTP/1.1 204")
        with held(listener.url, 3, head), pytest.raises(httpx.TransportError):
            httpx.post(listener.url, json=finished(2))


@pytest.mark.parametrize("target", ["/", "/wrong", "/wrong?x=/right"])
def test_stranger_is_refused_after_the_request_line(listener: CallbackListener, target: str) -> None:
    """Without the token neither headers nor a body are read; the answer comes at once."""
    with held(listener.url, 1, f"POST {target} HTTP/1.1\n") as (connection,):
        assert connection.recv(1000).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("size", ["-40000000", "+5", "0x5", "", "5 5", "fffffff"])
def test_chunk_without_a_size_is_refused_at_once(listener: CallbackListener, size: str) -> None:
    """The answer doesn't wait for what such a chunk would hold."""
    head = f"POST {httpx.URL(listener.url).path} HTTP/1.1\nhost: x\ntransfer-encoding: chunked\n\n{size}\n"
    with held(listener.url, 1, head) as (connection,):
        assert connection.recv(1000)[9:12] in {b"400", b"413"}


@pytest.mark.parametrize(
    "beginning", ["POST ", "POST {path} HTTP/1.1\nx:", "POST {path} HTTP/1.1\nhost: x\ncontent-length: 99\n\n"]
)
def test_time_of_a_request_is_bounded_as_a_whole(beginning: str) -> None:
    """A request that trickles is answered 408 when its time is up, though every piece comes in time."""
    with CallbackListener(timeout=0.3) as listener:
        begun = time.monotonic()
        with held(listener.url, 1, beginning.format(path=httpx.URL(listener.url).path)) as (connection,):
            connection.settimeout(0.02)
            answer = b""
            while not answer and time.monotonic() - begun < _SECONDS:
                connection.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < _SECONDS / 2


def test_sender_may_ask_before_it_sends(listener: CallbackListener) -> None:
    """Who expects 100 Continue gets it once the request is wanted."""
    body = json_bytes(finished(1))
    path = httpx.URL(listener.url).path
    head = f"POST {path} HTTP/1.1\nhost: x\nexpect: 100-continue\ncontent-length: {len(body)}\n\n"
    with held(listener.url, 1, head) as (connection,):
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("method", ["BREW", "post", "PROPFIND"])
def test_method_that_nobody_knows_is_refused_like_any_other(listener: CallbackListener, method: str) -> None:
    """Only POST delivers; the rest is the sender's mistake, and not the listener's."""
    answered, _ = raw_reply(listener.url, f"{method} {httpx.URL(listener.url).path} HTTP/1.1\nhost: x", b"")
    assert answered == 405


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return not connection.recv(1000) or not connection.recv(1000)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_listener_may_be_at_an_address_of_ipv6() -> None:
    """Its URL has the brackets that such an address needs."""
    try:
        listener = CallbackListener(host="::1")
    except BadArgument:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert listener.url.startswith("http://[::1]:")
        assert httpx.post(listener.url, json=finished(5)).status_code == 204


@pytest.mark.parametrize(
    ("before", "line", "status"),
    [
        ("", "HTTP/1.1\nhost: x", 204),
        ("", "HTTP/1.1\nhost:", 204),
        ("", "HTTP/1.0\nx: y", 204),
        ("", "HTTP/1.1\nx: y", 400),
        ("\n", "HTTP/1.1\nhost: x", 204),
        ("\n\n", "HTTP/1.1\nhost: x", 400),
    ],
)
def test_a_request_names_its_host_once(listener: CallbackListener, before: str, line: str, status: int) -> None:
    """As HTTP/1.1 demands it of every request; one empty line may come before a request."""
    body = json.dumps(finished()).encode()
    fields = f"content-type: application/json\ncontent-length: {len(body)}"
    head = f"{before}POST {httpx.URL(listener.url).path} {line}\n{fields}"
    assert raw_reply(listener.url, head, body)[0] == status


def test_sender_that_breaks_off_is_no_matter(listener: CallbackListener, capfd: pytest.CaptureFixture[str]) -> None:
    """A connection that is reset in the middle leaves no trace on standard error, and the next one is served."""
    address = httpx.URL(listener.url)
    for _ in range(3):
        connection = socket.create_connection((address.host, address.port or 0))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(f"POST {address.path} HTTP/1.1\r\ncontent-length: 50\r\n\r\n{{".encode())
        connection.close()

    assert httpx.post(listener.url, json=finished()).status_code == 204
    assert capfd.readouterr() == ("", "")


def test_address_cannot_be_guessed_or_read_off() -> None:
    """Each listener has a token of its own in its URL, which its `repr` doesn't show; a tunnel's address keeps it."""
    with CallbackListener() as one, CallbackListener(public_url="https://tunnel.test/x/") as other:
        token = one.url.rpartition("/")[2]

        assert one.url.startswith("http://127.0.0.1:")
        assert len(token) >= 32
        assert other.url.startswith("https://tunnel.test/x/")
        assert token not in repr(one) + other.url
        assert repr(one).startswith("<CallbackListener 127.0.0.1:")
    assert repr(one) == "<CallbackListener closed>"


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("port", lambda listener: CallbackListener(port=httpx.URL(listener.url).port or 0)),
        ("port", lambda _: CallbackListener(port=99999)),
        ("port", lambda _: CallbackListener(host="listener.invalid")),
        ("max_bytes", lambda _: CallbackListener(max_bytes=0)),
        ("keep", lambda _: CallbackListener(keep=0)),
        ("keep", lambda _: CallbackListener(keep="5")),  # type: ignore[arg-type]
        ("max_connections", lambda _: CallbackListener(max_connections=0)),
        ("timeout", lambda _: CallbackListener(timeout=0)),
        ("timeout", lambda _: CallbackListener(timeout=math.nan)),
        ("timeout", lambda _: CallbackListener(timeout="5")),  # type: ignore[arg-type]
        ("port", lambda _: CallbackListener(port=-1)),
        ("port", lambda _: CallbackListener(host="x" * 100)),
        ("timeout", lambda listener: listener.wait_for(1, timeout="5")),
        ("port", lambda _: CallbackListener(port="80")),  # type: ignore[arg-type]
        ("host", lambda _: CallbackListener(host="")),
        ("host", lambda _: CallbackListener(host="a\0b")),
        ("public_url", lambda _: CallbackListener(public_url="abc.example.com")),
        ("run", lambda listener: listener.wait_for("98765")),
        ("run", lambda listener: listener.wait_for(bool(1))),
        ("timeout", lambda listener: listener.wait_for(1, timeout=-1)),
        ("timeout", lambda listener: listener.wait_for(1, timeout=math.nan)),
        ("timeout", lambda listener: listener.finished(timeout=-1)),
    ],
)
def test_bad_argument_is_refused(listener: CallbackListener, field: str, call: Any) -> None:
    """An argument that makes no sense is one typed error that names it."""
    with pytest.raises(BadArgument) as caught:
        call(listener)
    assert caught.value.field == field


def test_own_failure_form_is_read(listener: CallbackListener) -> None:
    """The callback page's word FAILURE raises as FAILED does."""
    httpx.post(listener.url, json=finished(1, {"Reply": node("FAILURE", None, error_message="too long")}))

    with pytest.raises(RunFailed, match="no output node succeeded"):
        listener.wait_for(1, timeout=0)


def test_who_connects_while_it_closes_is_let_go() -> None:
    """No connection is accepted and then forgotten: such a one would stay open, and be an unclosed socket here."""
    for _ in range(60):
        with CallbackListener() as listener:
            port = httpx.URL(listener.url).port or 0
            knocking = threading.Thread(target=_knock, args=(port,))
            knocking.start()
        knocking.join()
    gc.collect()


def _knock(port: int) -> None:
    for _ in range(3):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
