"""Interactly's side: a conversation of two turns and the commands that steer it."""

import httpx
import pytest
from sandbox_calls import execute, interactly_client

from workflow_sandbox import InProcessSandbox
from workflow_sandbox.store import Store

_ANSWER = {"0": {"node_run_inputs": ["an invoice"]}}


def _said(run: dict[str, object]) -> list[str]:
    pairs = run["input_output_pairs"]
    assert isinstance(pairs, list)
    return [event["text"] for pair in pairs for event in pair["run_output"]["events"] if event["type"] == "message"]


def test_start_greets_and_data_completes(interactly: httpx.Client) -> None:
    """A started run waits for the user; data with its id completes it, and every turn adds a pair."""
    first = execute(interactly, dynamic_variables={"customer_name": "Ada"}, run_by="me").json()
    second = execute(
        interactly,
        command="data",
        workflow_run_id=first["workflow_run_id"],
        runtime_variables={"agent_name": "Bo"},
        thread_to_node_inputs=_ANSWER,
    ).json()

    assert (first["status"], second["status"]) == ("waiting_for_user_input", "completed")
    assert "Ada" in _said(first)[0]
    assert "[[agent_name]]" in _said(first)[0]
    assert _said(second)[0] == _said(first)[0]
    assert all(word in _said(second)[1] for word in ("Ada", "Bo", "an invoice"))
    assert [pair["run_input"]["command"] for pair in second["input_output_pairs"]] == ["start", "data"]
    assert second["termination_source"] is None
    assert {name for name in first if first[name] != second[name]} == {
        "status",
        "input_output_pairs",
        "workflow_config_fully_hydrated",
    }
    assert first["run_by"] == "me"


def test_every_start_makes_a_new_run(interactly: httpx.Client) -> None:
    """Two equal starts are two runs."""
    first, second = execute(interactly).json(), execute(interactly).json()

    assert first["workflow_run_id"] != second["workflow_run_id"]
    assert first["logical_id"] != second["logical_id"]


@pytest.mark.parametrize(
    ("query", "body", "version"),
    [
        (None, {}, 1),
        ({"version": 0}, {}, 0),
        ({"version": 0}, {"version_number": 1}, 0),
        (None, {"version_number": 0}, 1),
        (None, {"version_number": None, "workflow_id": None, "team_id": None, "run_by": None}, 1),
    ],
)
def test_query_picks_the_version_and_the_active_one_runs_without(
    interactly: httpx.Client, query: dict[str, object] | None, body: dict[str, object], version: int
) -> None:
    """The query's version runs, without it the active one; the body's default does not override that."""
    run = execute(interactly, query, **body).json()

    assert run["version_number"] == version
    assert run["version_name"] == ("Initial Version", "Second Version")[version]


def test_versions_say_different_things(interactly: httpx.Client) -> None:
    """What a run says tells which version ran."""
    assert _said(execute(interactly, {"version": 0}).json()) != _said(execute(interactly, {"version": 1}).json())


def test_later_turns_keep_the_version_of_the_first(interactly: httpx.Client) -> None:
    """A version in the query of a later turn is ignored."""
    run_id = execute(interactly, {"version": 0}).json()["workflow_run_id"]

    run = execute(interactly, {"version": 1}, command="data", workflow_run_id=run_id).json()

    assert run["version_number"] == 0


@pytest.mark.parametrize(
    ("commands", "statuses"),
    [
        (["pause", "resume", "data"], ["paused", "waiting_for_user_input", "completed"]),
        (["pause", "stop"], ["paused", "cancelled"]),
        (["stop"], ["cancelled"]),
        (["data"], ["completed"]),
    ],
)
def test_commands_move_a_run_along_the_status_graph(
    interactly: httpx.Client, commands: list[str], statuses: list[str]
) -> None:
    """Pause, resume, stop and data each lead to their status; only data adds a pair."""
    run_id = execute(interactly).json()["workflow_run_id"]

    runs = [execute(interactly, command=command, workflow_run_id=run_id).json() for command in commands]

    assert [run["status"] for run in runs] == statuses
    assert len(runs[-1]["input_output_pairs"]) == 1 + commands.count("data")


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ([], ["start", "resume"]),
        (["pause"], ["start", "data", "pause"]),
        (["data"], ["start", "data", "resume", "pause", "stop"]),
        (["stop"], ["start", "data", "resume", "pause", "stop"]),
    ],
)
def test_command_that_the_status_does_not_allow_is_409_and_changes_nothing(
    interactly: httpx.Client, before: list[str], refused: list[str]
) -> None:
    """A command in the wrong status is refused with words, and the run stays what it was."""
    run_id = execute(interactly).json()["workflow_run_id"]
    for command in before:
        execute(interactly, command=command, workflow_run_id=run_id)

    replies = [execute(interactly, command=command, workflow_run_id=run_id) for command in refused]

    assert [reply.status_code for reply in replies] == [409] * len(refused)
    assert len({reply.json()["detail"].partition(" does not")[0] for reply in replies}) == 1


def test_failed_turn_ends_the_run(interactly: httpx.Client) -> None:
    """A turn asked to fail leaves the run failed, with the source of its end, and it takes no further command."""
    run = execute(interactly, miscellaneous={"sandbox": "fail"}).json()

    assert (run["status"], run["termination_source"]) == ("failed", "execution_error")
    assert execute(interactly, command="data", workflow_run_id=run["workflow_run_id"]).status_code == 409


@pytest.mark.parametrize("command", ["start", "data", "resume", "pause", "stop"])
def test_command_to_an_unknown_run_is_404(interactly: httpx.Client, command: str) -> None:
    """No command finds a run that does not exist."""
    assert execute(interactly, command=command, workflow_run_id="f" * 24).status_code == 404


@pytest.mark.parametrize("command", ["data", "resume", "pause", "stop"])
def test_command_without_a_run_is_409(interactly: httpx.Client, command: str) -> None:
    """A command that needs a run is refused without one; no run is started instead."""
    response = execute(interactly, command=command)

    assert response.status_code == 409
    assert "workflow_run_id" in response.json()["detail"]


def test_input_is_kept_as_it_was_sent(interactly: httpx.Client) -> None:
    """Any JSON in the open members comes back unchanged, defaults filled in, unknown members left out."""
    odd: dict[str, object] = {"": [None, 1.5, {"ä\x00": [[]]}], "customer_name": {"first": "Ada"}}
    run = execute(interactly, dynamic_variables=odd, miscellaneous={"x": 10**30}, nonsense=1).json()

    kept = run["input_output_pairs"][0]["run_input"]
    assert kept["dynamic_variables"] == odd
    assert kept["miscellaneous"] == {"x": 10**30}
    assert kept["command"] == "start"
    assert "nonsense" not in kept


def test_a_start_does_not_look_at_all_other_runs(
    fresh_workflow_sandbox: InProcessSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit on them: it would take ever longer."""
    monkeypatch.delattr(Store, "conversations")
    with interactly_client(fresh_workflow_sandbox) as client:
        assert execute(client).status_code == 200
