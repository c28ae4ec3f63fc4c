"""A wrong set-up is no breach: exit status 2 and one line that says what to check, before any rule is judged."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import KEY_ENV, Judgement, interactly, judge, promptlayer, targets_file
from server_breaks import is_run
from turns_server import TurnsServer
from wrong_servers import ScriptedResponse, hangs, message, page, reply, says, serving

from support.certificate import certificate
from workflow_sandbox.server import Sandbox

QUICKLY = {"total_timeout": 3}  # of which a server that answers takes next to nothing, but on a busy machine
SIDE = ("--side", "server", "--target", "mine", "--targets")


def judged(directory: Path, table: dict[str, Any], *arguments: str) -> Judgement:
    """Judge a server by its table."""
    return judge(directory, *SIDE, str(targets_file(directory, {"mine": table})), *arguments)


def the_line(judgement: Judgement, capsys: pytest.CaptureFixture[str]) -> str:
    """Check that nothing was judged, and give the one line."""
    lines = capsys.readouterr().err.splitlines()
    assert judgement.status == 2
    assert len(lines) == 1, lines
    assert {row["verdict"] for row in judgement.report["results"]} == {"not_exercised"}
    assert judgement.report["run"]["state"] == "not run"
    assert judgement.report["run"]["reason"] in lines[0]
    assert lines[0].startswith("contract_tests: target mine: ")
    return lines[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_key_env": "HARNESS_OTHER"}, r"answered 401 .*; the key is not taken: check HARNESS_OTHER"),
        ({"api_key_env": "HARNESS_BROKEN"}, r"variable HARNESS_BROKEN has line breaks"),
        ({"workflow": "nobody"}, r"runWorkflow .* answered 404 .*check workflow \(nobody\) and the path of base_url"),
        ({"label": "nobody"}, r"answered 404 .*; no such label there: check label \(nobody\)"),
        ({"version": 77}, r"answered 404 .*; no such version there: check version \(77\)"),
        ({"base_url": "{url}/api/v9"}, r"answered 404 .*check workflow \(canary\) and the path of base_url"),
        ({"base_url": "https{url[4:]}"}, r"the port speaks no TLS"),
        ({"base_url": "http://127.0.0.1:9"}, r"cannot be reached: .*refused"),
        ({"base_url": "http://no-such-host.invalid"}, r"cannot be reached: its host name cannot be resolved"),
        ({"ca_file": "nowhere.pem"}, r"ca_file \S+nowhere.pem cannot be used: "),
    ],
)
def test_wrong_field(  # noqa: PLR0917 - fixtures
    changes: dict[str, Any],
    words: str,
    tmp_path: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong field of the target's table is named."""
    monkeypatch.setenv("HARNESS_OTHER", "not-the-key")
    monkeypatch.setenv("HARNESS_BROKEN", "a-key\n")
    if "base_url" in changes:
        url = changes["base_url"].replace("{url}", sandbox.promptlayer_url)
        changes = {"base_url": url.replace("{url[4:]}", sandbox.promptlayer_url[4:])}
    line = the_line(judged(tmp_path, promptlayer(sandbox.promptlayer_url, **changes)), capsys)

    assert re.search(words, line), line
    assert "not-the-key" not in line


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page("200 OK"), r"answered 200 text/html .*such as a login page: check base_url"),
        (page("403 Forbidden"), r"answered 403 text/html .*firewall or proxy"),
        (page("404 Not Found"), r"answered 404 text/html .*check workflow"),
        (message("403 Forbidden"), r"answered 403 .*the key is not taken"),
        (message("503 Service Unavailable"), r"answered 503 .*the service is not available"),
        (message("503 Service Unavailable", "retry-after: 3600"), r"left alone for another 3600 seconds; come back"),
        (
            message("429 Too Many Requests", "retry-after: 3600"),
            r"left alone for another 3600 seconds.*requests_per_sec",
        ),
        (message("429 Too Many Requests"), r"answered 429 .*lower requests_per_second"),
        (page("502 Bad Gateway"), r"answered 502 text/html .*the service is not available"),
        (reply("302 Found", "", "location: https://other.example/"), r"redirects to https://other.example/: base_url"),
        (reply("405 Method Not Allowed"), r"answered 405 without content type \(no body\).*base_url"),
        (message("422 Unprocessable Content"), r"answered 422 .*check workflow \(canary\), input_variables"),
        (message("200 OK"), r"answered 200 .*nothing is started and nothing refused: is base_url \(\S+\) this service"),
        (message("500 Internal Server Error"), r"answered 500 .*nothing is started and nothing refused"),
        (reply("204 No Content"), r"answered 204 .*nothing is started and nothing refused"),
        (hangs, r"no complete reply within 0.5 seconds.*is it this service"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), r"no complete reply: RemoteProtocolError.*is it this service"),
        (
            says(b'HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{"succ'),
            r"no complete reply: .*is it this service",
        ),
        (says(b""), r"no complete reply: .*is it this service"),
    ],
)
def test_wrong_server(answer: ScriptedResponse, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What answers there, but not as the service does, is told by what it said."""
    limit = {"total_timeout": 0.5} if "within 0.5" in words else QUICKLY
    with serving(answer) as url:
        line = the_line(judged(tmp_path, promptlayer(url, **limit)), capsys)

    assert re.search(words, line), line


def test_other_generation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An Interactly target that serves the other form of execute is named by its field."""
    with TurnsServer() as server:
        line = the_line(judged(tmp_path, interactly(server.url, generation="a")), capsys)

    assert "it takes the other form of execute: generation is a" in line


def test_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A TLS port wants https, an authority of one's own a ca_file; with it the request gets through."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with serving(message("401 Unauthorized"), context) as url:
        plain = the_line(judged(tmp_path, promptlayer(url.replace("https", "http"), **QUICKLY)), capsys)
        strange = the_line(judged(tmp_path, promptlayer(url, **QUICKLY)), capsys)
        trusted = the_line(judged(tmp_path, promptlayer(url, ca_file="only.pem", **QUICKLY)), capsys)

    assert "the port speaks TLS: base_url has to begin with https://" in plain
    assert "its certificate is not trusted; name its own authority in ca_file" in strange
    assert "answered 401" in trusted


@pytest.mark.parametrize(
    ("name", "value"),
    [("NO_PROXY", "localhost,fe80::/10"), ("ALL_PROXY", "socks://me:secret@127.0.0.1:1"), ("SSL_CERT_FILE", "/no.pem")],
)
def test_environment_that_cannot_be_used(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable of the environment that httpx can't use is named with its value, without a password."""
    for other in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.lower(), raising=False)
    with serving(message("401 Unauthorized")) as url:
        monkeypatch.setenv(name, value)
        line = the_line(judged(tmp_path, promptlayer(url.replace("127.0.0.1", "0.0.0.0"))), capsys)

    assert f"the environment variable {name}=" in line
    assert "secret" not in line


def _fails(status: int, wanted: Callable[[Request], bool]) -> Break:
    def after(request: Request, answered: Reply) -> None:
        if wanted(request):
            answered.status = status
            answered.headers["content-type"] = "application/json"

    return Break(after=after)


@pytest.mark.parametrize("status", [200, 500, 503])
def test_broken_run_operation_is_judged(status: int, tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """A server whose run operation alone answers wrongly is no wrong set-up: its breaches are told."""
    with BreakingProxy(sandbox.promptlayer_url, _fails(status, is_run)) as proxy:
        judgement = judged(tmp_path, promptlayer(proxy.url), *few, "-k", "PL-RUN-07")

    assert judgement.status == 1
    assert judgement.violations == [("PL-RUN-07", "runWorkflow")]


@pytest.mark.parametrize(
    ("rule", "status", "header"),
    [
        ("SRV-02", None, {"content-type": "text/html"}),
        ("SRV-01", None, {"content-encoding": "gzip"}),
        ("SRV-01", 0, {}),
    ],
)
def test_run_operation_whose_reply_is_broken_is_judged(  # noqa: PLR0917 - fixtures
    rule: str, status: int | None, header: dict[str, str], tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]
) -> None:
    """JSON under the name of a page, a lie about its coding, or no reply are breaches where the service is there."""

    def after(request: Request, answered: Reply) -> None:
        if is_run(request):
            answered.status = answered.status if status is None else status
            answered.headers |= header

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        judgement = judged(tmp_path, promptlayer(proxy.url), *few, "-k", rule, "--budget", "5")

    assert judgement.status == 1
    assert (rule, "runWorkflow") in judgement.violations


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ({"status": 401}, r"could not run to the end: target mine: it went wrong by request \d+: .* 401 .*check "),
        ({"status": 503}, r"it went wrong by request \d+: .* 503 .*the service is not available"),
        ({"status": 503, "retry-after": "900"}, r"it went wrong by request \d+: .*left alone for another \d+ seconds"),
        ({"status": 402}, r"it went wrong by request \d+: .* 402 .*check workflow"),
        ({"status": 500, "content-type": "application/json"}, r"it went .* 500 .*it was started when the run began"),
        ({"status": 0}, r"it went wrong by request \d+: .*no complete reply"),
    ],
)
def test_what_goes_wrong_later_ends_the_run(  # noqa: PLR0917 - fixtures
    later: dict[str, Any],
    words: str,
    tmp_path: Path,
    sandbox: Sandbox,
    few: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A key that is revoked, or a service that goes down, during the run ends it there, and breaks no rule."""

    def after(_: Request, answered: Reply) -> None:
        if len(proxy.seen) > 12:
            answered.status = later["status"]
            answered.headers |= {name: value for name, value in later.items() if name != "status"}

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        judgement = judged(tmp_path, promptlayer(proxy.url), *few)
    lines = capsys.readouterr().err.splitlines()

    assert judgement.status == 2
    assert len(lines) == 1
    assert re.search(words, lines[0]), lines[0]
    assert judgement.violations == []
    assert judgement.report["summary"]["pass"] > 0
    assert judgement.report["run"]["state"] == "cut short"
    assert len(proxy.seen) < 60


def test_single_rule_is_not_told_of_a_wrong_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With -k nothing is sent ahead, but before a verdict is told the known-good run decides."""
    with serving(message("404 Not Found")) as url:
        judgement = judged(tmp_path, promptlayer(url, **QUICKLY), "-k", "PL-RUN-07")

    assert judgement.status == 2
    assert "check workflow (canary)" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", ["PL-RUN-01", "PL-RUN-1[0236]"])
def test_refusal_says_nothing_where_all_is_refused(
    pattern: str, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal that the same request without its fault gets as well does not pass."""
    monkeypatch.setenv(KEY_ENV, "not-the-key")
    judgement = judged(tmp_path, promptlayer(sandbox.promptlayer_url), "-k", pattern)

    assert judgement.status == 2
    assert "check " + KEY_ENV in capsys.readouterr().err
    assert judgement.report["summary"]["pass"] == 0


def test_nothing_judged_is_no_success(tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Where everything selected is not exercised the line says why."""
    table = promptlayer(sandbox.promptlayer_url, label=None)
    judgement = judged(tmp_path, table, "-k", "PL-RUN-08")

    assert judgement.status == 2
    assert capsys.readouterr().err == (
        "contract_tests: nothing was judged; of 1 row 1 because: the target has no label\n"
    )
