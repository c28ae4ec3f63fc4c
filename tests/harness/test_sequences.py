"""What only some sequence of requests shows is found by drawn ones, told with the fewest steps, and shown again."""

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from faulty_server import FaultyServer
from judging import Judgement, interactly, judge, promptlayer, targets_file
from server_breaks import is_results

from mutants.fork_server import generated_once
from mutants.servers.all_defects import defect
from workflow_sandbox.server import Sandbox

SIDE = ("--side", "server", "--seed", "1", "--target", "broken", "--targets")


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultyServer]:
    """The server that gets one defect after the other; its runs last, so that they are seen running."""
    with generated_once(), FaultyServer(node_seconds=0.5) as running:
        yield running


def steps(judgement: Judgement, rule: str, operation: str | None = None) -> list[str]:
    """The steps of the smallest sequence: each request has a curl line, and the last line judges again."""
    row = judgement.row(rule, operation)
    found: list[str] = row["received"].partition("fewest steps: ")[2].split(", ")
    *curls, command = row["reproduce"].splitlines()

    assert row["verdict"] == "violation"
    assert [one for one in curls if not one.startswith("curl ")] == []
    assert len(curls) == len([step for step in found if step != "receive the callback"])
    assert command.startswith("python -m contract_tests --side server")
    return found


@pytest.mark.parametrize(
    ("name", "rule", "fewest"),
    [
        ("execute.resume-after-two-pauses-ignored", "IA-EXE-72", ["start", "pause", "pause", "resume"]),
        ("execute.resume-after-two-pauses-refused", "IA-EXE-80", ["start", "pause", "pause", "resume"]),
        pytest.param(
            *("execute.resume-after-two-pauses-500", "SRV-01", ["start", "pause", "pause", "resume"]),
            marks=pytest.mark.nightly,  # all traffic, twice
        ),
        pytest.param(
            *("results.form-of-the-first-request", "PL-RES-67"),
            ["run", "ask for the main output", "ask for all outputs"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_sequence_is_told_with_the_fewest_steps(  # noqa: PLR0917 - fixtures
    name: str, rule: str, fewest: list[str], tmp_path: Path, faulty: FaultyServer, few: tuple[str, str]
) -> None:
    """The rule finds it, hypothesis shrinks it, and the command that is printed comes to the same."""
    with faulty.having(defect(name)) as url:
        table: dict[str, Any] = interactly(url) if name.startswith("execute") else promptlayer(url)
        judgement = judge(tmp_path, *few, *SIDE, str(targets_file(tmp_path, {"broken": table})), "-k", rule)
        operation = "executeWorkflow" if name.startswith("execute") else None
        command = judgement.row(rule, operation)["reproduce"].splitlines()[-1]
        again = judge(tmp_path, *shlex.split(command)[3:])

    assert steps(judgement, rule, operation) == fewest
    assert steps(again, rule, operation) == fewest


@pytest.mark.nightly
def test_callback_after_two_requests(tmp_path: Path, slow_sandbox: Sandbox, few: tuple[str, str]) -> None:
    """A callback that loses the output if results were asked for twice takes a run, two requests and the callback."""
    requests: Counter[str] = Counter()

    def after(request: Request, _: Reply) -> None:
        requests[request.path.partition("execution_id=")[2].partition("&")[0]] += is_results(request)

    def callback(request: Request) -> Request:
        if requests[str(request.json["workflow_version_execution_id"])] > 1:
            request.replace_json({key: value for key, value in request.json.items() if key != "final_output"})
        return request

    with BreakingProxy(slow_sandbox.promptlayer_url, Break(after=after, callback=callback)) as proxy:
        path = targets_file(tmp_path, {"broken": promptlayer(proxy.url)})
        judgement = judge(tmp_path, *few, *SIDE, str(path), "-k", "PL-CB-69")

    run, *asked, last = steps(judgement, "PL-CB-69")
    assert run.endswith("with a callback")
    assert len(asked) == 2
    assert last == "receive the callback"


def test_shrinking_keeps_within_the_requests(tmp_path: Path, faulty: FaultyServer, few: tuple[str, str]) -> None:
    """With few requests the sequence is told as small as it has become by then."""
    with faulty.having(defect("execute.resume-after-two-pauses-ignored")) as url:
        path = targets_file(tmp_path, {"broken": interactly(url, max_requests=250)})
        judgement = judge(tmp_path, *few, *SIDE, str(path), "-k", "IA-EXE-72")

    assert {"pause", "resume"} <= set(steps(judgement, "IA-EXE-72"))
    assert judgement.report["targets"][0]["requests"] <= 125
