"""What a file of workflows may hold, member by member; `workflow_files` reads it.

A version is written with the words of the operation that creates one. Beside these there are shorter ones for what
tests want most: `prompt` for a template, and `returns`, `returns_json`, `fails` and `sleeps` for the orders in a
configuration.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from workflow_sandbox import json_text
from workflow_sandbox.answers import Case
from workflow_sandbox.fixtures import Dialogue, DialogueVersion
from workflow_sandbox.json_types import Integer, Object, ObjectId, String, text_of
from workflow_sandbox.workflow_bodies import EdgeInput, NodeName

_RESULTS = frozenset({"returns", "returns_json", "fails"})


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Outcome(_Strict):
    """What a node gives, in short words."""

    returns: Any = None
    returns_json: String | None = None
    fails: String | None = None
    sleeps: float | Integer | None = None

    def orders(self) -> dict[str, Any]:
        """Return them as the member `sandbox` of a configuration."""
        orders: dict[str, Any] = {} if self.sleeps is None else {"sleep": self.sleeps}
        if self.fails is not None:
            orders["fail"] = self.fails
        elif self.returns_json is not None:
            orders["return"] = json_text.decode(self.returns_json)
        elif "returns" in self.model_fields_set:
            orders["return"] = self.returns
        return orders

    @property
    def is_given(self) -> bool:
        """Whether it says what comes out."""
        return bool(self.model_fields_set & _RESULTS)

    @model_validator(mode="after")
    def _one_result(self) -> Self:
        if len(self.model_fields_set & _RESULTS) > 1:
            raise PydanticCustomError("exclusive", "Give one of returns, returns_json and fails")
        try:
            self.orders()
        except ValueError as error:
            raise PydanticCustomError("json", "returns_json is no JSON: {error}", {"error": str(error)}) from None
        return self


class _Node(_Outcome):
    name: NodeName
    node_type: String | None = None
    configuration: Object = {}
    dependencies: list[String] = []
    is_output_node: StrictBool = False
    prompt: String | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.node_type is None and self.prompt is None and not self.is_given:
            raise PydanticCustomError("missing", "Give prompt, returns, fails or node_type")
        return self

    def document(self) -> dict[str, Any]:
        """Return the node in the form in which nodes are created."""
        orders = self.orders()
        return {
            "name": self.name,
            "node_type": self.node_type or ("VARIABLE" if self.prompt is None else "PROMPT_TEMPLATE"),
            "configuration": {
                **self.configuration,
                **({} if self.prompt is None else {"inline_template": self.prompt}),
                **({"sandbox": orders} if orders else {}),
            },
            "dependencies": self.dependencies,
            "is_output_node": self.is_output_node,
        }


class _Version(_Outcome):
    commit_message: String | None = None
    required_input_variables: dict[String, Any] | list[String] = {}
    release_labels: list[String] = []
    nodes: list[_Node] = []
    edges: list[EdgeInput] = []

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self._check()
        return self

    def _check(self) -> None:
        if bool(self.nodes) == bool(self.orders()):
            raise PydanticCustomError("exclusive", "Give nodes, or an outcome: returns, returns_json or fails")
        if not self.nodes and not self.is_given:
            raise PydanticCustomError("missing", "Give returns, returns_json or fails beside sleeps")

    def document(self) -> dict[str, Any]:
        """Return the version in the form in which versions are created, with its labels."""
        nodes = [node.document() for node in self.nodes] or [
            {
                "name": "Output",
                "node_type": "VARIABLE",
                "configuration": {"sandbox": self.orders()},
                "dependencies": [],
                "is_output_node": True,
            }
        ]
        if not any(node["is_output_node"] for node in nodes):
            nodes[-1]["is_output_node"] = True
        variables = self.required_input_variables
        return {
            "commit_message": self.commit_message,
            "required_input_variables": dict.fromkeys(variables, "string")
            if isinstance(variables, list)
            else variables,
            "nodes": nodes,
            "edges": [edge.model_dump() for edge in self.edges],
            "release_labels": self.release_labels,
        }


class _Workflow(_Version):
    versions: list[_Version] = []

    def _check(self) -> None:
        if not self.versions:
            super()._check()
        elif self.model_fields_set != {"versions"}:
            raise PydanticCustomError("exclusive", "Beside versions there is nothing")

    @property
    def all_versions(self) -> Sequence[_Version]:
        """The versions, one if they are not listed."""
        return self.versions or [self]


class _DialogueVersion(_Strict):
    name: String = "Initial Version"
    greeting: String
    reply: String


class _Dialogue(_Strict):
    active: Integer = 0
    versions: list[_DialogueVersion]

    @model_validator(mode="after")
    def _active_is_one(self) -> Self:
        if not 0 <= self.active < len(self.versions):
            raise PydanticCustomError("range", "active should be the number of a version; the first is 0")
        return self

    def dialogue(self, id_: str) -> Dialogue:
        """Return the Interactly workflow."""
        numbered = enumerate(self.versions)
        versions = {number: DialogueVersion(number, one.name, one.greeting, one.reply) for number, one in numbered}
        return Dialogue(id_, versions, self.active)


class _Case(_Outcome):
    workflow: String | None = None
    node: String | None = None
    prompt: String | None = None
    prompt_contains: String | None = None

    @model_validator(mode="after")
    def _has_outcome(self) -> Self:
        if not self.is_given or self.sleeps is not None:
            raise PydanticCustomError("missing", "Give returns, returns_json or fails, and nothing that sleeps")
        return self

    def case(self) -> Case:
        """Return the line of the table."""
        return Case(self.workflow, self.node, self.prompt, self.prompt_contains, self.orders())


class WorkflowFile(_Strict):
    """The whole file."""

    workflows: dict[Annotated[String, text_of(1, 255)], _Workflow] = {}
    interactly: dict[ObjectId, _Dialogue] = {}
    cases: list[_Case] = []
