"""What the sandbox serves: PromptLayer's workflow `canary` and one Interactly workflow.

Both have two versions whose outputs differ, so that a caller can see which one ran.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from workflow_sandbox import json_text

NodeFunction = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
"""Computes a node's value from the run's input variables and the values of the nodes it depends on."""


@dataclass(frozen=True)
class Node:
    """One step of a PromptLayer workflow."""

    name: str
    compute: NodeFunction
    depends_on: tuple[str, ...] = ()
    is_output: bool = False


@dataclass(frozen=True)
class WorkflowVersion:
    """One version of a PromptLayer workflow; its nodes stand in an order in which they can run."""

    number: int
    nodes: tuple[Node, ...]
    input_variables: frozenset[str]


@dataclass(frozen=True)
class Workflow:
    """A PromptLayer workflow with its versions by number and its labels."""

    versions: Mapping[int, WorkflowVersion]
    labels: Mapping[str, int]

    def labelled(self, label: str) -> WorkflowVersion | None:
        """Return the version that carries `label`."""
        number = self.labels.get(label)
        return None if number is None else self.versions[number]

    @property
    def latest(self) -> WorkflowVersion:
        """The version with the highest number."""
        return self.versions[max(self.versions)]


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


def _canary(number: int, draft: str, reply: str) -> WorkflowVersion:
    def write_draft(variables: Mapping[str, Any], _: Mapping[str, Any]) -> str:
        return f"{draft} {_text(variables.get('user_message', ''))}"

    def write_reply(_: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        return f"[canary version {number}] {reply} ({values['Draft']})"

    nodes = (Node("Draft", write_draft), Node("Reply", write_reply, depends_on=("Draft",), is_output=True))
    return WorkflowVersion(number, nodes, frozenset({"user_message"}))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text.encode(value)


WORKFLOWS: Mapping[str, Workflow] = MappingProxyType(
    {
        "canary": Workflow(
            versions={
                1: _canary(1, "The customer writes:", "We have read your message and are on it."),
                2: _canary(2, "Request received:", "Thank you, an agent takes over from here."),
            },
            labels={"production": 1},
        )
    }
)

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
