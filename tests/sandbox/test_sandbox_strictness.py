"""What the sandbox refuses, with which status, and what it must not trip over."""

import json
import re
import socket

import httpx
import pytest
from sandbox_calls import INTERACTLY_WORKFLOW, execute, poll, run

from workflow_sandbox import Sandbox

_RUN = "/workflows/canary/run"
_RESULTS = "/workflow-version-execution-results"
_JSON = {"content-type": "application/json"}


def _nested(levels: int) -> str:
    return '{"input_variables": {"a": ' + "[" * (levels - 2) + "]" * (levels - 2) + "}}"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("workflow_label_name", 1),
        ("workflow_version_number", "1"),
        ("workflow_version_number", True),
        ("workflow_version_number", 1.5),
        ("metadata", {"key": 1}),
        ("metadata", []),
        ("input_variables", None),
        ("input_variables", []),
        ("return_all_outputs", "true"),
        ("return_all_outputs", 1),
        ("return_all_outputs", None),
        ("callback_url", "example.com/path"),
        ("callback_url", "/relative"),
        ("callback_url", ""),
        ("callback_url", "http://a b/"),
        ("callback_url", "http://[::g]/"),
        ("callback_url", "http://a/%zz"),
        ("callback_url", "http://ä/"),
        ("callback_url", 1),
    ],
)
def test_member_of_the_wrong_type_is_422_and_named(promptlayer: httpx.Client, member: str, value: object) -> None:
    """A body member that is not what the contract says is refused, and the reply points at it."""
    response = promptlayer.post(_RUN, json={member: value})

    assert response.status_code == 422
    assert [problem["loc"][:2] for problem in response.json()["detail"]] == [["body", member]]


@pytest.mark.parametrize(
    "url", ["http://x.invalid", "HTTPS://x.invalid/", "http://[::1]:1/", "http://[v1.a]/?q#f", "http://a:b@h:1"]
)
def test_any_address_of_http_is_taken_as_callback(promptlayer: httpx.Client, url: str) -> None:
    """Every URI of HTTP is a legal callback URL, also one that can't be delivered to."""
    assert promptlayer.post(_RUN, json={"callback_url": url}).status_code == 202


@pytest.mark.parametrize(
    "url",
    [
        *("urn:isbn:1", "ftp://x.invalid/", "mailto:a@b.invalid", "a:", "http:", "https:a"),
        *("http://", "HTTPS:///a", "http://?q", "http://#f", "http://:1", "http://a@", "http://a:b@:1/"),
    ],
)
def test_an_address_of_anything_else_is_no_callback(promptlayer: httpx.Client, url: str) -> None:
    """Other URIs, and those without a host, are none that an outcome could be posted to."""
    response = promptlayer.post(_RUN, json={"callback_url": url})

    assert response.status_code == 422
    assert [problem["loc"] for problem in response.json()["detail"]] == [["body", "callback_url"]]


def test_label_and_number_together_are_refused(promptlayer: httpx.Client) -> None:
    """A label and a version number exclude each other, even if both name the same version."""
    body = {"workflow_label_name": "production", "workflow_version_number": 1}

    assert promptlayer.post(_RUN, json=body).status_code == 422


@pytest.mark.parametrize(
    "choice",
    [
        {"workflow_label_name": "staging"},
        {"workflow_label_name": "pro\x00duction"},
        {"workflow_version_number": 3},
        {"workflow_version_number": -1},
        {"workflow_version_number": 10**4000},
    ],
)
def test_unknown_version_is_404(promptlayer: httpx.Client, choice: dict[str, object]) -> None:
    """A label or number that no version has is not found, however odd it is."""
    assert promptlayer.post(_RUN, json=choice).status_code == 404


@pytest.mark.parametrize("name", ["nope", "%2F", "a%2Fb", "%00", "%0A", "%FF", "%C3%A4", "canary%2Frun", "canary%20"])
def test_unknown_workflow_is_404(promptlayer: httpx.Client, name: str) -> None:
    """A name that no workflow has is not found, whatever it holds."""
    assert promptlayer.post(f"/workflows/{name}/run", json={}).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff\xfe",
        b"1" * 5000,
        b"[" * 100_000,
        _nested(201).encode(),
    ],
    ids=repr,
)
def test_body_that_is_no_json_object_is_422(promptlayer: httpx.Client, content: bytes) -> None:
    """Malformed, boundless or non-object bodies are refused without harm."""
    assert promptlayer.post(_RUN, content=content, headers=_JSON).status_code == 422


