"""44 KB of nodes from a reply to typed objects, all members read: `decode.py measure|profile both RIVAL`."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import httpx
from turns import tell_in_turn, version

from workflow_runs_api.api.promptlayer.get_workflow_version_execution_results import OPERATION, request
from workflow_runs_api.models.node_outputs import read_node_outputs
from workflow_runs_api.redaction import Redaction
from workflow_runs_api.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RIVAL = sys.argv[3]
KILOBYTES = 44
NODES = {
    f"Node {number}": {
        "status": "SUCCESS",
        "value": f"Result {number}: " + "lorem ipsum " * 7,
        "error_message": None,
        "raw_error_message": None,
        "is_output_node": number == 0,
    }
    for number in range(200)
}
CONTENT = json.dumps(NODES).encode()
REPLY = httpx.Response(
    200, headers={"content-type": "application/json"}, content=CONTENT, request=httpx.Request("GET", "http://x/")
)
if round(len(CONTENT) / 1000) != KILOBYTES:
    raise SystemExit("the content has another size than its row says")
_OUTGOING = OPERATION.outgoing(request(workflow_version_execution_id=1), "http://x")


def our_nodes() -> Iterable[Any]:
    """All that our client does with a reply once it is there; every member's type is checked."""
    return Reply(OPERATION, REPLY, Redaction(_OUTGOING)).json(read_node_outputs, "application/json").values()


def stock() -> Callable[[], Iterable[Any]]:
    """What the generator's own templates give; it checks no type, and all it does besides is left out."""
    models = importlib.import_module("stock_api.models")

    def nodes() -> Iterable[Any]:
        found: Iterable[Any] = models.NodeOutputs.from_dict(REPLY.json()).additional_properties.values()
        return found

    return nodes


def pydantic() -> Callable[[], Iterable[Any]]:
    """Typed and checked by pydantic."""
    module = importlib.import_module("pydantic")
    node = module.create_model("Node", status=str, value=Any, error_message=str | None, raw_error_message=Any,
                               is_output_node=bool | None)  # fmt: skip
    nodes = module.TypeAdapter(dict[str, node])
    return lambda: nodes.validate_json(REPLY.content).values()


def msgspec() -> Callable[[], Iterable[Any]]:
    """Typed and checked by msgspec."""
    module = importlib.import_module("msgspec")
    members = [("status", str), ("value", Any), ("error_message", str | None), ("raw_error_message", Any)]
    node = module.defstruct("Node", [*members, ("is_output_node", bool | None)])
    nodes = module.json.Decoder(dict[str, node])
    return lambda: nodes.decode(REPLY.content).values()


def json_alone() -> Callable[[], Iterable[Any]]:
    """No nodes at all: the parser of the standard library, which is a part of most of the others."""
    return lambda: json.loads(REPLY.content) and ()


def reading_all(nodes: Callable[[], Iterable[Any]]) -> Callable[[], None]:
    """Read every member of every node."""

    def read() -> None:
        for node in nodes():
            _ = node.status, node.value, node.error_message, node.raw_error_message, node.is_output_node

    return read


# Where the stock output is measured, its generator need not be installed.
rivals = {"stock": stock, "pydantic": pydantic, "msgspec": msgspec, "json": json_alone}
versions = {"stock": os.environ["GENERATOR"], "json": version("python")}
tell_in_turn(reading_all(our_nodes), reading_all(rivals[RIVAL]()), versions.get(RIVAL) or version(RIVAL))
