"""A live target is treated with care: tags, waits, callbacks through a public address, growth that is no breach."""

import contextlib
import email.utils
import socket
import time
from pathlib import Path

import httpx
import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import judge, promptlayer, targets_file
from server_breaks import is_results, is_run, members, wants_all

from contract_tests.http.callback_listener import Listener
from workflow_sandbox.server import Sandbox

SIDE = ("--side", "server", "--seed", "1", "--target", "mine", "--targets")


def test_every_run_carries_the_tag(tmp_path: Path, sandbox: Sandbox) -> None:
    """On a target that is not on loopback no run starts without the tag that the report names."""
    accepted: list[Request] = []

    def after(request: Request, reply: Reply) -> None:
        if is_run(request) and reply.status in (201, 202):
            accepted.append(request)

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        address = proxy.url.replace("127.0.0.1", "0.0.0.0")
        path = targets_file(tmp_path, {"mine": promptlayer(address, callback_listen=None)})
        judgement = judge(tmp_path, *SIDE, str(path), "-k", "PL-RUN-*")
    tag = judgement.report["targets"][0]["tag"]

    assert judgement.status == 0
    assert len(accepted) > 5
    assert {members(request)["metadata"]["contract_tests_run"] for request in accepted} == {tag}
    assert judgement.row("PL-RUN-11-METADATA")["verdict"] == "not_exercised"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_may_be_a_date(status: int, tmp_path: Path, sandbox: Sandbox) -> None:
    """Retry-After is obeyed in its other form too, with 429 as with 503."""
    told: list[float] = []

    def after(_: Request, reply: Reply) -> None:
        if not told:
            told.append(time.time())
            reply.status = status
            reply.headers["retry-after"] = email.utils.formatdate(time.time() + 2, usegmt=True)

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, str(path), "-k", "PL-RUN-02")

    assert judgement.row("PL-RUN-02")["verdict"] == "pass"
    assert proxy.seen[1].path == proxy.seen[0].path
    assert is_run(proxy.seen[2])  # the same without its fault
    assert time.time() - told[0] > 1


def test_growth_is_information(tmp_path: Path, sandbox: Sandbox) -> None:
    """A new member and a new word for a status are listed with their places, and break nothing."""

    def after(request: Request, reply: Reply) -> None:
        if is_run(request) and reply.status == 201:
            reply.replace_json({**reply.json, "queue_position": 3})
        if is_results(request) and wants_all(request) and reply.status == 200:
            grown = {"Cache": {**reply.json["Draft"], "status": "CACHED"}}
            reply.replace_json({**reply.json, **grown})

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, str(path), "-k", "PL-RES-2*")
    noted = {(note["kind"], note["name"], note["operation"]) for note in judgement.report["information"]}

    assert judgement.violations == []
    assert ("unknown member", "queue_position", "runWorkflow") in noted
    assert ("unknown word", "CACHED", "getWorkflowVersionExecutionResults") in noted


def test_listener_works_behind_a_public_address() -> None:
    """What comes through a proxy that cuts the public path is kept whole; a stranger's call is answered 404."""
    with Listener("127.0.0.1:0", "https://public.example/hooks") as public, Listener("127.0.0.1:0") as near:
        assert public.new_url("runWorkflow").startswith("https://public.example/hooks/callback/")
        given = near.new_url("runWorkflow")
        posted = httpx.post(given, content=iter([b'{"a"', b": 1}"]), trust_env=False)
        origin = given.partition("/callback/")[0]
        strange = httpx.post(f"{origin}/callback/unknown", json={}, trust_env=False)

        assert (posted.status_code, strange.status_code) == (200, 404)
        assert [delivery.body for delivery in near.all_deliveries("runWorkflow")] == [b'{"a": 1}']
        assert near.deliveries(given)[0].is_exact


def test_slow_strangers_do_not_keep_a_callback_out() -> None:
    """Connections that never say what they want make room for one that knows an address; a broken body is kept."""
    with Listener("127.0.0.1:0") as listener, contextlib.ExitStack() as strangers:
        given = httpx.URL(listener.new_url("runWorkflow"))
        address = given.host, given.port or 0
        for _ in range(300):
            strangers.enter_context(socket.create_connection(address)).sendall(b"POST /callback/unknown HT")
        head = f"POST {given.raw_path.decode()} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked"
        with socket.create_connection(address) as sender:
            sender.sendall(f"{head}\r\n\r\n2\r\n{{}}\r\n-5\r\n".encode())

            assert sender.recv(1000).startswith(b"HTTP/1.1 400")
        assert [each.body for each in listener.deliveries(str(given))] == [b"{}"]


def test_address_without_its_query_is_another_one() -> None:
    """What comes to the path alone is kept, but not as what was asked for."""
    with Listener("127.0.0.1:0") as listener:
        given = listener.new_url("runWorkflow")
        httpx.post(given.partition("?")[0], json={}, trust_env=False)

        assert not listener.deliveries(given)[0].is_exact


def test_coverage_counts_both_directions(tmp_path: Path) -> None:
    """Every kind of part is counted, in requests and in replies, and so are the rules."""
    coverage = judge(tmp_path, "--side", "server", "-k", "PL-RES-26", "--seed", "1").report["coverage"]

    assert "runWorkflow input_variables" in coverage["members"]["exercised"]
    assert "runWorkflow 201 workflow_version_execution_id" in coverage["reply_members"]["exercised"]
    assert "getWorkflowVersionExecutionResults 200 *.status" in coverage["reply_members"]["exercised"]
    assert "executeWorkflow 200" in coverage["statuses"]["not_exercised"]
    assert coverage["rules"]["exercised"] == ["PL-RES-26"]
    assert set(coverage) == {
        "percent",
        "operations",
        "parameters",
        "members",
        "request_media_types",
        "statuses",
        "media_types",
        "reply_members",
        "examples",
        "rules",
    }