def test_body_nested_to_the_limit_is_accepted(promptlayer: httpx.Client) -> None:
    """Nesting is refused only beyond the limit."""
    assert promptlayer.post(_RUN, content=_nested(200), headers=_JSON).status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_body_of_another_media_type_is_422(promptlayer: httpx.Client, media_type: str) -> None:
    """A body that does not call itself JSON is refused, with a reply that says so."""
    response = promptlayer.post(_RUN, content=b"{}", headers={"content-type": media_type})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["header", "content-type"]


def test_unknown_members_and_parameters_are_accepted(promptlayer: httpx.Client) -> None:
    """The contract is open, so members and parameters that it does not know are ignored."""
    run_id = run(promptlayer, channel_name_suffix="x", nonsense=[1])

    assert poll(promptlayer, run_id, workflow_node_name="Draft").status_code in {200, 202}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "workflow_version_execution_id=",
        "workflow_version_execution_id=one",
        "workflow_version_execution_id=1.0",
        "workflow_version_execution_id=%2B1",
        "workflow_version_execution_id=1_0",
        "workflow_version_execution_id=%D9%A1",
        "workflow_version_execution_id=1&workflow_version_execution_id=2",
        "workflow_version_execution_id=1&return_all_outputs=1",
        "workflow_version_execution_id=1&return_all_outputs=True",
        "workflow_version_execution_id=1&return_all_outputs=",
        "workflow_version_execution_id=1&return_all_outputs=true&return_all_outputs=true",
    ],
)
def test_query_that_is_not_what_the_contract_says_is_422(promptlayer: httpx.Client, query: str) -> None:
    """A missing, repeated or mistyped query parameter is refused."""
    assert promptlayer.get(f"{_RESULTS}?{query}").status_code == 422


@pytest.mark.parametrize("run_id", ["0", "-1", "1", "9223372036854775808", "-9223372036854775809", "9" * 5000])
def test_unknown_run_is_404(promptlayer: httpx.Client, run_id: str) -> None:
    """An id that no run has is not found, also beyond 64 bits."""
    assert promptlayer.get(f"{_RESULTS}?workflow_version_execution_id={run_id}").status_code == 404


@pytest.mark.parametrize("key", [None, "", "wrong", "sandbox-keys", "\xe4"])
def test_missing_or_bad_key_is_401_before_anything_else(sandbox: Sandbox, key: str | None) -> None:
    """Without the right key both PromptLayer operations say 401, even to requests that are wrong otherwise."""
    headers: dict[bytes, bytes] = {} if key is None else {b"X-API-KEY": key.encode("latin-1")}
    started = httpx.post(f"{sandbox.promptlayer_url}/workflows/a%2Fb/run", content=b"{", headers=headers)
    polled = httpx.get(sandbox.promptlayer_url + _RESULTS, headers=headers)

    assert (started.status_code, polled.status_code) == (401, 401)
    assert isinstance(started.json()["message"], str)


@pytest.mark.parametrize("value", [None, "Bearer", "Bearer wrong", "Basic sandbox-key", "sandbox-key"])
def test_missing_or_bad_bearer_is_401_before_anything_else(sandbox: Sandbox, value: str | None) -> None:
    """Without the right bearer Interactly's operation says 401, even to requests that are wrong otherwise."""
    headers = {} if value is None else {"Authorization": value}
    response = httpx.post(f"{sandbox.interactly_url}/v1/workflows/short/execute", content=b"{", headers=headers)

    assert response.status_code == 401
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", _RUN, "POST"),
        ("DELETE", _RUN, "POST"),
        ("POST", _RESULTS, "GET"),
        ("HEAD", _RESULTS, "GET"),
        ("PUT", f"/workflows/v1/workflows/{INTERACTLY_WORKFLOW}/execute", "POST"),
    ],
)
def test_other_method_is_405_and_says_which_is_allowed(sandbox: Sandbox, method: str, path: str, allowed: str) -> None:
    """A known path with another method is 405 with the Allow header."""
    response = httpx.request(method, sandbox.promptlayer_url + path)

    assert response.status_code == 405
    assert response.headers["allow"] == allowed


