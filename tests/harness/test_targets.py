"""Targets: what their file may say, and that its limits are kept."""

import re
from pathlib import Path
from typing import Any

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import interactly, judge, promptlayer, targets_file
from server_breaks import is_run

from contract_tests.rules import SetUpError
from contract_tests.targets import read_targets
from workflow_sandbox.server import Sandbox

SERVICES = ("promptlayer", "interactly")
URL = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"service": "openai"}, ".service: must be one of promptlayer, interactly"),
        ({"service": None}, ".service: is missing"),
        ({"base_url": "api.example.com"}, ".base_url: must be an http or https URL"),
        ({"base_url": "ftp://example.com"}, ".base_url: must be"),
        ({"base_url": "http://user:secret@example.com"}, ".base_url: must be an http or https URL without"),
        ({"base_url": "http://[::1"}, ".base_url: must be"),
        ({"api_key_env": "not a name"}, ".api_key_env: must be the name of an environment variable"),
        ({"api_key_env": None}, ".api_key_env: is missing"),
        ({"api_key": "secret"}, ".api_key: unknown field"),
        ({"headers_env": {"teamid": 7}}, ".headers_env: must be a table"),
        ({"workflow": " "}, ".workflow: must be a text"),
        ({"workflow": None}, ".workflow: is missing"),
        ({"generation": "c"}, '.generation: must be "a" or "b"'),
        ({"label": 1}, ".label: must be a text"),
        ({"version": "1"}, ".version: must be a whole number"),
        ({"version": True}, ".version: must be a whole number"),
        ({"input_variables": ["x"]}, ".input_variables: must be a table"),
        ({"max_requests": 0}, ".max_requests: must be a whole number from 1"),
        ({"requests_per_second": 0}, ".requests_per_second: must be a number above 0"),
        ({"callback_listen": "8080"}, ".callback_listen: must be host and port"),
        ({"callback_public_url": "example.com"}, ".callback_public_url: must be"),
        ({"callback_public_url": "https://x.example", "callback_listen": None}, ".callback_listen: is needed"),
        ({"allow_writes": "no"}, ".allow_writes: must be true or false"),
    ],
)
def test_mistake_is_named_by_its_field(changes: dict[str, Any], problem: str, tmp_path: Path) -> None:
    """A wrong value is refused with the target, the field and what it must be, and without the value."""
    path = targets_file(tmp_path, {"mine": promptlayer(URL, **changes)})

    with pytest.raises(SetUpError) as refusal:
        read_targets(path, SERVICES)
    assert f"targets.mine{problem}" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("targets = 1", "there is no table [targets.NAME]"),
        ("[targets.mine", "is not TOML"),
        ("[target.mine]", "unknown top-level key 'target'"),
        ("[targets.sandbox]", "is the built-in target"),
        ("[targets]\nmine = 1", "targets.mine: must be a table"),
    ],
)
def test_mistake_in_the_file_is_named(text: str, problem: str, tmp_path: Path) -> None:
    """A file of another form is refused with what is wrong."""
    path = tmp_path / "targets.toml"
    path.write_text(text)

    with pytest.raises(SetUpError) as refusal:
        read_targets(path, SERVICES)
    assert problem in str(refusal.value)


def test_every_field_is_read(tmp_path: Path) -> None:
    """A table with all fields becomes a target with the same values."""
    table = promptlayer(URL, generation="b", headers_env={"teamid": "TEAM"}, callback_public_url="https://x.example")
    target = read_targets(targets_file(tmp_path, {"mine": table}), SERVICES)["mine"]

    assert {name: getattr(target, name) for name in table} == table


WRITING = (
    *(f"PL-CRE-{number}" for number in ("01", "02", "03", "45", "46")),
    *(f"PL-PAT-{number}" for number in ("01", "47", "48")),
    *(f"PL-EXT-{number}" for number in ("01", "02", "49")),
    "PL-LST-03",
)


