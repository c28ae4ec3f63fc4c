"""The life of a PromptLayer run: accepted, executed, shown in both forms, failed on request."""

from collections.abc import Iterator

import httpx
import pytest
from sandbox_calls import finished, poll, promptlayer_client, run

from workflow_sandbox import Sandbox

_ENTRY_KEYS = {"status", "value", "error_message", "raw_error_message", "is_output_node"}


@pytest.fixture(scope="module")
def patient() -> Iterator[httpx.Client]:
    """A client of a sandbox whose nodes take so long that every run is seen unfinished."""
    with Sandbox(run_seconds=600) as sandbox, promptlayer_client(sandbox) as client:
        yield client


def test_run_is_created_with_201_and_ends_with_an_output_made_of_its_input(promptlayer: httpx.Client) -> None:
    """A run without callback is answered 201, and its output is computed from the message it was given."""
    response = promptlayer.post("/workflows/canary/run", json={"input_variables": {"user_message": "my bill"}})

    assert response.status_code == 201
    assert response.json()["success"] is True
    output = finished(promptlayer, response.json()["workflow_version_execution_id"])
    assert output.status_code == 200
    assert "my bill" in output.json()


@pytest.mark.parametrize(
    ("choice", "version"),
    [
        ({}, 2),
        ({"workflow_label_name": None, "workflow_version_number": None, "metadata": None}, 2),
        ({"workflow_label_name": "production"}, 1),
        ({"workflow_version_number": 1}, 1),
        ({"workflow_version_number": 2.0}, 2),
        ({"workflow_label_name": "production", "workflow_version_number": None}, 1),
    ],
)
def test_label_or_number_picks_the_version_and_the_latest_runs_without(
    promptlayer: httpx.Client, choice: dict[str, object], version: int
) -> None:
    """The version that a label or a number names runs, the latest one without; nulls count as absent."""
    output = finished(promptlayer, run(promptlayer, **choice)).json()

    assert output.startswith(f"[canary version {version}]")


def test_two_equal_requests_start_two_runs_with_rising_ids(promptlayer: httpx.Client) -> None:
    """The same request twice is two runs, each with an id of its own that does not fit 32 bits."""
    first, second = run(promptlayer), run(promptlayer)

    assert 2**32 < first < second


def test_form_of_results_follows_the_poll_not_the_run(promptlayer: httpx.Client) -> None:
    """One run polled with both flags shows the bare output and the node entries, whatever the run asked for."""
    run_id = run(promptlayer, input_variables={"user_message": "x"}, return_all_outputs=True)

    bare = finished(promptlayer, run_id).json()
    entries = poll(promptlayer, run_id, return_all_outputs="true").json()

    assert [set(entry) for entry in entries.values()] == [_ENTRY_KEYS, _ENTRY_KEYS]
    assert [entry["status"] for entry in entries.values()] == ["SUCCESS", "SUCCESS"]
    assert {name: entry["is_output_node"] for name, entry in entries.items()} == {"Draft": False, "Reply": True}
    assert bare == entries["Reply"]["value"] == poll(promptlayer, run_id, return_all_outputs="false").json()
    assert entries["Draft"]["value"] in bare


def test_final_result_never_changes(promptlayer: httpx.Client) -> None:
    """Once final, a result is the same at every later poll."""
    run_id = run(promptlayer, input_variables={"user_message": "same"})
    first = finished(promptlayer, run_id)

    later = [poll(promptlayer, run_id) for _ in range(5)]

    assert {(reply.status_code, reply.content) for reply in later} == {(first.status_code, first.content)}


def test_unfinished_run_is_202_with_null_for_what_has_not_ended(patient: httpx.Client) -> None:
    """While nodes are queued or running the status is 202, with null values or a bare null."""
    run_id = run(patient)

    entries = poll(patient, run_id, return_all_outputs="true")
    bare = poll(patient, run_id)

    assert (entries.status_code, bare.status_code) == (202, 202)
    assert bare.json() is None
    assert [(entry["status"], entry["value"]) for entry in entries.json().values()] == [
        ("RUNNING", None),
        ("QUEUED", None),
    ]


def test_run_asked_to_fail_has_no_output(promptlayer: httpx.Client) -> None:
    """A run whose output node failed is 500 in the bare form and 200 with the failure in the other."""
    run_id = run(promptlayer, metadata={"sandbox": "fail"})

    bare = finished(promptlayer, run_id)
    entries = poll(promptlayer, run_id, return_all_outputs="true")

    assert (bare.status_code, entries.status_code) == (500, 200)
    assert bare.json() == {"success": False, "message": bare.json()["message"], "output": entries.json()}
    assert entries.json()["Draft"]["status"] == "SUCCESS"
    assert entries.json()["Reply"]["status"] == "FAILED"
    assert entries.json()["Reply"]["error_message"]
    assert entries.json()["Reply"]["raw_error_message"]


def test_what_depends_on_a_failed_node_is_skipped(promptlayer: httpx.Client) -> None:
    """A failure of the first node leaves the second one skipped, without an error of its own."""
    entries = finished(promptlayer, run(promptlayer, metadata={"sandbox": "fail:Draft"}), return_all_outputs="true")

    assert entries.json()["Draft"]["status"] == "FAILED"
    assert entries.json()["Reply"]["status"] == "SKIPPED"
    assert entries.json()["Reply"]["error_message"] is None


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, ["Missing", "user_message"]),
        ({"user_message": "x", "colour": 1}, ["Unused", "colour"]),
        ({f"extra{number}": 0 for number in range(100)}, ["Missing", "Unused", "95 more"]),
    ],
)
def test_missing_and_unused_variables_are_warned_of(
    promptlayer: httpx.Client, variables: dict[str, object], named: list[str]
) -> None:
    """A missing or unused input variable does not stop the run; the warning names it."""
    response = promptlayer.post("/workflows/canary/run", json={"input_variables": variables})

    assert response.status_code == 201
    assert all(word in response.json()["warning"] for word in named)


def test_fitting_variables_give_no_warning(promptlayer: httpx.Client) -> None:
    """With exactly the variables of the workflow the warning is null."""
    response = promptlayer.post("/workflows/canary/run", json={"input_variables": {"user_message": None}})

    assert response.json()["warning"] is None


def test_strings_that_utf8_cannot_carry_come_back_as_they_were(promptlayer: httpx.Client) -> None:
    """A lone surrogate and a NUL in an input survive storage and reply."""
    content = b'{"input_variables": {"user_message": "a\\u0000b\\ud83d"}}'
    response = promptlayer.post("/workflows/canary/run", content=content, headers={"content-type": "application/json"})

    output = finished(promptlayer, response.json()["workflow_version_execution_id"])

    assert "a\x00b\ud83d" in output.json()
