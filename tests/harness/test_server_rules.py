"""Every rule of the server side tells a server that keeps it from one that does not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import Judgement, interactly, judge, promptlayer, targets_file
from server_breaks import INTERACTLY, PROMPTLAYER, PROPERTIES, SEEN_WHILE_RUNNING

from contract_tests.registry import rules_of_this_package
from contract_tests.rules import Side
from contract_tests.targets import Target
from workflow_sandbox.server import Sandbox

SIDE = ("--side", "server", "--seed", "1")
NOT_BROKEN_ALONE = {"PL-RES-28"}  # tested below: which request breaks it depends on another one
OTHER_CONTRACT = {"SRV-12"}  # see test_third_service.py: ours documents no headers
OTHER_FORM = {"IA-EXE-58", "IA-EXE-59", "IA-EXE-60", "IA-EXE-61", "IA-EXE-62"}  # see test_turns.py
OF_NO_CONCERN = (
    {(id_, "executeWorkflow") for id_ in (*OTHER_FORM, "SRV-08", "SRV-09", "SRV-12")}
    | {(id_, "getWorkflowVersionExecutionResults") for id_ in ("SRV-08", "SRV-09", "SRV-10", "SRV-11", "SRV-12")}
    | {("SRV-12", "runWorkflow")}
)


@pytest.fixture
def upstream(request: pytest.FixtureRequest, name: str) -> Sandbox:
    """The server behind a break, slow where the break shows only while a run goes on."""
    sandbox: Sandbox = request.getfixturevalue("slow_sandbox" if name in SEEN_WHILE_RUNNING else "sandbox")
    return sandbox


def _not_passed(judgement: Judgement) -> set[tuple[str, str]]:
    return {(row["id"], row["operation"]) for row in judgement.report["results"] if row["verdict"] != "pass"}


def _violation(judgement: Judgement, rule: str) -> Mapping[str, Any]:
    found = [row for row in judgement.report["results"] if (row["id"], row["verdict"]) == (rule, "violation")]
    assert len(found) == 1, judgement.report["results"]
    return found[0]


def test_sandbox_keeps_every_rule(tmp_path: Path) -> None:
    """The built-in target passes every row of the server side, and none is left out."""
    judgement = judge(tmp_path, *SIDE)

    assert judgement.status == 0
    assert _not_passed(judgement) == OF_NO_CONCERN


def test_unbroken_proxy_keeps_every_rule(tmp_path: Path, sandbox: Sandbox) -> None:
    """A target from a file passes every row as well, so that what the breaks below find is their own doing."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"pl": promptlayer(proxy.url), "ia": interactly(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "--target", "pl", "--target", "ia", "--targets", str(path))

    assert judgement.status == 0
    assert _not_passed(judgement) == OF_NO_CONCERN


@pytest.mark.parametrize("name", PROMPTLAYER)
def test_rule_finds_a_broken_promptlayer(name: str, tmp_path: Path, upstream: Sandbox) -> None:
    """The rule reports the break with what came and a curl line; only an inferred one does not fail the run."""
    rule, broken = PROMPTLAYER[name]
    with BreakingProxy(upstream.promptlayer_url, broken) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", rule, "--target", "broken", "--targets", str(path))

    row = _violation(judgement, rule)
    assert row["identity"].startswith(f"{rule} {row['operation']} ")
    assert row["received"]
    assert row["reproduce"].startswith("curl")
    assert row["found_after"] <= judgement.report["targets"][0]["requests"]
    assert judgement.status == (0 if row["basis"] == "inferred" else 1)