def test_rules_without_what_they_need_are_not_exercised(tmp_path: Path, sandbox: Sandbox) -> None:
    """Without label, version, input variables and callback address those rules say what is missing."""
    table = promptlayer(sandbox.promptlayer_url, label=None, version=None, input_variables=None, callback_listen=None)
    path = targets_file(tmp_path, {"mine": table})
    judgement = judge(tmp_path, "--side", "server", "--target", "mine", "--targets", str(path), "-k", "PL-*")
    missing = {row["id"]: row["received"] for row in judgement.report["results"] if row["verdict"] != "pass"}

    assert judgement.status == 0
    assert missing == {
        "PL-RUN-06": "the target has no callback_listen",
        "PL-RUN-08": "the target has no label",
        "PL-RUN-09": "the target has no version",
        "PL-RUN-10": "the target has no label",
        "PL-RUN-13-DIGITS": "the target has no version",
        "PL-RUN-14": "the target has no input_variables",
        "PL-RUN-15": "the target has no input_variables",
        "PL-RUN-80": "the target has no input_variables",
        **{f"PL-CB-{number}": "the target has no callback_listen" for number in (37, 38, 39, 40, 66, 67, 68, 69)},
        "PL-GET-02": "the target has no version",
        "PL-GET-44": "the target has no version",
        "PL-LST-02": "the list has one page",
        **dict.fromkeys(WRITING, "allow_writes of the target is false"),
    }


