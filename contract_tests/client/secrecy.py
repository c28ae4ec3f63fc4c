"""Secrets: what the client shows of its key."""

from collections.abc import Iterator

from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Raised
from contract_tests.client.stage import MODES, Played
from contract_tests.client.trials import Trials
from contract_tests.contract import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, rule

LOGGING = "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude"


def all_played(trials: Trials, operation: Operation) -> Iterator[Played]:
    """Give every call of an operation that this run makes."""
    yield from (trial.played for trial in trials.broken_requests(operation))
    yield from (trial.played for trial in trials.legal_replies(operation))
    yield from (trial.played for trial in trials.broken_replies(operation))
    yield from (trial.played for trial in trials.faults(operation))


@rule(
    "CL-SEC-01",
    "No error shows the key.",
    says="Text, repr and traceback of an error end up in logs and tickets; the key must not.",
    source=LOGGING,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_errors_do_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> None:
    """The key is in no text, repr or traceback of any error of this run."""
    for played in all_played(trials, operation):
        if isinstance(played.outcome, Raised) and trials.stage.key in played.outcome.shown:
            findings.add(played.outcome.type_name, f"{played.outcome.type_name} shows the key", played=played)
    findings.report()


@rule(
    "CL-SEC-02",
    "The client's repr does not show the key.",
    says="A client in a log line or a debugger shows where it points, not what opens the door.",
    source=LOGGING,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_repr_does_not_show_the_key(trials: Trials, operation: Operation, findings: Findings) -> None:
    """The key is not in the text that the client shows of itself."""
    stage = trials.stage
    if stage.scheme(operation) is None:
        raise NotApplicable("the operation needs no key")
    for mode in MODES:
        if stage.key in stage.subject.show(stage.connection(operation, stage.server, mode)):
            findings.add("repr", f"the repr of the {mode} client holds the key")
    findings.report()
