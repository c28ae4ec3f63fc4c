"""Which rule has to find what was drawn from the contract: the one that names it, or the property it belongs to."""

from collections.abc import Mapping
from typing import Final

from mutants.servers.messages import EXECUTE, RESULTS, RUN

SHORT: Final = {RUN: "run", RESULTS: "results", EXECUTE: "execute"}
STATUS, MEDIA_TYPE, BODY, REQUEST, KEY = "SRV-01", "SRV-02", "SRV-03", "SRV-04", "SRV-05"
REFUSALS: Final = (400, 422)
UNAUTHORIZED: Final = 401
SERVER_ERROR: Final = 500

# Members of replies that a rule of their own speaks of: operation, status and first member of the path.
MEMBERS: Final[Mapping[tuple[str, int, str], str]] = {
    **{
        (RUN, status, name): "PL-RUN-04"
        for status in (201, 202)
        for name in ("", "success", "message", "workflow_version_execution_id")
    },
    **{(RUN, status, "warning"): "PL-RUN-05" for status in (201, 202)},
    (RUN, 401, ""): "PL-RUN-01",
    (EXECUTE, 200, ""): "IA-EXE-57",
    (EXECUTE, 200, "status"): "IA-EXE-57",
}
NODE_ENTRIES: Final = {200: "PL-RES-26", 202: "PL-RES-67"}

# Replies whose status a rule of its own speaks of.
STATUSES: Final[Mapping[tuple[str, int], str]] = {
    (RUN, 201): "PL-RUN-07",
    (RUN, 202): "PL-RUN-06",
    (RUN, 401): "PL-RUN-01",
    (RUN, 404): "PL-RUN-02",
    (RESULTS, 200): "PL-RES-24",
    (RESULTS, 202): "PL-RES-23",
    (RESULTS, 401): KEY,
    (RESULTS, 404): "PL-RES-22",
    (EXECUTE, 200): "IA-EXE-57",
    (EXECUTE, 401): "IA-EXE-53",
    (EXECUTE, 404): "IA-EXE-54",
}

# Constraints of requests that a rule of their own speaks of: operation, place and keyword.
REQUESTS: Final[Mapping[tuple[str, str, str], str]] = {
    (RUN, "workflow_version_number", "type"): "PL-RUN-13",
    (RUN, "metadata.each", "type"): "PL-RUN-12",
    (RUN, "body", "not"): "PL-RUN-10",
    (RUN, "body", "content"): "SRV-10",
    (EXECUTE, "body", "content"): "SRV-10",
    (RESULTS, "workflow_version_execution_id", "required"): "PL-RES-21",
    (EXECUTE, "workflow_id", "pattern"): "IA-EXE-51",
    (EXECUTE, "version", "minimum"): "IA-EXE-52",
    (EXECUTE, "body.command", "enum"): "IA-EXE-55",
}
KEYS: Final = {RUN: "PL-RUN-01", RESULTS: KEY, EXECUTE: "IA-EXE-53"}


def rule_of_status(operation: str, right: int, wrong: int) -> str:
    """Give the rule for a reply with the wrong status; a 5xx that answers an illegal request is not a refusal."""
    if wrong >= SERVER_ERROR and right in REFUSALS:
        return REQUEST
    if wrong >= SERVER_ERROR and operation == RESULTS and right != UNAUTHORIZED:
        return STATUS  # who fails says nothing of nodes that have ended or have not
    return STATUSES.get((operation, right), STATUS)


def rule_of_text(operation: str, status: int) -> str:
    """Give the rule for a reply whose body is no JSON: only one that has no members to name speaks of that."""
    return "PL-RUN-01" if (operation, status) == (RUN, 401) else BODY
