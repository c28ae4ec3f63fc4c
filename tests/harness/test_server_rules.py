"""Every rule of the server side tells a server that keeps it from one that does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from faulty_server import FaultyServer
from judging import Judgement, interactly, judge, promptlayer, targets_file

from contract_tests.openapi.document import Contract, Operation
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import Side
from contract_tests.runner.command_line import default_spec
from contract_tests.targets import Target
from mutants.fork_server import generated_once
from mutants.servers.all_defects import defect, defects
from mutants.servers.fault import ServerDefect
from mutants.servers.messages import EXECUTE, LIST_RUNS, READ_RUN, RESULTS, RUN
from workflow_sandbox.server import Sandbox

SIDE = ("--side", "server", "--seed", "1")
OTHER_CONTRACT = {"SRV-12", "SRV-15"}  # see test_third_service.py: ours documents no headers
OTHER_FORM = {"IA-EXE-58", "IA-EXE-59", "IA-EXE-60", "IA-EXE-61", "IA-EXE-62"}  # see test_turns.py

TURNS = {"REL-STORY-04", "REL-STORY-09", "REL-STORY-10"}  # which the form that is judged here does not have


def _of_no_concern(operation: Operation) -> Iterator[str]:
    """Give the rules that have nothing to say of an operation."""
    yield from OTHER_CONTRACT
    yield from OTHER_FORM | TURNS if operation.id == EXECUTE else ()
    yield from () if any(response.links for response in operation.responses.values()) else ("SRV-08",)
    yield from () if operation.callbacks else ("SRV-09",)
    yield from () if operation.is_read_only else ("REL-ONCE-01",)
    yield from () if operation.body else ("SRV-10", "SRV-11", "REL-SAME-01", "REL-SAME-02")


OF_NO_CONCERN = {
    (rule, operation.id) for operation in Contract.load(default_spec()).operations for rule in _of_no_concern(operation)
}


# What only a request during the run can meet: each node takes longer then, so that a busy machine sees it running.
SEEN_WHILE_RUNNING = {"PL-RES-23", "PL-RES-29", "PL-RES-66", "PL-RES-67", "PL-CB-67", "SRV-08"}
# A rule that judges alone does not see the first defect that declares it, which another rule's requests bring out.
SEEN_ALONE = {
    "IA-EXE-75": "execute.version-not-told",
    "PL-CB-66": "callback.output-null",
    "PL-RES-21": "results.no-id-500",
    "PL-RES-34": "results.failed-is-200-null",
    "PL-RES-66": "results.node-runs-again",
    "PL-RUN-17": "run.unknown-workflow-wordless",
    "SRV-01": "results.202.status-503",
    "SRV-09": "callback.method-put",
}
SERVER_RULES = {rule.id for rule in rules_of_this_package() if rule.side is Side.SERVER}
# These look at workflows whose whole history is written before; some of them are tried by day.
LATE = {rule for rule in SERVER_RULES if rule.startswith(("REL-WF", "REL-REF"))} - {
    f"REL-WF-0{number}" for number in (1, 2, 3, 5, 9)
} | {"REL-OUT-01", "REL-OUT-02", "REL-CB-08", "REL-CB-10"}
# Of relations one of a family is tried by day, and those whose defects are seen at once; all of them by night.
RELATIONS_BY_DAY = {rule for rule in SERVER_RULES if rule.startswith("REL-") and rule.endswith("-01")} - {
    *("REL-CACHE-01", "REL-CROWD-01", "REL-ONCE-01", "REL-STORY-01"),
} | {"REL-CROWD-04", "REL-STORY-03", "REL-STORY-04", "REL-WF-02"}
BY_NIGHT = (LATE | {rule for rule in SERVER_RULES if rule.startswith("REL-")}) - RELATIONS_BY_DAY | {
    *("PL-CB-37", "PL-CB-68", "PL-RES-23", "PL-RES-29", "PL-RES-67", "PL-RES-68", "SRV-08"),
}


FOUND_BY: dict[str, ServerDefect] = {rule: defect(name) for rule, name in SEEN_ALONE.items()}
for one in defects():
    if not one.equivalent and not one.missed:
        FOUND_BY.setdefault(one.rules[0], one)


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultyServer]:
    """The server that gets one defect after the other, and the same requests each time."""
    with generated_once(), FaultyServer(node_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def slow_faulty() -> Iterator[FaultyServer]:
    """The same with runs that last."""
    with FaultyServer(node_seconds=0.5) as running:
        yield running


def _not_passed(judgement: Judgement) -> set[tuple[str, str]]:
    return {(row["id"], row["operation"]) for row in judgement.report["results"] if row["verdict"] != "pass"}


@pytest.mark.nightly
def test_sandbox_keeps_every_rule(tmp_path: Path) -> None:
    """The built-in target passes every row of the server side, and none is left out."""
    judgement = judge(tmp_path, *SIDE)

    assert judgement.status == 0
    assert _not_passed(judgement) == OF_NO_CONCERN


@pytest.mark.nightly
def test_unbroken_proxy_keeps_every_rule(tmp_path: Path, sandbox: Sandbox) -> None:
    """A target from a file passes every row as well, so that what the breaks below find is their own doing."""
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"pl": promptlayer(proxy.url, allow_writes=True), "ia": interactly(proxy.url)})
        judgement = judge(tmp_path, *SIDE, "--target", "pl", "--target", "ia", "--targets", str(path))

    assert judgement.status == 0
    assert _not_passed(judgement) == OF_NO_CONCERN


@pytest.mark.parametrize(
    "rule",
    [pytest.param(one, marks=pytest.mark.nightly if one in BY_NIGHT else ()) for one in sorted(FOUND_BY)],
)
def test_rule_finds_a_broken_server(
    rule: str, tmp_path: Path, few: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    """The rule reports the break with what came and a curl line; only an inferred one does not fail the run."""
    broken = FOUND_BY[rule]
    server: FaultyServer = request.getfixturevalue("slow_faulty" if rule in SEEN_WHILE_RUNNING else "faulty")
    with server.having(broken) as url:
        is_of_interactly = broken.operation in {EXECUTE, LIST_RUNS, READ_RUN}
        table = interactly(url, generation=broken.form) if is_of_interactly else promptlayer(url, allow_writes=True)
        path = targets_file(tmp_path, {"broken": table})
        is_few = broken.operation in {RUN, RESULTS, EXECUTE, LIST_RUNS, READ_RUN} and rule not in LATE
        part = few if is_few else ()
        only = (*part, "-k", rule, "--target", "broken", "--targets", str(path))
        judgement = judge(tmp_path, *SIDE, *only)

    row = judgement.row(rule, broken.operation)
    assert row["verdict"] == "violation"
    assert row["identity"].startswith(f"{rule} {broken.operation} ")
    assert row["received"]
    assert row["reproduce"].startswith("curl")
    assert row["found_after"] <= judgement.report["targets"][0]["requests"]
    assert judgement.status == (0 if row["basis"] == "inferred" else 1)


def test_word_in_another_case_is_told_as_that_alone(tmp_path: Path, faulty: FaultyServer) -> None:
    """A status in small letters is that, not an output that never came nor an end that nobody reached."""
    with faulty.having(defect("results.all.status-in-lower-case")) as url:
        path = targets_file(tmp_path, {"broken": promptlayer(url)})
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
    assert {*FOUND_BY} | OTHER_FORM | OTHER_CONTRACT == SERVER_RULES


def test_only_options_is_tried_elsewhere(
    tmp_path: Path, sandbox: Sandbox, few: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undocumented DELETE may delete: on a server of somebody's it is not sent, nor is any other method."""
    monkeypatch.setattr(Target, "is_local", False)
    with BreakingProxy(sandbox.promptlayer_url, Break()) as proxy:
        path = targets_file(tmp_path, {"live": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *SIDE, *few, "-k", "SRV-13", "--target", "live", "--targets", str(path))

    assert judgement.row("SRV-13", "runWorkflow")["verdict"] == "pass"
    assert {(one.method, one.path.partition("?")[0]) for one in proxy.seen if one.method not in {"GET", "POST"}} == {
        ("OPTIONS", "/workflows/canary/run"),
        ("OPTIONS", "/workflow-version-execution-results"),
    }
    assert not [one for one in proxy.seen if one.method == "GET" and one.path.endswith("/run")]
