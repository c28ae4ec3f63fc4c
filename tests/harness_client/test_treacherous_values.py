"""Values that no generator draws, and that show what a client does at the edges of what is legal."""

import json
from pathlib import Path

from contract_tests.cases.boundary_values import variants
from contract_tests.cases.deliveries import deliveries, legal_posts, others_of_its_kind
from contract_tests.cases.responses import legal_replies
from contract_tests.openapi.document import Contract

CONTRACT = Contract.load(Path(__file__).parents[2] / "openapi.yaml")
FINISHED = "#/components/schemas/WorkflowFinished"


def test_every_listed_word_stands_in_an_entry_of_a_map() -> None:
    """A map whose entries have listed words is met with each of them, beside the other members of an entry."""
    made = [value for value, _ in variants(CONTRACT, FINISHED, {"workflow_version_execution_id": 5})]
    maps = [value["final_output"] for value in made if isinstance(value.get("final_output"), dict)]
    entries = [entries["first"] for entries in maps if "first" in entries]

    assert {entry["status"] for entry in entries} >= {"QUEUED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "FAILURE"}
    assert all(CONTRACT.is_valid(entry, "#/components/schemas/NodeOutput") for entry in entries)


def test_members_that_an_exclusion_names_stand_together_where_they_may() -> None:
    """A label and a version exclude one another; null is neither, and both orders of that are tried."""
    made = [value for value, _ in variants(CONTRACT, "#/components/schemas/RunWorkflow", {})]
    pairs = [value for value in made if {"workflow_label_name", "workflow_version_number"} <= value.keys()]

    assert {tuple(name for name, value in pair.items() if value is None) for pair in pairs} >= {
        ("workflow_label_name",),
        ("workflow_version_number",),
    }


def test_a_delivery_of_the_same_kind_differs_in_all_but_its_kind() -> None:
    """Members with listed words and times stay; ids and names, also inside of objects, do not; one differs in ids."""
    (delivery,) = (one for one in deliveries(CONTRACT) if one.name == "agentRunFinished")
    post = next(legal_posts(CONTRACT, delivery, lambda _: []))
    (_, near), (_, far), (_, by_ids) = others_of_its_kind(CONTRACT, delivery, post)

    one, other = post.value, near.value
    assert [name for name in one if one[name] == other[name]] == ["event_type", "user_email", "timestamp"]
    assert [name for name in one["details"] if one["details"][name] == other["details"][name]] == []
    assert far.value["details"]["agent_execution_id"] == one["details"]["agent_execution_id"] + 10**9
    assert by_ids.value["details"] == other["details"] | {"agent_name": one["details"]["agent_name"]}
    assert by_ids.value["user_name"] == one["user_name"]


def test_a_text_that_is_not_ascii_comes_escaped_and_as_it_is() -> None:
    """A reply with other letters is sent in both spellings of the same value."""
    operation = CONTRACT.operation("runWorkflow")
    bodies = [case.answer.body for case in legal_replies(CONTRACT, operation, lambda _: [])]
    spelled = [body for body in bodies if not body.isascii()]

    assert spelled
    assert {json.dumps(json.loads(body)).encode() for body in spelled} <= set(bodies)
