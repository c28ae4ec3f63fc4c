"""What was told of runs in a session, by whatever operation, and where one response contradicts another."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import json_or, same
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server.models.conversation import FINAL
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.execution import ENDED, FAILED, GONE, OK, PENDING, entries_of

if TYPE_CHECKING:
    from contract_tests.rules import Violation

RESTING: Final = frozenset({"waiting_for_user_input", "paused"})  # a run that changes by no command but its own
LASTING: Final = (
    "logical_id",
    "workflow_id",
    "version_number",
    "version_name",
    "source_workflow_run_id",
    "is_evaluation_run",
    "run_by",
)
LASTING_OF_RECORD: Final = ("created_by", "created_at", "team_id")
UNTIL_COMMAND: Final = ("termination_source", "input_output_pairs")
RESULT: Final = ("status", "value", "error_message")
ID: Final = "workflow_version_execution_id"


class ToldFacts:
    """Facts by run and name, each with the response that told it."""

    def __init__(self) -> None:
        self.contradictions: list[tuple[str, Violation]] = []  # each with the operation whose response it is
        self._facts: dict[tuple[Any, str], tuple[Any, Exchange]] = {}

    def tell(self, run: Any, name: str, value: Any, exchange: Exchange) -> None:
        """Take a fact; null tells nothing."""
        if value is None:
            return
        known, by = self._facts.setdefault((run, name), (value, exchange))
        if not same(known, value):
            before, now = told_apart(known, value)
            first = f"request {by.number} ({by.case.operation.id}) told {before}"
            received = exchange.bounded(f"{name} of run {run}: {first}, this one tells {now}")
            self.contradictions.append((exchange.case.operation.id, exchange.violation(name, received)))

    def known(self, run: Any, name: str) -> Any:
        """Return what was told; None if nothing was."""
        return self._facts.get((run, name), (None, None))[0]

    def forget(self, run: Any, *names: str) -> None:
        """Forget what may be another from now on."""
        for name in names:
            self._facts.pop((run, name), None)


def facts_of_interactly(exchanges: Iterable[Exchange]) -> ToldFacts:
    """Return what was told of Interactly runs: by execute, by reading and by listing them."""
    facts = ToldFacts()
    for exchange in exchanges:
        if exchange.access is not Access.OWN or exchange.is_cut:
            continue
        commanded = _commanded(exchange)
        if commanded is not None and not exchange.is_refused:
            unsettled = () if facts.known(commanded, "status") in FINAL else ("status", *UNTIL_COMMAND)
            facts.forget(commanded, *unsettled)
            if exchange.is_together:
                continue  # what it tells another one may have changed by now
        read = str(exchange.case.path.get("workflow_run_id", ""))
        if exchange.status in GONE and facts.known(read, "existence"):
            facts.tell(read, "existence", False, exchange)  # noqa: FBT003 - a fact
        for run_id, run, record in shown_runs(exchange):
            facts.tell(run_id, "existence", True, exchange)  # noqa: FBT003 - a fact
            _tell_run(facts, run_id, run, record, exchange)
    return facts


def _commanded(exchange: Exchange) -> str | None:
    """Return the run that a command was sent to; None if it was none, or starts a run."""
    body = exchange.case.body
    if exchange.case.operation.id != "executeWorkflow" or not isinstance(body, Mapping):
        return None
    found = body.get("workflow_run_id") or body.get("run_id")
    return found if isinstance(found, str) else None


def shown_runs(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each run that a response shows: its id, the run, and the record that it stands in."""
    body = json_or(exchange.reply, None) if exchange.has_succeeded else None
    if not isinstance(body, Mapping):
        return
    listed = body.get("workflow_runs")
    by_operation: dict[str, list[Any]] = {
        "executeWorkflow": [{"workflow_run": body}],
        "getWorkflowRun": [body.get("workflow_run")],
        "listWorkflowRuns": listed if isinstance(listed, list) else [],
    }
    records = by_operation.get(exchange.case.operation.id, [])
    for record in records:
        run = record.get("workflow_run") if isinstance(record, Mapping) else None
        if isinstance(run, Mapping):
            run_id = record.get("_id") or run.get("workflow_run_id") or run.get("run_id")
            if isinstance(run_id, str):
                yield run_id, run, record


def _tell_run(
    facts: ToldFacts, run_id: str, run: Mapping[str, Any], record: Mapping[str, Any], exchange: Exchange
) -> None:
    known, status = facts.known(run_id, "status"), run.get("status")
    # A run that is waited for too long is given up, which nobody has to ask for.
    if known not in FINAL | RESTING or (known in RESTING and status == "failed"):
        facts.forget(run_id, "status", *UNTIL_COMMAND)
    facts.tell(run_id, "status", status, exchange)
    for name in (*LASTING, *UNTIL_COMMAND):
        facts.tell(run_id, name, run.get(name), exchange)
    for name in LASTING_OF_RECORD:
        facts.tell(run_id, name, _comparable(name, record.get(name)), exchange)


def _comparable(name: str, value: Any) -> Any:
    """Return a time in one of the ways to write it."""
    found = time_with_offset(value) if name == "created_at" else None
    return value if found is None else int(found.timestamp() * 1000)


def facts_of_promptlayer(exchanges: Iterable[Exchange]) -> ToldFacts:
    """Return what the results operation told of executions."""
    facts = ToldFacts()
    for exchange in exchanges:
        execution, flag = exchange.case.query.get(ID), exchange.case.query.get("return_all_outputs", False)
        if exchange.access is Access.OWN and exchange.is_legal and type(execution) is int and not exchange.is_cut:
            _tell_results(facts, execution, flag is True, json_or(exchange.reply, None), exchange)
    return facts


def _tell_results(facts: ToldFacts, execution: int, wants_all: bool, body: Any, exchange: Exchange) -> None:  # noqa: FBT001
    if exchange.status in {OK, FAILED, PENDING} and (exchange.status != PENDING or facts.known(execution, "the end")):
        facts.tell(execution, "the end", exchange.status != PENDING, exchange)
    if wants_all and exchange.status in {OK, PENDING}:
        for name, entry in entries_of(body).items():
            if entry["status"] in ENDED:
                told = {member: entry.get(member) for member in RESULT}
                facts.tell(execution, f"node {name}", told, exchange)
    if not wants_all and exchange.status == OK:
        facts.tell(execution, "the output", body, exchange)
