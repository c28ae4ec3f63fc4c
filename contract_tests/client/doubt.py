"""Doubt: what an error says of a request that may have acted."""

from contract_tests.client.findings import Findings
from contract_tests.client.network_faults import IDEMPOTENCE, IDEMPOTENT, of_kind
from contract_tests.client.outcome import Raised
from contract_tests.client.trials import Trials
from contract_tests.contract import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, rule


@rule(
    "CL-NET-08",
    "An error that says whether the service may have acted says so rightly.",
    says="Whoever is told that nothing has happened calls again: that must not be said of a request that has arrived.",
    source=IDEMPOTENCE,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_doubt_is_told(trials: Trials, operation: Operation, findings: Findings) -> None:
    """No error denies that a request may have acted which was seen, and answered with 5xx, unreadably or not at all."""
    if operation.method in IDEMPOTENT:
        raise NotApplicable(f"{operation.method} may be repeated, whatever has happened")
    tried = [
        (trial, trial.played.outcome)
        for trial in of_kind(trials, operation, "status", "time-out", "broken", "unread")
        if isinstance(trial.played.outcome, Raised) and trial.played.outcome.own and trial.played.seen
    ]
    if all(outcome.may_have_acted is None for _, outcome in tried):
        raise NotApplicable("the client's errors do not say whether the service may have acted")
    for trial, outcome in tried:
        if outcome.may_have_acted is False:
            received = f"{outcome.type_name} after {trial.case.name} says that nothing has happened"
            findings.add(trial.case.name, received, played=trial.played)
    findings.report()
