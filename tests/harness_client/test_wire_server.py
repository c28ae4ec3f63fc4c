"""The harness's own server: it takes requests down to the byte and answers anything."""

import contextlib
import socket

import httpx
import pytest

from contract_tests.http.recording_server import Fault, RecordingServer, ScriptedResponse


def raw(server: RecordingServer, request: bytes) -> bytes:
    """Send bytes and give everything that comes back until the connection ends."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        # Where the server was quicker, there is nothing left to shut down: reading tells how it ended.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
        return received


def test_a_request_is_taken_down_as_it_came() -> None:
    """Target, order and spelling of headers, and the body are kept before any decoding."""
    request = (
        b"PATCH /a/%2e%2E//b?x=%20+&x HTTP/1.1\r\nhOST: x\r\nX-Two: 1\r\nx-two:  2\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with (
        RecordingServer() as server,
        server.play(ScriptedResponse(status=299, body=b"ok", media_type="text/x")) as take,
    ):
        received = raw(server, request)

    (seen,) = take.seen
    assert (seen.method, seen.target, seen.body) == ("PATCH", "/a/%2e%2E//b?x=%20+&x", b"abcde")
    assert seen.headers[:3] == (("hOST", "x"), ("X-Two", "1"), ("x-two", "2"))
    assert seen.all("X-TWO") == ["1", "2"]
    assert received == b"HTTP/1.1 299 Answer\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nok"


def test_requests_on_one_connection_are_told_apart() -> None:
    """Pipelined requests get the answers in order, the last one as often as needed."""
    request = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
    with RecordingServer() as server, server.play(ScriptedResponse(status=503), ScriptedResponse(status=200)) as take:
        received = raw(server, request * 3)

    assert [seen.target for seen in take.seen] == ["/1"] * 3
    assert [line for line in received.split(b"\r\n") if line.startswith(b"HTTP")] == [
        b"HTTP/1.1 503 Answer",
        b"HTTP/1.1 200 Answer",
        b"HTTP/1.1 200 Answer",
    ]


def test_what_is_no_http_is_taken_down_as_broken() -> None:
    """A request that breaks HTTP is kept with the reason."""
    with RecordingServer() as server, server.play(ScriptedResponse()) as take:
        raw(server, b"GET /a b HTTP/1.1\r\n\r\n")

    assert len(take.seen) == 1
    assert take.seen[0].broken


@pytest.mark.parametrize(
    ("fault", "received"),
    [
        (Fault.CLOSE, b""),
        (Fault.CUT, b"HTTP/1.1 200 Answer\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n123"),
    ],
)
def test_a_connection_can_end_early(fault: Fault, received: bytes) -> None:
    """Nothing, or half a body, is sent before the connection ends."""
    with RecordingServer() as server, server.play(ScriptedResponse(body=b"123456", fault=fault)) as take:
        assert raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == received

    assert len(take.seen) == 1


def test_a_connection_can_be_reset() -> None:
    """The peer gets a reset, not an orderly end."""
    with (
        RecordingServer() as server,
        server.play(ScriptedResponse(fault=Fault.RESET)),
        pytest.raises(ConnectionResetError),
    ):
        raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_the_answer_to_head_has_no_body() -> None:
    """HEAD gets the head alone, so that the connection can go on."""
    with RecordingServer() as server, server.play(ScriptedResponse(body=b"{}")):
        assert raw(server, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"Content-Length: 2\r\n\r\n")


def test_body_without_end_is_taken_down_as_broken() -> None:
    """A client that never stops sending fills no memory."""
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with RecordingServer() as server, server.play(ScriptedResponse()) as take:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection, contextlib.suppress(OSError):
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(40):
                connection.sendall(chunk)

    assert take.seen[0].broken == "a body of more than 16,777,216 bytes"
    assert not take.seen[0].body


def test_answers_without_a_case() -> None:
    """A server with answers of its own gives them at any time, and keeps what was asked."""
    with RecordingServer(ScriptedResponse(status=201), ScriptedResponse(status=202)) as server:
        statuses = [httpx.post(f"{server.url}/runs", content=b"1").status_code for _ in range(3)]

        assert statuses == [201, 202, 202]
        assert [(seen.method, seen.target, seen.body) for seen in server.seen] == [("POST", "/runs", b"1")] * 3