def test_budget_of_requests_is_kept(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """Not one request more than max_requests is sent, and rows that had none left say so."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url, max_requests=5)})
        judgement = judge(tmp_path, *few, "--side", "server", "--target", "mine", "--targets", str(path))
    left_out = [row for row in judgement.report["results"] if row["verdict"] == "not_exercised"]

    assert len(proxy.seen) == 5
    assert any("max_requests of 5 is spent" in row["received"] for row in left_out)
    assert judgement.report["targets"][0]["requests"] == 5


def test_few_requests_give_no_false_alarm(tmp_path: Path, sandbox: Sandbox) -> None:
    """With few requests the last one that was taken may be a command to a run, which is not taken a second time."""
    path = targets_file(tmp_path, {"mine": interactly(sandbox.promptlayer_url, max_requests=120, allow_writes=True)})
    judgement = judge(tmp_path, "--side", "server", "--target", "mine", "--targets", str(path))

    assert judgement.violations == []
    assert judgement.row("REL-KEY-05", "executeWorkflow")["verdict"] == "pass"


def test_retry_after_is_obeyed(tmp_path: Path, sandbox: Sandbox) -> None:
    """A 429 with Retry-After is repeated after that time, and the rule judges the reply that comes then."""
    refused: list[Request] = []

    def after(request: Request, reply: Reply) -> None:
        if not refused:
            refused.append(request)
            reply.status = 429
            reply.headers["retry-after"] = "1"

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        arguments = ["--side", "server", "-k", "PL-RUN-02", "--target", "mine", "--targets", str(path)]
        judgement = judge(tmp_path, *arguments)

    assert judgement.row("PL-RUN-02")["verdict"] == "pass"
    assert proxy.seen[1].path == proxy.seen[0].path
    assert is_run(proxy.seen[2])  # the same without its fault


@pytest.mark.slow
def test_only_the_named_workflow_is_run(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """
    Of all generated and hand-made runs none names a workflow that could exist but the target's own.

    On this machine, as here, names that are nearly its name are tried as well.
    """
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"pl": promptlayer(proxy.url), "ia": interactly(proxy.url)})
        judge(tmp_path, *few, "--side", "server", "--target", "pl", "--target", "ia", "--targets", str(path))
    runs = {request.path for request in proxy.seen if request.path.endswith("/run")}
    executed = {request.path.split("/")[-2] for request in proxy.seen if "/execute" in request.path}
    legal = {name for name in executed if len(name) == 24 and set(name) <= set("0123456789abcdef")}

    assert "/workflows/canary/run" in runs
    near = {f"/workflows/{name}/run" for name in ("canar", "canaryx", "CANARY", "canary%20", "%20canary")}
    others = runs - near - {"/workflows/canary/run", "/workflows//run"}  # no name at all names none
    assert all(path.startswith("/workflows/contract-tests-no-such-workflow") for path in others)
    assert legal == {"5eb7cf5a86d9755df3a6c593", "f" * 24}


MAIL = "mailto:nobody@example.com"  # is called back by nobody


def test_no_stranger_is_called_back(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """Every callback URL names the harness's own listener or a host that resolves nowhere."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judge(tmp_path, *few, "--side", "server", "--budget", "3", "--target", "mine", "--targets", str(path))
    bodies = [request.json for request in proxy.seen if request.path.endswith("/run")]
    sent = [body["callback_url"] for body in bodies if isinstance(body, dict) and "callback_url" in body]
    urls = {url for url in sent if isinstance(url, str) and ":" in url}

    assert any(url.startswith("http://127.0.0.1:") for url in urls)
    others = {url for url in urls if not url.startswith("http://127.0.0.1:")}
    assert {url for url in others if not re.match("(?i)https?://callback[.]invalid(/|$)", url)} <= {MAIL}


def test_secrets_are_masked_everywhere(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key and a secret header that a server echoes are shown nowhere; curl names their variables instead."""
    monkeypatch.setenv("HARNESS_TEAM", "team-secret-4711")
    echo = "sandbox-key team-secret-4711 " + "x" * 280 + " sandbox-key team-secret-4711"
    for padding in (0, 8):  # the echo is cut at different places
        text = "y" * padding + echo

        def after(request: Request, reply: Reply, text: str = text) -> None:
            if is_run(request):
                reply.status = 500
                reply.replace_json({"message": text})

        with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
            table = promptlayer(proxy.url, headers_env={"teamid": "HARNESS_TEAM"})
            path = targets_file(tmp_path, {"mine": table})
            arguments = ["--side", "server", "-k", "PL-RUN-0*", "--target", "mine", "--targets", str(path)]
            judgement = judge(tmp_path / "report", *arguments)
        assert judgement.status == 1
        assert proxy.seen[-1].headers["teamid"] == "team-secret-4711"
        assert '-H "teamid: $HARNESS_TEAM"' in judgement.row("PL-RUN-07")["reproduce"]
        written = [file.read_text() for file in (tmp_path / "report").iterdir()]
        for shown in [*written, *capsys.readouterr()]:
            assert "sandbox-key" not in shown
            assert "team-secret" not in shown
            assert "sandbox-k…" not in shown


def test_known_deviation_is_strict(tmp_path: Path, sandbox: Sandbox) -> None:
    """A listed deviation does not fail while it lasts, and is a violation once the server keeps the rule."""

    def after(request: Request, reply: Reply) -> None:
        if is_broken and request.path.endswith("/run"):
            reply.status = 200

    is_broken = True
    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        entry = {"rule": "PL-RUN-07", "operation": "runWorkflow", "base_url": proxy.url, "link": "https://x.example"}
        lines = [f'{key} = "{value}"' for key, value in entry.items()]
        lines += ['sentence = "It says 200."', "seen = 2026-11-01"]
        (tmp_path / "known_deviations.toml").write_text("\n".join(["[[deviation]]", *lines]))
        arguments = ["--side", "server", "-k", "PL-RUN-07", "--target", "mine", "--targets", str(path)]
        deviating = judge(tmp_path, *arguments)
        is_broken = False
        mended = judge(tmp_path, *arguments)

    assert (deviating.status, deviating.row("PL-RUN-07")["verdict"]) == (0, "known_deviation")
    assert (mended.status, mended.row("PL-RUN-07")["verdict"]) == (1, "violation")
    assert "remove the known deviation" in mended.row("PL-RUN-07")["received"]
