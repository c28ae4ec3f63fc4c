"""`workflow-runs run` and `workflow-runs results`: one run, from its start to its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_runs.outcome import WaitTimeout
from workflow_runs.promptlayer import PromptLayer
from workflow_runs_api.api.promptlayer.run_workflow import OPERATION, request
from workflow_runs_api.redaction import Redaction

from .endings import Exit, Interrupted
from .inputs import run_arguments
from .output import Output, tell

if TYPE_CHECKING:
    import argparse

    from workflow_runs.outcome import Progress, RunOutcome
    from workflow_runs_api.models import RunAccepted, RunCreated

__all__ = ["results", "run"]

_WARNING_SHOWN = 500


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Start a run; with --wait, wait for its outcome."""
    arguments = run_arguments(options)
    with PromptLayer(base_url=options.base_url) as client:
        try:
            started = client.run_workflow(options.name, **arguments)
        except KeyboardInterrupt:
            words = "interrupted while the request was on its way: a run may have been started"
            raise Interrupted(words, may_have_run=True) from None
        output.execution_id = started.workflow_version_execution_id
        sent = client._question(OPERATION, request(options.name, **arguments))  # noqa: SLF001 - our own client
        warning = _warning(started, Redaction(sent))
        if not options.wait:
            return output.started(warning)
        return output.ended(_outcome(client, output.execution_id, options, output), warning)


def results(options: argparse.Namespace, output: Output) -> Exit:
    """Ask for the results of a run once; with --wait, until it has ended."""
    output.execution_id = options.id
    with PromptLayer(base_url=options.base_url) as client:
        return output.ended(_outcome(client, options.id, options, output))


def _outcome(client: PromptLayer, execution_id: int, options: argparse.Namespace, output: Output) -> RunOutcome:
    try:
        return client.wait(
            execution_id,
            return_all_outputs=options.all_outputs,
            deadline=options.deadline,
            on_progress=output.progress if options.wait else _ask_no_more,
        )
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; execution {execution_id} goes on") from None


def _ask_no_more(progress: Progress) -> None:
    """End a wait with the first answer, or with the error that came in its place."""
    if progress.problem is not None:
        raise progress.problem from None
    words = f"execution {progress.execution_id} has not ended yet"
    raise WaitTimeout(words, execution_id=progress.execution_id)


def _warning(started: RunCreated | RunAccepted, redaction: Redaction) -> str | None:
    if not started.warning:
        return None
    # The service's words: they may repeat what it was sent.
    warning = redaction.shown(str(started.warning), _WARNING_SHOWN)
    tell(f"warning: {warning}")
    return warning
