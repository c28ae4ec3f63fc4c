"""The vendors' own examples as values: what goes where, and what a strict reader of the vendor's document says of each.

Words for people are ours. `refused` is why PromptLayer's published document (2026-08-21, by JSON Schema 2020-12, which
it claims) refuses its own example; where it has no schema for the place, it can't refuse.
"""

from __future__ import annotations

from typing import Any, NamedTuple

RUN, RESULTS = "runWorkflow", "getWorkflowVersionExecutionResults"
CREATE, PATCH, READ, EXECUTE = "createWorkflow", "patchWorkflow", "getWorkflow", "executeWorkflow"
RUN_PAGE = "docs.promptlayer.com/reference/run-workflow"
RESULTS_PAGE = "docs.promptlayer.com/reference/workflow-version-execution-results"
CREATE_PAGE = "docs.promptlayer.com/reference/create-workflow"
PATCH_PAGE = "docs.promptlayer.com/reference/patch-workflow"
FORMER_GUIDE = "docs.promptlayer.com/running-requests/promptlayer-run-agent (removed)"
LIBRARY = "github.com/interactly-ai/workflow-sdk, its tests and pages"
REQUEST = 0
"""In the place of a status: the example is a request."""
NULLABLE = "`nullable` means nothing in 3.1, so null is refused"
EITHER = "fits both alternatives of a `oneOf`"


class Example(NamedTuple):
    """An example of a vendor.

    Attributes:
        status: Of the response that it is the body of, or `REQUEST`.
        false: Why it is no true one: it contradicts what its own page says in words.
    """

    name: str
    operation: str
    status: int
    value: Any
    source: str
    refused: str = ""
    false: str = ""


def _node(status: str, value: Any = None, *, is_output: bool, error: Any = None, raw: Any = None) -> dict[str, Any]:
    about = {"error_message": error, "raw_error_message": raw, "is_output_node": is_output}
    return {"status": status, "value": value, **about}


def _started(message: str) -> dict[str, Any]:
    return {"success": True, "message": message, "warning": None, "workflow_version_execution_id": 98765}


def _version(number: int, base: int | None, label: str) -> dict[str, Any]:
    return {
        "success": True,
        "workflow_id": 123,
        "workflow_name": "greeting-workflow",
        "workflow_version_id": 456,
        "version_number": number,
        "base_version": base,
        "release_labels": [label],
        "nodes": [{"id": "node-uuid", "name": "greeting", "node_type": "VARIABLE", "is_output_node": True}],
        "required_input_variables": {},
        "external_ids": [],
    }


def _prompt(name: str, *, is_output: bool, needs: list[str]) -> dict[str, Any]:
    configuration = {"template": {"prompt_name": f"{name}-prompt", "label": "production"}}
    about = {"configuration": configuration, "dependencies": needs}
    return {"name": name, "node_type": "PROMPT_TEMPLATE", "is_output_node": is_output, **about}


_TEXT = {"value": {"type": "string", "value": "Hello"}}
_GREETING = {
    "name": "greeting",
    "node_type": "VARIABLE",
    "is_output_node": True,
    "configuration": _TEXT,
    "dependencies": [],
}
_TURN = {
    "run_id": "run-session-001",
    "status": "waiting_for_user_input",
    "turn_number": 1,
    "events": [{"type": "llm_response", "output": "How can I help?"}],
    "is_waiting_for_input": True,
    "is_completed": False,
    "error": None,
    "next_input_hint": {"prompt": "What is it about?"},
}
_ENDED = {"status": "completed", "turn_number": 2, "is_waiting_for_input": False, "is_completed": True}