def test_unknown_path_is_404_in_json(sandbox: Sandbox) -> None:
    """A path that no operation has is 404, in JSON as every error, and never a redirect."""
    for path in ("/docs", "/openapi.json", f"{_RUN}/"):
        response = httpx.get(sandbox.promptlayer_url + path)

        assert response.status_code == 404
        assert isinstance(response.json()["message"], str)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("command", "begin"),
        ("command", None),
        ("dynamic_variables", None),
        ("runtime_variables", []),
        ("miscellaneous", "x"),
        ("workflow_id", "5EB7CF5A86D9755DF3A6C593"),
        ("workflow_id", INTERACTLY_WORKFLOW + "\n"),
        ("workflow_run_id", "short"),
        ("version_number", "0"),
        ("version_number", False),
        ("run_by", 1),
        ("team_id", {}),
        ("thread_to_node_inputs", None),
        ("thread_to_node_inputs", {"0": []}),
        ("thread_to_node_inputs", {"0": {"node_run_inputs": {}}}),
    ],
)
def test_run_input_of_the_wrong_type_is_422(interactly: httpx.Client, member: str, value: object) -> None:
    """A run input member that is not what the contract says is refused, and the reply points at it."""
    response = execute(interactly, None, **{member: value})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:2] == ["body", member]


@pytest.mark.parametrize(
    ("workflow_id", "version", "status"),
    [
        ("short", None, 422),
        ("5EB7CF5A86D9755DF3A6C593", None, 422),
        (f"{INTERACTLY_WORKFLOW}%0A", None, 422),
        ("a%2Fb", None, 422),
        ("0" * 24, None, 404),
        (INTERACTLY_WORKFLOW, "-1", 422),
        (INTERACTLY_WORKFLOW, "one", 422),
        (INTERACTLY_WORKFLOW, "7", 404),
        (INTERACTLY_WORKFLOW, "9" * 5000, 404),
    ],
)
def test_bad_or_unknown_workflow_or_version(
    interactly: httpx.Client, workflow_id: str, version: str | None, status: int
) -> None:
    """A malformed id or version is 422, an unknown one 404."""
    query = "" if version is None else f"?version={version}"
    response = interactly.post(f"/v1/workflows/{workflow_id}/execute{query}", json={})

    assert response.status_code == status


def test_caller_who_hangs_up_does_no_harm(sandbox: Sandbox, promptlayer: httpx.Client) -> None:
    """A request cut off in its body leaves the server working and is no error of its own."""

    def cut_off() -> object:
        yield b"{"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        promptlayer.post(_RUN, content=cut_off(), headers=_JSON)  # type: ignore[arg-type]

    assert json.loads(promptlayer.post(_RUN, json={}).content)["success"] is True
    assert "Traceback" not in sandbox.log


_HEAD = b"POST /workflows/canary/run HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        _HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\nhello",
        _HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        _HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        _HEAD + b"host: y\r\n\r\n",
        b"POST /workflows/canary/run HTTP/1.1\r\n\r\n",
        _HEAD + b"x: " + b"y" * 300_000,
        _HEAD + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
    ids=["chunk", "two lengths", "other length", "two hosts", "no host", "endless head", "long head"],
)
def test_what_is_no_http_is_refused_in_a_line(sandbox: Sandbox, request_bytes: bytes) -> None:
    """It is answered 400, the connection ends, and no log is filled."""
    address = httpx.URL(sandbox.promptlayer_url)
    with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")

    assert "Traceback" not in sandbox.log


def test_requests_may_come_before_the_responses_of_others(sandbox: Sandbox) -> None:
    """What is sent at once on one connection is answered in order, and trailers of a body are nobody's headers."""
    key = f"host: x\r\nx-api-key: {sandbox.api_key}\r\n".encode()
    run = (
        b"POST /workflows/canary/run HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
        + key
        + b"\r\n2\r\n{}\r\n0\r\nx-api-key: other\r\n\r\n"
    )
    last = b"GET /nowhere HTTP/1.1\r\nconnection: close\r\n" + key + b"\r\n"
    address = httpx.URL(sandbox.promptlayer_url)
    with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
        connection.sendall(run + run + last)
        answered = b"".join(iter(lambda: connection.recv(4096), b""))

    assert re.findall(rb"HTTP/1.1 (\d+)", answered) == [b"201", b"201", b"404"]
