"""Where to look for a run that a request may have started, and by what: no response has brought its id."""

from __future__ import annotations

import datetime
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from workflow_runs_api.api.interactly import execute_workflow
from workflow_runs_api.api.promptlayer import run_workflow

from .run_arguments import metadata_of

if TYPE_CHECKING:
    from workflow_runs_api.operation import Outgoing

__all__ = ["how_to_find", "sent_at"]

_SEGMENT_SHOWN = 80


def sent_at(began: float) -> datetime.datetime:
    """Return the time at which `time.monotonic()` was `began`."""
    return datetime.datetime.fromtimestamp(time.time() - (time.monotonic() - began), datetime.UTC)


def how_to_find(operation: str | None, outgoing: Outgoing, began: float, tag_name: str | None) -> str | None:
    """Return how a person finds the run of a request that went out when `time.monotonic()` was `began`.

    PromptLayer has no operation that finds a run; its dashboard lists runs by workflow, time and metadata. Interactly
    has a list of runs. None if the operation starts no run.
    """
    sent = sent_at(began).strftime("%Y-%m-%d %H:%M:%S UTC")
    address = outgoing.url.partition("?")[0]
    if operation == run_workflow.OPERATION.name:
        run = f"in PromptLayer's dashboard it is a run of {_segment(address, -2)!r} from about {sent}"
        tag = None if tag_name is None else metadata_of(json.loads(outgoing.content or b"{}")).get(tag_name)
        return run if tag is None else f"{run}, with {tag_name}={tag}"
    if operation == execute_workflow.OPERATION.name:
        place = f"GET {address.rpartition('/v1/')[0]}/v1/workflow-runs lists the runs"
        run = f"one of workflow {_segment(address, -2)} from about {sent}"
        return f"{place}: look for {run}, as `find_run_in_doubt` does"
    return None


def _segment(address: str, place: int) -> str:
    segment = unquote(address.split("/")[place])
    return segment if len(segment) <= _SEGMENT_SHOWN else f"{segment[:_SEGMENT_SHOWN]}..."
