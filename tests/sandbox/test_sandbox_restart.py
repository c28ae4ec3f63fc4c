"""What survives the end of the server: everything that was accepted."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from callback_receiver import CallbackReceiver, Delivery
from sandbox_calls import execute, finished, interactly_client, poll, promptlayer_client, run

from workflow_sandbox import Sandbox


def test_unfinished_run_goes_on_after_a_kill() -> None:
    """A run that was accepted before kill -9 ends after the restart, on the input that it was given."""
    with Sandbox(run_seconds=0.3) as sandbox, promptlayer_client(sandbox) as client:
        run_id = run(client, input_variables={"user_message": "still here"}, workflow_label_name="production")
        sandbox.kill()
        sandbox.start()
        output = finished(client, run_id)

    assert output.status_code == 200
    assert "[canary version 1]" in output.json()
    assert "still here" in output.json()


def test_the_first_output_to_succeed_is_known_after_a_kill() -> None:
    """What had ended before kill -9 was before what ends after it."""
    outputs = [{"name": name, "returns": name, "is_output_node": True} for name in ("Slow", "Fast")]
    nodes = [{**outputs[0], "sleeps": 1}, {**outputs[1], "sleeps": 0.01}]
    with Sandbox(workflows={"two": {"nodes": nodes}}) as sandbox, promptlayer_client(sandbox) as client:
        run_id = client.post("/workflows/two/run", json={}).json()["workflow_version_execution_id"]
        while poll(client, run_id, return_all_outputs="true").json()["Fast"]["status"] != "SUCCESS":
            pass
        assert poll(client, run_id).status_code == 202
        sandbox.kill()
        sandbox.start()
        assert finished(client, run_id).json() == "Fast"
        sandbox.kill()
        sandbox.start()
        assert poll(client, run_id).json() == "Fast"


def test_finished_runs_stay_the_same_and_ids_go_on_rising() -> None:
    """Results, good and bad, are byte for byte the same after a restart, and no id is given twice."""
    with Sandbox(run_seconds=0) as sandbox, promptlayer_client(sandbox) as client:
        runs = [run(client), run(client, metadata={"sandbox": "fail"})]
        before = [finished(client, run_id).content for run_id in runs]
        sandbox.kill()
        sandbox.start()
        after = [poll(client, run_id).content for run_id in runs]
        later = run(client)

    assert before == after
    assert later > max(runs)


def test_no_accepted_run_is_lost_by_a_kill_under_load() -> None:
    """Every run whose acceptance a client has read is there after kill -9 in the middle of many requests."""
    accepted: list[int] = []

    def start_until_refused(client: httpx.Client) -> None:
        try:
            while True:
                accepted.append(run(client))
                if len(accepted) == 200:
                    sandbox.kill()
        except httpx.TransportError:
            return

    with Sandbox(run_seconds=0.05) as sandbox:
        with promptlayer_client(sandbox) as client, ThreadPoolExecutor(4) as pool:
            list(pool.map(start_until_refused, [client] * 4))
        sandbox.start()
        with promptlayer_client(sandbox) as client:
            statuses = {finished(client, run_id).status_code for run_id in accepted}

    assert len(accepted) >= 200
    assert len(set(accepted)) == len(accepted)
    assert statuses == {200}


_DIAMOND = {
    "nodes": [
        {"name": "Start", "prompt": "{number}", "dependencies": ["number"]},
        {"name": "Slow", "returns": "slow", "sleeps": 0.2, "dependencies": ["Start"]},
        {"name": "Held", "prompt": "{Start}", "dependencies": ["Start"]},
        {"name": "Never", "returns": 1, "dependencies": ["Start"]},
        {"name": "End", "prompt": "{Held} {Slow}", "dependencies": ["Slow", "Held"]},
    ],
    "edges": [
        {
            "source_node_name": "Start",
            "target_node_name": "Never",
            "is_and": True,
            "conditionals": [
                {"position": 0, "operator": "is_null", "left_config": {"source": "Start"}, "right_config": {}}
            ],
        }
    ],
}


def test_graphs_and_callbacks_outlast_kills_under_load_and_in_recovery() -> None:
    """Runs whose nodes run side by side, sleep, are held and are skipped all end, and each outcome is posted."""
    accepted: dict[int, int] = {}

    def start_until_killed(client: httpx.Client) -> None:
        try:
            while True:
                number = len(accepted)
                body = {"input_variables": {"number": number}, "callback_url": receiver.url}
                reply = client.post("/workflows/diamond/run", json=body)
                accepted[reply.json()["workflow_version_execution_id"]] = number
                if number % 40 == 39:
                    sandbox.kill()
        except httpx.TransportError:
            return

    options = ["--callback-backoff=0.02", "--callback-attempts=100"]
    with (
        CallbackReceiver() as receiver,
        Sandbox(workflows={"diamond": _DIAMOND}, run_seconds=0.01, options=options) as sandbox,
    ):
        for _ in range(2):
            sandbox.hold("diamond", node="Held")
            with promptlayer_client(sandbox) as client, ThreadPoolExecutor(3) as pool:
                list(pool.map(start_until_killed, [client] * 3))
            sandbox.start()
            sandbox.kill()
            sandbox.start()
        with promptlayer_client(sandbox) as client:
            ended = {run_id: finished(client, run_id, return_all_outputs="true").json() for run_id in accepted}
        posted: dict[int, Delivery] = {}
        while accepted.keys() - posted.keys():
            delivery = receiver.wait()
            posted[delivery.body["workflow_version_execution_id"]] = delivery

    assert len(accepted) >= 80
    for run_id, number in accepted.items():
        assert ended[run_id]["End"]["value"] == f"{number} slow"
        assert [entry["status"] for entry in ended[run_id].values()].count("SKIPPED") == 1
        assert posted[run_id].body["final_output"] == ended[run_id]
        assert posted[run_id].headers["sandbox-delivery-id"] == f"run-{run_id}"


def test_conversation_goes_on_after_a_kill() -> None:
    """An Interactly run that waits for the user can be answered after kill -9."""
    with Sandbox() as sandbox, interactly_client(sandbox) as client:
        started = execute(client, dynamic_variables={"customer_name": "Ada"}).json()
        sandbox.kill()
        sandbox.start()
        run_ = execute(client, command="data", workflow_run_id=started["workflow_run_id"]).json()

    assert run_["status"] == "completed"
    assert run_["input_output_pairs"][0] == started["input_output_pairs"][0]
