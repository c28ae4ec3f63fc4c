"""What the sandbox serves: PromptLayer's workflow `canary` and one Interactly workflow.

Both have two versions whose outputs differ, so that a caller can see which one ran.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class DialogueVersion:
    """One version of an Interactly workflow: it greets, waits for the user, replies and ends.

    `{{name}}` in a text stands for a dynamic variable, `[[name]]` for a runtime variable.
    """

    number: int
    name: str
    greeting: str
    reply: str


@dataclass(frozen=True)
class Dialogue:
    """An Interactly workflow with its versions by number."""

    id: str
    versions: Mapping[int, DialogueVersion]
    active: int


def _canary(number: int, draft: str, reply: str) -> Mapping[str, Any]:
    def node(name: str, text: str, dependency: str, *, is_output_node: bool) -> dict[str, Any]:
        return {
            "name": name,
            "node_type": "PROMPT_TEMPLATE",
            "configuration": {"inline_template": text},
            "dependencies": [dependency],
            "is_output_node": is_output_node,
        }

    return {
        "commit_message": f"Version {number}",
        "required_input_variables": {"user_message": "string"},
        "nodes": [
            node("Draft", f"{draft} {{user_message}}", "user_message", is_output_node=False),
            node("Reply", f"[canary version {number}] {reply} ({{Draft}})", "Draft", is_output_node=True),
        ],
        "release_labels": ["production"] if number == 1 else [],
    }


CANARY = (
    _canary(1, "The customer writes:", "We have read your message and are on it."),
    _canary(2, "Request received:", "Thank you, an agent takes over from here."),
)
"""The versions of PromptLayer's workflow `canary`, in the form in which versions are created."""

DIALOGUES: Mapping[str, Dialogue] = MappingProxyType(
    {
        "5eb7cf5a86d9755df3a6c593": Dialogue(
            id="5eb7cf5a86d9755df3a6c593",
            versions={
                0: DialogueVersion(
                    number=0,
                    name="Initial Version",
                    greeting="Hello {{customer_name}}, this is [[agent_name]]. How can I help?",
                    reply="Thank you, {{customer_name}}. [[agent_name]] has noted:",
                ),
                1: DialogueVersion(
                    number=1,
                    name="Second Version",
                    greeting="Welcome {{customer_name}}! [[agent_name]] is listening. What can I do for you?",
                    reply="Understood, {{customer_name}}. [[agent_name]] takes care of:",
                ),
            },
            active=1,
        )
    }
)