@pytest.mark.parametrize("name", INTERACTLY)
def test_rule_finds_a_broken_interactly(name: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """The rule reports the break."""
    rule, broken = INTERACTLY[name]
    with BreakingProxy(sandbox.promptlayer_url, broken) as proxy:
        path = targets_file(tmp_path, {"broken": interactly(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", rule, "--target", "broken", "--targets", str(path))

    row = judgement.row(rule)
    assert row["verdict"] == "violation"
    assert judgement.status == (0 if row["basis"] == "inferred" else 1)


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_finds_a_broken_operation(name: str, tmp_path: Path, upstream: Sandbox) -> None:
    """The property reports the operation that breaks it."""
    rule, operation, broken = PROPERTIES[name]
    with BreakingProxy(upstream.promptlayer_url, broken) as proxy:
        table = interactly(proxy.url) if operation == "executeWorkflow" else promptlayer(proxy.url)
        path = targets_file(tmp_path, {"broken": table})
        judgement = judge(tmp_path, *SIDE, "-k", rule, "--target", "broken", "--targets", str(path))

    row = judgement.row(rule, operation)
    assert row["verdict"] == "violation"
    assert judgement.status == (0 if row["basis"] == "inferred" else 1)


def test_rule_finds_a_form_that_follows_the_run(tmp_path: Path, sandbox: Sandbox) -> None:
    """A server whose results have the form that the run asked for breaks PL-RES-28."""
    wanted: list[bool] = []

    def before(request: object) -> None:
        path, body = getattr(request, "path"), getattr(request, "json")  # noqa: B009
        if path.endswith("/run"):
            wanted.append(bool(body.get("return_all_outputs")))
        elif wanted[-1]:
            setattr(request, "path", path.replace("outputs=false", "outputs=true"))  # noqa: B010

    with BreakingProxy(sandbox.promptlayer_url, Break(before=before)) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", "PL-RES-28", "--target", "broken", "--targets", str(path))

    assert judgement.row("PL-RES-28")["verdict"] == "violation"


def test_word_in_another_case_is_told_as_that_alone(tmp_path: Path, sandbox: Sandbox) -> None:
    """A status in small letters is that, not an output that never came nor an end that nobody reached."""
    _, broken = PROMPTLAYER["words of nodes in small letters"]
    with BreakingProxy(sandbox.promptlayer_url, broken) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", "PL-RES-*", "--target", "broken", "--targets", str(path))

    assert {rule for rule, _ in judgement.violations} <= {"PL-RES-26", "PL-RES-67"}  # of ended, and of running ones
    assert "the status is 'success', documented is 'SUCCESS'" in judgement.row("PL-RES-26")["received"]


def test_id_with_a_fraction_of_zero_is_an_integer(tmp_path: Path, sandbox: Sandbox) -> None:
    """An execution whose id is written 7.0 is followed like any other: no row of the results is left untried."""

    def after(_: object, reply: Reply) -> None:
        if isinstance(reply.json, dict) and isinstance(id_ := reply.json.get("workflow_version_execution_id"), int):
            reply.replace_json({**reply.json, "workflow_version_execution_id": float(id_)})

    with BreakingProxy(sandbox.promptlayer_url, Break(after=after)) as proxy:
        path = targets_file(tmp_path, {"mine": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", "PL-R*", "--target", "mine", "--targets", str(path))

    assert judgement.status == 0
    assert _not_passed(judgement) == set()


def test_versions_are_told_apart_only_where_the_table_says_so(tmp_path: Path, sandbox: Sandbox) -> None:
    """A workflow called canary, with a label production, whose versions say the same, breaks nothing."""

    def before(request: Request) -> None:
        if request.path.endswith("/canary/run") and isinstance(request.json, dict):
            request.replace_json({k: v for k, v in request.json.items() if not k.startswith("workflow_")})

    with BreakingProxy(sandbox.promptlayer_url, Break(before=before)) as proxy:
        tables = {"mine": promptlayer(proxy.url, latest_version=None), "telling": promptlayer(proxy.url)}
        path = targets_file(tmp_path, tables)
        found = {
            name: judge(tmp_path, *SIDE, "-k", "PL-RUN-0[389]", "--target", name, "--targets", str(path)).violations
            for name in tables
        }

    assert found["mine"] == []
    assert ("PL-RUN-09", "runWorkflow") in found["telling"]


def test_every_server_rule_has_a_break() -> None:
    """No rule of the server side goes without a server that it catches."""
    broken = {rule for rule, _ in [*PROMPTLAYER.values(), *INTERACTLY.values()]}
    broken |= {rule for rule, _, _ in PROPERTIES.values()} | NOT_BROKEN_ALONE | OTHER_FORM | OTHER_CONTRACT

    assert broken == {rule.id for rule in rules_of_this_package() if rule.side is Side.SERVER}


def test_only_options_is_tried_elsewhere(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undocumented DELETE may delete: on a server of somebody's it is not sent, nor is any other method."""
    monkeypatch.setattr(Target, "is_local", False)
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"live": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "-k", "SRV-13", "--target", "live", "--targets", str(path))

    assert judgement.row("SRV-13", "runWorkflow")["verdict"] == "pass"
    assert {(one.method, one.path.partition("?")[0]) for one in proxy.seen if one.method not in {"GET", "POST"}} == {
        ("OPTIONS", "/workflows/canary/run"),
        ("OPTIONS", "/workflow-version-execution-results"),
    }
    assert not [one for one in proxy.seen if one.method == "GET" and one.path.endswith("/run")]
