"""Interactly's second form, turns, and what can be read of runs."""

from typing import Any

import httpx
import pytest
from sandbox_calls import INTERACTLY_WORKFLOW, ONE_THREAD, execute


def take_turn(client: httpx.Client, run_id: str | None = None, **run_input: Any) -> httpx.Response:
    """Execute in the form of a turn."""
    given: dict[str, Any] = {} if run_id is None else {"run_id": run_id}
    return execute(client, None, run_input={**ONE_THREAD, **run_input}, **given)


def test_turns_of_one_run(interactly: httpx.Client) -> None:
    """The first one makes the run, further ones name it and are counted; a completed run takes none."""
    first = take_turn(interactly, dynamic_variables={"customer_name": "Ada"}).json()
    paused = take_turn(interactly, first["run_id"], command="pause").json()
    resumed = take_turn(interactly, first["run_id"], command="resume").json()
    answer = {"0": {"node_run_inputs": ["a bill"]}}
    last = take_turn(interactly, first["run_id"], command="data", thread_to_node_inputs=answer).json()
    after = take_turn(interactly, first["run_id"], command="data")

    assert [one["turn_number"] for one in (first, paused, resumed, last)] == [1, 2, 3, 4]
    assert {one["run_id"] for one in (first, paused, resumed, last)} == {first["run_id"]}
    assert [one["status"] for one in (first, paused, last)] == ["waiting_for_user_input", "paused", "completed"]
    assert [one["is_completed"] for one in (first, paused, last)] == [False, False, True]
    assert [one["is_waiting_for_input"] for one in (first, paused, resumed, last)] == [True, False, True, False]
    assert first["events"][-1]["text"].startswith("Welcome Ada!")
    assert (paused["events"], last["events"][-1]["text"].split(": ")[-1]) == ([], "a bill")
    assert after.status_code == 409


def test_outputs_stand_by_the_threads_of_the_run(interactly: httpx.Client) -> None:
    """Each thread has what answers its own inputs; a turn that names none goes on in those of the turn before."""
    none: dict[str, Any] = {"node_run_inputs": []}
    first = take_turn(interactly, thread_to_node_inputs={"t1": none}).json()
    paused = take_turn(interactly, first["run_id"], command="pause").json()
    resumed = take_turn(interactly, first["run_id"], command="resume").json()
    said = {"t2": {"node_run_inputs": ["a bill"]}, "t1": {"node_run_inputs": ["more", "tea"]}}
    take_turn(interactly, first["run_id"], command="data", thread_to_node_inputs=said)
    start = execute(interactly, thread_to_node_inputs={"main": none}).json()
    ended = execute(interactly, command="data", workflow_run_id=start["workflow_run_id"]).json()
    failed = execute(interactly, thread_to_node_inputs={"main": none}, miscellaneous={"sandbox": "fail"}).json()
    bare = execute(interactly).json()

    hints = [one["next_input_hint"] for one in (first, paused, resumed)]
    outputs = [pair["run_output"]["thread_to_node_outputs"] for pair in _pairs(interactly, first["run_id"])]
    assert hints == [{"thread": "t1"}, None, {"thread": "t1"}]
    assert list(outputs[0]) == ["t1"]
    assert outputs[0]["t1"][0]["text"].startswith("Welcome")
    assert {thread: one["text"].split(": ")[-1] for thread, [one] in outputs[1].items()} == {
        "t2": "a bill",
        "t1": "more, tea",
    }
    assert [list(pair["run_output"]["thread_to_node_outputs"]) for pair in ended["input_output_pairs"]] == [
        ["main"]
    ] * 2
    assert failed["input_output_pairs"][0]["run_output"]["thread_to_node_outputs"] == {"main": []}
    assert list(bare["input_output_pairs"][0]["run_output"]["thread_to_node_outputs"]) == ["0"]


def _pairs(client: httpx.Client, run_id: str) -> list[dict[str, Any]]:
    run: dict[str, Any] = client.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]
    return list(run["input_output_pairs"])


@pytest.mark.parametrize("command", ["pause", "resume", "data"])
def test_variables_count_with_whichever_command_they_come(interactly: httpx.Client, command: str) -> None:
    """Both kinds; the latest value counts, and no stretch of execution shows what came beside it."""
    given = {"dynamic_variables": {"customer_name": "Ada"}, "runtime_variables": {"agent_name": "Bo"}}
    run_id = take_turn(interactly, dynamic_variables={"customer_name": "Nobody"}).json()["run_id"]
    for each in ("pause", "resume"):
        take_turn(interactly, run_id, command=each, **(given if each == command else {}))
    ended = take_turn(interactly, run_id, command="data", **(given if command == "data" else {})).json()

    assert ended["events"][-1]["text"].startswith("Understood, Ada. Bo takes care of:")
    kept = [pair["run_input"]["dynamic_variables"] for pair in _pairs(interactly, run_id)]
    assert kept == [{"customer_name": "Nobody"}, given["dynamic_variables"] if command == "data" else {}]


