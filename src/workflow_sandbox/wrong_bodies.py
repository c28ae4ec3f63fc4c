"""Bodies that the contract allows and today's service does not send, or that are no service's at all."""

import json
from collections.abc import Callable
from typing import Any

from workflow_sandbox import json_text

HTML = b"<!doctype html><html><head><title>Gateway</title></head><body><h1>Something is in between</h1></body></html>"

_PROPERTY, _VALUE = "sandbox_unknown_property", {"since": "tomorrow", "values": [1, None, "x"]}
_STATUSES = {"SUCCESS": "SUCCEEDED_WITH_NOTES", "RUNNING": "WAITING_FOR_CAPACITY", "QUEUED": "SCHEDULED"}


def pending(body: bytes, *, wants_nodes: bool) -> bytes:
    """Return the body of a poll for results as it was while the last node was still running."""
    found = json.loads(body)
    if not wants_nodes:
        return b"null"
    nodes: dict[str, Any] = found if _are_nodes(found) else found["output"]
    last = {"status": "RUNNING", "value": None, "error_message": None, "raw_error_message": None}
    *_, name = nodes
    return _bytes({**nodes, name: {**nodes[name], **last}})


def with_property(body: bytes) -> bytes:
    """Return a body whose object, or whose nodes, have a property more."""
    return _changed(body, lambda found: {**found, _PROPERTY: _VALUE})


def with_status(body: bytes) -> bytes:
    """Return a body whose nodes have statuses that the contract does not name."""

    def change(node: dict[str, Any]) -> dict[str, Any]:
        return {**node, "status": _STATUSES.get(node["status"], node["status"])} if "is_output_node" in node else node

    return _changed(body, change)


def _changed(body: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    found = json.loads(body) if body else None
    if not isinstance(found, dict):
        return body
    if _are_nodes(found):
        return _bytes({name: change(node) for name, node in found.items()})
    return _bytes(change(found))


def _are_nodes(found: dict[str, Any]) -> bool:
    return bool(found) and all(isinstance(each, dict) and "is_output_node" in each for each in found.values())


def _bytes(value: Any) -> bytes:
    return json_text.encode(value).encode("ascii")
