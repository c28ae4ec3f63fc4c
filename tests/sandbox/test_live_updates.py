"""The WebSocket over which the vendor's own libraries wait for the end of a run."""

import json
import socket
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import BytesMessage, CloseConnection, Event, Request, TextMessage

from workflow_sandbox import Sandbox
from workflow_sandbox.live_updates import LARGEST_OUTPUT

KEY = {"X-API-KEY": "sandbox-key"}


class Closed(Exception):
    """The server has closed the socket; the argument is its code."""


class Connection:
    """A WebSocket to the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Connect."""
        address = urlsplit(sandbox.promptlayer_url)
        self._tcp = socket.create_connection((address.hostname, address.port), timeout=30)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events = iter(())
        self.send(Request(host=address.netloc, target="/connection/websocket"))
        self._next()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.close()

    def send(self, event: Event) -> None:
        """Send an event."""
        self._tcp.sendall(self._protocol.send(event))

    def receive_text(self) -> str:
        """Return the next text; raises Closed."""
        match self._next():
            case TextMessage(data=text):
                return text
            case CloseConnection(code=code):
                raise Closed(code)
            case other:
                raise AssertionError(other)

    def _next(self) -> Event:
        while (event := next(self._events, None)) is None:
            self._protocol.receive_data(self._tcp.recv(65_536) or None)
            self._events = self._protocol.events()
        return event


def api(sandbox: Sandbox, method: str, path: str, **request: Any) -> httpx.Response:
    """Return the response to a request with the key."""
    return httpx.request(method, sandbox.promptlayer_url + path, **{"headers": KEY, **request})


def token_for(sandbox: Sandbox, channel: str) -> str:
    """Return a token for a channel."""
    response = api(sandbox, "POST", "/ws-token-request-library", params={"capability": channel})
    assert (response.status_code, response.json()["messaging_backend"]) == (201, "centrifugo")
    return str(response.json()["token_details"]["token"])


def ask(connection: Connection, **command: Any) -> Any:
    """Send a command and return its reply."""
    connection.send(TextMessage(json.dumps({"id": 1, **command})))
    return json.loads(connection.receive_text())


def start(sandbox: Sandbox, message: str = "Hello", **more: Any) -> int:
    """Start a run and return its id."""
    body = {"input_variables": {"user_message": message}, **more}
    response = api(sandbox, "POST", "/workflows/canary/run", json=body)
    return int(response.json()["workflow_version_execution_id"])


def ended(connection: Connection, channel: str) -> Any:
    """Return what a message on a channel says of a run that has ended."""
    push = json.loads(connection.receive_text())["push"]
    assert (push["channel"], push["pub"]["data"]["message_name"]) == (channel, "SET_WORKFLOW_COMPLETE")
    return json.loads(push["pub"]["data"]["data"])


@pytest.mark.parametrize(("all_outputs", "shown"), [(False, "agent"), (True, "Draft")])
def test_the_end_of_a_run_is_told_on_the_channel_it_names(sandbox: Sandbox, *, all_outputs: bool, shown: str) -> None:
    """Python's library subscribes first and names the channel when it starts the run."""
    workflow = api(sandbox, "GET", "/workflows/canary").json()["workflow"]["id"]
    channel = f"workflows:{workflow}:run:abc"
    with Connection(sandbox) as connection:
        assert "connect" in ask(connection, connect={"token": token_for(sandbox, channel)})
        assert ask(connection, subscribe={"channel": channel}) == {"id": 1, "subscribe": {}}
        run_id = start(sandbox, return_all_outputs=all_outputs, channel_name_suffix="abc")
        message = ended(connection, channel)

    assert (message["workflow_version_execution_id"], message["result_code"]) == (run_id, "OK")
    assert shown in json.dumps(message["final_output"])


def test_who_subscribes_to_a_run_that_has_ended_is_told_at_once(sandbox: Sandbox) -> None:
    """JavaScript's library subscribes to the run's own channel after it has started the run."""
    run_id = start(sandbox)
    channel = f"workflow_updates:{run_id}"
    query = {"workflow_version_execution_id": run_id}
    while api(sandbox, "GET", "/workflow-version-execution-results", params=query).status_code != 200:
        pass
    with Connection(sandbox) as connection:
        ask(connection, connect={"token": token_for(sandbox, channel)})
        ask(connection, subscribe={"channel": channel})
        assert ended(connection, channel)["workflow_version_execution_id"] == run_id
        assert ask(connection, unsubscribe={"channel": channel}) == {"id": 1, "unsubscribe": {}}
        assert ask(connection, history={})["error"]["code"] == 104


def test_an_output_too_long_for_a_message_has_to_be_asked_for(sandbox: Sandbox) -> None:
    """The message says so, and the results operation has it."""
    with Connection(sandbox) as connection:
        run_id = start(sandbox, "x" * LARGEST_OUTPUT)
        channel = f"workflow_updates:{run_id}"
        ask(connection, connect={"token": token_for(sandbox, channel)})
        ask(connection, subscribe={"channel": channel})
        assert ended(connection, channel) == {
            "workflow_version_execution_id": run_id,
            "result_code": "EXCEEDS_SIZE_LIMIT",
        }


def test_a_token_is_good_for_its_own_channel(sandbox: Sandbox) -> None:
    """Another channel is refused; without a right token, or with bytes, the socket is closed."""
    token = token_for(sandbox, "workflow_updates:1")
    with Connection(sandbox) as connection:
        ask(connection, connect={"token": token})
        assert ask(connection, subscribe={"channel": "workflow_updates:2"})["error"]["code"] == 103
    for command in (
        {"connect": {"token": token.replace(":1", ":2")}},
        {"subscribe": {"channel": "workflow_updates:1"}},
    ):
        with Connection(sandbox) as connection, pytest.raises(Closed) as closed:
            ask(connection, **command)
        assert closed.value.args[0] == 3500
    with Connection(sandbox) as connection:
        connection.send(BytesMessage(b"\x00"))
        with pytest.raises(Closed) as closed:
            connection.receive_text()
    assert closed.value.args[0] == 3501


def test_a_token_needs_the_key(sandbox: Sandbox) -> None:
    """As everything of the service does."""
    channel = {"capability": "a"}
    assert api(sandbox, "POST", "/ws-token-request-library", params=channel, headers={}).status_code == 401
    assert api(sandbox, "POST", "/ws-token-request-library").status_code == 422