def test_a_turn_can_fail_and_be_stopped(interactly: httpx.Client) -> None:
    """`error` is there if the run has failed; `stop` cancels."""
    failed = take_turn(interactly, miscellaneous={"sandbox": "fail"}).json()
    stopped = take_turn(interactly, take_turn(interactly).json()["run_id"], command="stop").json()
    assert (failed["status"], failed["is_completed"], isinstance(failed["error"], str)) == ("failed", True, True)
    assert (stopped["status"], stopped["is_completed"], stopped["error"]) == ("cancelled", True, None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"run_input": {}, "command": "start"}, 422),
        ({"run_id": "5eb7cf5a86d9755df3a6c594"}, 422),
        ({"run_id": "5eb7cf5a86d9755df3a6c594", "command": "data"}, 422),
        ({"run_input": {"command": "begin"}}, 422),
        ({"run_input": None}, 422),
        ({"run_input": ONE_THREAD, "run_id": "nobody's"}, 404),
        ({"run_input": {"command": "data", **ONE_THREAD}}, 409),
        ({"run_input": {}}, 422),
        ({"run_input": {"thread_to_node_inputs": {}}}, 422),
    ],
)
def test_what_is_no_turn_is_refused(interactly: httpx.Client, body: dict[str, Any], status: int) -> None:
    """Members of the two forms are never mixed."""
    assert execute(interactly, **body).status_code == status


def test_a_turn_has_a_thread_unless_it_is_a_mere_command(interactly: httpx.Client) -> None:
    """What starts a run or gives it data needs one, and is refused before it does anything."""
    before = interactly.get("/v1/workflow-runs").json()["total"]
    assert execute(interactly, run_input={"command": "start"}).status_code == 422
    assert interactly.get("/v1/workflow-runs").json()["total"] == before
    run_id = take_turn(interactly).json()["run_id"]
    replies = [
        execute(interactly, run_id=run_id, run_input={"command": command})
        for command in ("pause", "resume", "data", "stop")
    ]

    assert [reply.status_code for reply in replies] == [200, 200, 422, 200]
    assert replies[2].json()["detail"][0]["loc"] == ["body", "run_input", "thread_to_node_inputs"]
    assert replies[3].json()["status"] == "cancelled"
    assert execute(interactly).status_code == 200  # a run input by itself needs none


def test_a_record_tells_who_has_changed_it(interactly: httpx.Client) -> None:
    """Who gave the last command that said so; at first that is who has started it."""
    run = take_turn(interactly, run_by="starter").json()["run_id"]
    seen = []
    for command, by in [("pause", "pauser"), ("resume", None)]:
        assert take_turn(interactly, run_id=run, command=command, run_by=by).status_code == 200
        record = interactly.get(f"/v1/workflow-runs/{run}").json()["workflow_run"]
        seen.append((record["created_by"], record["updated_by"]))
    assert seen == [("starter", "pauser"), ("starter", "pauser")]


def test_a_run_can_be_read_and_listed(interactly: httpx.Client) -> None:
    """In its record, whole by itself and in short in a list; newest first, page by page."""
    started = [execute(interactly, run_by="tester").json() for _ in range(3)]
    turn = take_turn(interactly).json()
    read = interactly.get(f"/v1/workflow-runs/{started[0]['workflow_run_id']}").json()["workflow_run"]
    path = "/v1/workflow-runs"
    query: dict[str, Any] = {"workflow_id": INTERACTLY_WORKFLOW, "status": "waiting_for_user_input", "size": 2}
    pages = [interactly.get(path, params={**query, "page": page}).json() for page in (1, 2)]
    listed = [one["_id"] for page in pages for one in page["workflow_runs"]]

    assert read["workflow_run"] == started[0]
    assert (read["_id"], read["created_by"]) == (started[0]["workflow_run_id"], "tester")
    assert read["created_at"] <= read["updated_at"]
    assert listed == [turn["run_id"], *(run["workflow_run_id"] for run in reversed(started))]
    assert pages[0]["workflow_runs"][0]["workflow_run"].keys() == {"logical_id", "workflow_id", "status"}
    assert interactly.get(path, params={"search": started[0]["logical_id"]}).json()["total"] == 1
    assert interactly.get(path, params={"end": "2000-01-01T00:00:00Z"}).json() == {"workflow_runs": [], "total": 0}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/workflow-runs/5eb7cf5a86d9755df3a6c5ff", 404),
        ("/v1/workflow-runs/x", 422),
        ("/v1/workflow-runs?page=0", 422),
        ("/v1/workflow-runs?size=0", 422),
        ("/v1/workflow-runs?status=done", 422),
        ("/v1/workflow-runs?start=yesterday", 422),
    ],
)
def test_what_cannot_be_read_is_refused(interactly: httpx.Client, path: str, status: int) -> None:
    """And nothing without a key."""
    assert interactly.get(path).status_code == status
    assert interactly.get(path, headers={"Authorization": "Bearer another"}).status_code == 401
