"""The client itself: how it is built, kept and closed."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from contract_tests.client.findings import Findings
from contract_tests.client.outcome import Lost, Raised, Unclaimed, told
from contract_tests.client.session import MODES
from contract_tests.client.trials import Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, NotApplicable, NotExercised, Violation, rule

OPENAPI = "https://spec.openapis.org/oas/v3.1.1.html"
OWN_HEADER = "X-Of-The-Caller"


@rule(
    "CL-CLI-01",
    "The client knows the contract's servers.",
    says="The contract says where an operation is served. A client without an address of its own sends them there.",
    source=f"{OPENAPI}#server-object",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_servers_are_known(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The address that the client uses by itself is one of the operation's servers."""
    servers = [url.rstrip("/") for url in operation.servers if urlsplit(url).netloc and "{" not in url]
    if not servers:
        raise NotApplicable("the contract states no whole address for this operation")
    stage, start = trials.stage, trials.start(operation)
    connection = stage.connection(operation, stage.server, MODES[0])
    answer = stage.ask("address", start, [trials.success(operation)], connection).answer
    if answer["kind"] == "unclaimed":
        raise NotApplicable("the adapter does not say which address the client knows")
    if (answer["url"] or "").rstrip("/") not in servers:
        yield findings.of("servers", f"{answer['url'] or 'no address'}", documented=" or ".join(servers))


@rule(
    "CL-CLI-02",
    "What the caller gave the client stays the caller's.",
    says="A mapping of headers is read, and never written to: the caller may use it for another service.",
    source="https://docs.python.org/3/faq/programming.html#how-do-i-write-a-function-with-output-parameters",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_headers_are_not_changed(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The mapping of headers that a client was built with is the same after a call."""
    stage, start, given = trials.stage, trials.start(operation), {OWN_HEADER: "1"}
    sent = False
    for mode in trials.modes(operation):
        connection = replace(stage.connection(operation, stage.server, mode), headers=given)
        asked = stage.ask("headers", start, [trials.success(operation)], connection)
        sent = sent or any(seen.all(OWN_HEADER) for seen in asked.seen)
        if asked.answer.get("left", given) != given:
            names = sorted(set(asked.answer["left"]) - set(given))
            yield findings.of(
                "headers", f"the {mode} client added {names} to the caller's headers", number=asked.number
            )
    if not sent:
        raise NotApplicable("the adapter gives the client no headers of the caller's")


@rule(
    "CL-CLI-03",
    "A client that has been closed says so.",
    says="A call after the end is an error of the client's own, or simply works; it is no riddle.",
    source="the client's own documentation of its errors",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_use_after_close(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No foreign exception comes of a call with a closed client."""
    stage, start = trials.stage, trials.start(operation)
    for mode in trials.modes(operation):
        connection = stage.connection(operation, stage.server, mode)
        asked = stage.ask("closed", start, [trials.success(operation)], connection)
        outcome = asked.outcome
        if isinstance(outcome, Unclaimed):
            raise NotApplicable("the adapter does not say how the client is closed")
        if isinstance(outcome, Lost) or (isinstance(outcome, Raised) and not outcome.own):
            yield findings.of(
                outcome.type_name if isinstance(outcome, Raised) else "lost", told(outcome), number=asked.number
            )


@rule(
    "CL-CLI-04",
    "A client has a time-out of its own.",
    says="A service that never answers must not stop its callers for ever, whether they thought of that or not.",
    source="https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_default_timeout(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A client that was built without a time-out has one all the same."""
    stage, start = trials.stage, trials.start(operation)
    for mode in trials.modes(operation):
        connection = stage.connection(operation, stage.server, mode, timeout=None, retries=None)
        answer = stage.ask("timeout", start, [trials.success(operation)], connection).answer
        if answer["kind"] == "unclaimed":
            raise NotApplicable("the adapter does not say how long the client waits")
        if answer["kind"] != "timeout":
            raise NotExercised(f"the client could not be built: {answer.get('text', '')}")
        if answer["seconds"] is None:
            yield findings.of("time-out", f"the {mode} client waits for ever")