EXAMPLES = (
    Example(
        "latest",
        RUN,
        REQUEST,
        {
            "input_variables": {"user_message": "A question about billing"},
            "metadata": {"environment": "production"},
            "return_all_outputs": False,
        },
        RUN_PAGE,
    ),
    Example(
        "label",
        RUN,
        REQUEST,
        {"workflow_label_name": "production", "input_variables": {"user_message": "Hello"}},
        RUN_PAGE,
    ),
    Example(
        "callback",
        RUN,
        REQUEST,
        {"input_variables": {"user_message": "Hello"}, "callback_url": "https://example.com/promptlayer"},
        RUN_PAGE,
    ),
    Example(
        "callback of all outputs",
        RUN,
        REQUEST,
        {"input_variables": {"query": "Q"}, "return_all_outputs": True, "callback_url": "https://example.com/hook"},
        FORMER_GUIDE,
    ),
    Example("started", RUN, 201, _started("Workflow execution started"), RUN_PAGE, NULLABLE),
    Example("accepted", RUN, 202, _started("Workflow execution accepted"), RUN_PAGE, NULLABLE),
    Example("main output", RESULTS, 200, "Final result", RESULTS_PAGE),
    Example(
        "all outputs",
        RESULTS,
        200,
        {
            "Node 1": _node("SUCCESS", "First node result", is_output=False),
            "Node 2": _node("SUCCESS", "Final result", is_output=True),
        },
        RESULTS_PAGE,
        EITHER,
    ),
    Example(
        "still running",
        RESULTS,
        202,
        {"Node 1": _node("SUCCESS", "First node result", is_output=False), "Node 2": _node("RUNNING", is_output=True)},
        RESULTS_PAGE,
        EITHER,
    ),
    Example(
        "failed node",
        RESULTS,
        200,
        {
            "Node 1": _node("SUCCESS", "First node", is_output=False),
            "Node 2": _node("FAILED", is_output=True, error="Code failed", raw={"raw": "Code failed"}),
        },
        FORMER_GUIDE,
        EITHER,
    ),
    Example(
        "one node",
        CREATE,
        REQUEST,
        {
            "name": "greeting-workflow",
            "commit_message": "Initial version",
            "nodes": [_GREETING],
            "release_labels": ["production"],
        },
        CREATE_PAGE,
    ),
    Example(
        "two nodes",
        CREATE,
        REQUEST,
        {
            "name": "classifier-workflow",
            "nodes": [
                _prompt("classify", is_output=False, needs=["user_message"]),
                _prompt("response", is_output=True, needs=["classify", "user_message"]),
            ],
            "required_input_variables": {"user_message": "string"},
        },
        CREATE_PAGE,
    ),
    Example(
        "new version",
        CREATE,
        REQUEST,
        {
            "workflow_name": "my-workflow",
            "commit_message": "v2 updates",
            "nodes": [_GREETING],
            "release_labels": ["staging"],
        },
        CREATE_PAGE,
    ),
    Example("created", CREATE, 201, _version(1, None, "production"), CREATE_PAGE, NULLABLE),
    Example(
        "node changed",
        PATCH,
        REQUEST,
        {
            "commit_message": "Other prompt",
            "nodes": {"response_generator": {"configuration": {"template": {"prompt_name": "r", "label": "l"}}}},
        },
        PATCH_PAGE,
    ),
    Example(
        "node added",
        PATCH,
        REQUEST,
        {
            "commit_message": "Added a node",
            "nodes": {
                "logger": {
                    "node_type": "CODE_EXECUTION",
                    "configuration": {"code": "pass", "language": "PYTHON"},
                    "dependencies": ["input_data"],
                    "is_output_node": False,
                }
            },
        },
        PATCH_PAGE,
    ),
    Example(
        "node removed",
        PATCH,
        REQUEST,
        {"commit_message": "Removed a node", "nodes": {"old_processor": None}},
        PATCH_PAGE,
    ),
    Example(
        "from a version",
        PATCH,
        REQUEST,
        {"base_version": 5, "commit_message": "From v5", "nodes": {"output": {"configuration": _TEXT}}},
        PATCH_PAGE,
    ),
    Example("patched", PATCH, 201, _version(3, 2, "staging"), PATCH_PAGE),
    Example(
        "latest version",
        READ,
        200,
        {
            "success": True,
            "workflow_id": 123,
            "workflow_name": "my-workflow",
            "version_number": 3,
            "release_labels": ["production"],
            "nodes": [_GREETING],
            "edges": [],
            "required_input_variables": {"user_message": "string"},
            "external_ids": [],
        },
        "docs.promptlayer.com/reference/get-workflow",
        "lacks version, workflow_version_id and the node's id, which are required",
        false="a page of its own says that version, workflow_version_id and the ids of nodes are always there",
    ),
    Example(
        "final output",
        "workflowFinished",
        REQUEST,
        {
            "workflow_version_execution_id": 123,
            "final_output": {"Node Name": _node("SUCCESS", "result", is_output=True)},
        },
        FORMER_GUIDE,
    ),
    Example(
        "failure of the older page",
        "workflowFinished",
        REQUEST,
        {"workflow_version_execution_id": 123, "final_output": {"Node Name": _node("FAILURE", is_output=True)}},
        f"{RUN_PAGE} (wording of 2025-11 to 2026-04)",
    ),
    Example(
        "run finished",
        "agentRunFinished",
        REQUEST,
        {
            "event_type": "agent_run_finished",
            "details": {"agent_name": "Customer Support Agent", "agent_id": 456, "agent_execution_id": 789},
            "user_id": 4,
            "user_name": None,
            "user_email": None,
            "workspace_id": 2,
            "timestamp": "2026-01-01T00:00:00Z",
        },
        "docs.promptlayer.com/features/prompt-registry/webhook-events",
    ),
    Example("turn", EXECUTE, 200, _TURN, LIBRARY),
    Example("last turn", EXECUTE, 200, {**_TURN, **_ENDED, "next_input_hint": None}, LIBRARY),
    Example(
        "first turn",
        EXECUTE,
        REQUEST,
        {"run_input": {"command": "start", "thread_to_node_inputs": {"0": {"node_run_inputs": []}}}},
        LIBRARY,
    ),
    Example(
        "run input",
        EXECUTE,
        REQUEST,
        {
            "dynamic_variables": {},
            "runtime_variables": {},
            "miscellaneous": {},
            "command": "start",
            "workflow_id": "5eb7cf5a86d9755df3a6c593",
            "version_number": 0,
            "run_by": None,
            "workflow_run_id": None,
            "team_id": None,
            "thread_to_node_inputs": {},
        },
        "docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow",
    ),
)
