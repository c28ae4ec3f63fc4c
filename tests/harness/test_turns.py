"""Rules about Interactly's other form of execute: a target that serves it is judged by them, and only then."""

from pathlib import Path
from typing import Any

import pytest
from judging import interactly, judge, targets_file
from turns_server import Change, Reply, TurnsServer

from workflow_sandbox import Sandbox

RULES = ("--side", "server", "--seed", "1", "-k", "IA-EXE-*", "--target", "turns", "--targets")
OF_THIS_FORM = {"IA-EXE-58", "IA-EXE-59", "IA-EXE-60", "IA-EXE-61", "IA-EXE-62"}


def _having(member: str, value: Any, command: str = "") -> Change:
    def change(body: dict[str, Any], reply: Reply) -> Reply:
        status, content = reply
        wanted = command in {"", body.get("run_input", {}).get("command")}
        return (status, {**content, member: value}) if status == 200 and wanted else reply

    return change


def _taking_anything(body: dict[str, Any], reply: Reply) -> Reply:
    return reply if "run_input" in body else (200, {})


def _judge(tmp_path: Path, change: Change) -> dict[str, str]:
    with TurnsServer(change) as server:
        table = interactly(server.url, generation="b", base_url=server.url)
        judgement = judge(tmp_path, *RULES, str(targets_file(tmp_path, {"turns": table})))
    return {row["id"]: row["verdict"] for row in judgement.report["results"]}


def test_conforming_server_keeps_them(tmp_path: Path) -> None:
    """Every rule of this form passes on a server that keeps them, and those of the other form do not apply."""
    verdicts = _judge(tmp_path, lambda _, reply: reply)

    assert {verdicts[rule] for rule in OF_THIS_FORM} == {"pass"}
    assert {verdicts[rule] for rule in ("IA-EXE-57", "IA-EXE-69")} == {"not_applicable"}


def test_sandbox_keeps_them(tmp_path: Path) -> None:
    """It serves this form as well; as it takes the other one, too, a body without run_input is no mistake there."""
    with Sandbox() as sandbox:
        table = interactly(sandbox.promptlayer_url, generation="b")
        judgement = judge(tmp_path, *RULES, str(targets_file(tmp_path, {"turns": table})))
    verdicts = {row["id"]: row["verdict"] for row in judgement.report["results"]}
    assert {rule for rule in {*OF_THIS_FORM, "IA-EXE-81"} if verdicts[rule] != "pass"} == {"IA-EXE-58"}


@pytest.mark.slow
def test_turns_that_break_nothing_are_tried(tmp_path: Path) -> None:
    """Examples and drawn ones, each with a thread, without which the sandbox refuses a start; none is refused."""
    only = ("--side", "server", "--seed", "1", "-k", "SRV-06", "--target", "turns", "--targets")
    with Sandbox(settings={"interactly_form": "b"}) as sandbox:
        table = interactly(sandbox.promptlayer_url, generation="b")
        judgement = judge(tmp_path, *only, str(targets_file(tmp_path, {"turns": table})))
    assert {row["verdict"] for row in judgement.report["results"] if "execute" in str(row["operation"])} == {"pass"}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("IA-EXE-58", _taking_anything),
        ("IA-EXE-59", _having("run_id", "always the same")),
        ("IA-EXE-60", _having("turn_number", 1, "data")),
        ("IA-EXE-61", _having("status", "completed", "stop")),
        ("IA-EXE-62", _having("is_completed", True, "start")),  # noqa: FBT003 - the member's value
    ],
)
def test_rule_finds_a_broken_server(rule: str, change: Change, tmp_path: Path) -> None:
    """The rule reports the break."""
    assert _judge(tmp_path, change)[rule] == "violation"
