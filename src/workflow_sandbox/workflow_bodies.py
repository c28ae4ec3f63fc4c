"""Bodies of the requests that create workflows, versions and external ids."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StrictBool,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from workflow_sandbox.json_types import Integer, Object, String, text_of
from workflow_sandbox.sizes import LONGEST_NAME


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)


class _Part(_Body):
    """A part of a version. Its members that the contract doesn't name are kept with it."""

    # Pydantic's own way of allowing them takes no name that UTF-8 can't carry.
    _given: dict[str, Any] = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, body: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        part = validate(body)
        part._given = body  # noqa: SLF001 - it is one of this class
        return part

    @model_serializer(mode="wrap")
    def _with_all_members(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**self._given, **serialize(self)}


def _not_negative(number: int) -> int:
    if number < 0:
        raise PydanticCustomError("greater_than_equal", "Input should be greater than or equal to 0")
    return number


class EdgeCondition(_Part):
    """One condition of an edge."""

    position: Annotated[Integer, AfterValidator(_not_negative)]
    operator: Literal["=", "!=", "<", ">", "<=", ">=", "in", "not_in", "is_null", "is_not_null"]
    left_config: Any
    right_config: Any


def _not_empty(conditions: list[EdgeCondition]) -> list[EdgeCondition]:
    if not conditions:
        raise PydanticCustomError("too_short", "List should have at least 1 item")
    return conditions


class EdgeInput(_Part):
    """A conditional edge."""

    source_node_name: String
    target_node_name: String
    is_and: StrictBool
    conditionals: Annotated[list[EdgeCondition], AfterValidator(_not_empty)]


NodeName = Annotated[String, text_of(1, LONGEST_NAME)]


class NodeInput(_Part):
    """A node of a new version."""

    name: NodeName
    node_type: String
    configuration: Object
    dependencies: list[String] = []
    is_output_node: StrictBool


class NodeUpdate(_Part):
    """What is to be different in a node."""

    node_type: String = ""
    configuration: Object = {}
    dependencies: list[String] = []
    is_output_node: StrictBool = False


class ExternalIdInput(_Body):
    """An id of another system."""

    model_config = ConfigDict(strict=True, extra="forbid")

    source: Annotated[String, text_of(1, 128)]
    external_id: Annotated[String, text_of(1, 512)]


class CreateWorkflow(_Body):
    """A workflow to create, or a version to add to one."""

    name: Annotated[String, text_of(1, 255)] | None = None
    workflow_id: Integer | None = None
    workflow_name: String | None = None
    folder_id: Integer | None = None
    commit_message: String | None = None
    required_input_variables: Object = {}
    nodes: list[NodeInput]
    edges: list[EdgeInput] | None = None
    release_labels: list[String] | None = None
    external_ids: list[ExternalIdInput] = []

    @model_validator(mode="after")
    def _new_or_known(self) -> Self:
        if self.name is not None and (self.workflow_id is not None or self.workflow_name is not None):
            raise PydanticCustomError("mutually_exclusive", "Give name, or the workflow to add a version to")
        if not self.nodes:
            raise PydanticCustomError("too_short", "A workflow should have at least 1 node")
        return self


class PatchWorkflow(_Body):
    """What is to be different in the new version."""

    base_version: Integer | None = None
    commit_message: String | None = None
    nodes: dict[String, NodeUpdate | None] = {}
    required_input_variables: Object | None = None
    edges: list[EdgeInput] | None = None
    release_labels: list[String] | None = None
