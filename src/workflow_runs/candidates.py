"""Which runs a request in doubt may have started, going by what Interactly tells of its runs. Starts nothing itself."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from workflow_runs_api.errors import BadArgument
from workflow_runs_api.unset import Unset

from .both_forms import result_of
from .paging import RunPages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from workflow_runs_api.api.interactly.execute_workflow import Keywords
    from workflow_runs_api.models import InputOutputPair, WorkflowRun, WorkflowRunRecord

__all__ = ["RunCandidate", "candidates"]

_OPERATION = "find_run_in_doubt"
_A_YEAR = 31_536_000
_Span: TypeAlias = tuple[datetime.datetime, datetime.datetime]


class RunCandidate(NamedTuple):
    """A run that a request in doubt may have started, with what speaks for it and against it.

    Attributes:
        workflow_run_id: Id of the run.
        agrees: Names of what is the same in the request and in the run: `workflow_id`, `created_at` (near enough to
            the time of the request), `version` and the other arguments.
        differs: Names of what is not the same.
        untold: Names of what the service does not tell of the run, so that nothing follows.
        record: All that the service tells of it.

    Example:
        >>> record = client.get_workflow_run("5eb7cf5a86d9755df3a6c594").workflow_run
        >>> print(RunCandidate("5eb7cf5a86d9755df3a6c594", ("workflow_id",), (), ("run_by",), record))
        workflow run 5eb7cf5a86d9755df3a6c594: agrees in workflow_id; does not tell run_by
    """

    workflow_run_id: str
    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    untold: tuple[str, ...]
    record: WorkflowRunRecord

    def __str__(self) -> str:
        reasons = {"agrees in": self.agrees, "differs in": self.differs, "does not tell": self.untold}
        told = "; ".join(f"{words} {', '.join(names)}" for words, names in reasons.items() if names)
        return f"workflow run {self.workflow_run_id}: {told}"


async def candidates(
    client: Any, workflow_id: str, arguments: Keywords, sent_at: datetime.datetime, slack: float
) -> list[RunCandidate]:
    """Return the runs that a request may have started, or the one that it may have moved, the likeliest first."""
    from workflow_runs_api.api.interactly.execute_workflow import request

    body: dict[str, Any] = request(workflow_id, **arguments).body
    asked = {"workflow_id": None, "version": arguments.get("version"), **body.get("run_input", body)}
    asked["workflow_id"] = workflow_id  # of the path, whatever the body's copy says
    asked.pop("workflow_run_id", None)
    moved, asked, span = _moved_by(arguments), _told(asked), _span(sent_at, slack)
    ids = [moved] if moved else [found async for found in _listed(client, workflow_id, span)]
    records = [(await result_of(client.get_workflow_run(each))).workflow_run for each in ids]
    found = [_compared(record, asked, span, is_moved=bool(moved)) for record in records]
    return sorted(found, key=lambda candidate: (len(candidate.differs), -len(candidate.agrees)))


async def _listed(client: Any, workflow_id: str, span: _Span) -> AsyncIterator[str]:
    pages = RunPages(_OPERATION, {"workflow_id": workflow_id, "start": span[0], "end": span[1]}, None)
    while pages.has_more:
        for record in pages.read(await result_of(client.list_workflow_runs(**pages.question))):
            yield _id_of(record)


def _moved_by(arguments: Keywords) -> Any:
    """Return the id of the run that a request names, if it names one."""
    if "run_id" in arguments:
        return arguments["run_id"]
    if "workflow_run_id" in arguments:
        return arguments["workflow_run_id"]
    return None


def _id_of(record: WorkflowRunRecord) -> str:
    run: WorkflowRun = record.workflow_run
    return str(record.field_id or run.workflow_run_id)


def _span(sent_at: Any, slack: Any) -> _Span:
    if not isinstance(sent_at, datetime.datetime) or sent_at.tzinfo is None:
        raise BadArgument("expected a datetime with a time zone", field="sent_at", operation=_OPERATION)
    if isinstance(slack, bool) or not isinstance(slack, int | float) or not 0 <= slack <= _A_YEAR:
        raise BadArgument(f"expected seconds, 0 to {_A_YEAR}", field="slack", operation=_OPERATION)
    either_way = datetime.timedelta(seconds=slack)
    return sent_at - either_way, sent_at + either_way


def _compared(record: WorkflowRunRecord, asked: Mapping[str, Any], span: _Span, *, is_moved: bool) -> RunCandidate:
    run: WorkflowRun = record.workflow_run
    moment = {"updated_at": record.updated_at} if is_moved else {"created_at": record.created_at}
    known = _told({"workflow_id": run.workflow_id, "version": run.version_number, "run_by": run.run_by})
    pairs: list[InputOutputPair] = [] if isinstance(run.input_output_pairs, Unset) else run.input_output_pairs
    inputs = [{**_told(pair.run_input), **known} for pair in pairs if isinstance(pair.run_input, dict)]
    # What has moved a run is any of its inputs but the first; which of them, only its values tell.
    verdicts = [_verdicts(asked, each) for each in (inputs[1:] if is_moved else inputs[:1]) or [known]]
    found = max(verdicts, key=lambda each: [*each.values()].count("agrees"))
    found |= {name: _verdict_on(value, span) for name, value in moment.items()}
    agrees, differs, untold = (_of(found, each) for each in ("agrees", "differs", "untold"))
    return RunCandidate(_id_of(record), agrees, differs, untold, record)


def _told(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if not isinstance(value, Unset | None)}


def _verdicts(asked: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: "untold" if name not in known else "agrees" if known[name] == value else "differs"
        for name, value in asked.items()
    }


def _of(verdicts: Mapping[str, str], wanted: str) -> tuple[str, ...]:
    return tuple(name for name, verdict in verdicts.items() if verdict == wanted)


def _verdict_on(moment: Any, span: _Span) -> str:
    try:
        told = datetime.datetime.fromisoformat(moment)
        return "agrees" if span[0] <= told <= span[1] else "differs"
    except (TypeError, ValueError):  # no time at all, or one without its zone
        return "untold"
