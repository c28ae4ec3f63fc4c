"""The client itself: how it is built, kept and closed."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import Lost, Raised, Unclaimed, describe
from contract_tests.client.relations import first_of_all
from contract_tests.client.session import MODES
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import RecordingServer
from contract_tests.rules import NotApplicable, NotExercised, Violation

OPENAPI = "https://spec.openapis.org/oas/v3.1.1.html"
OWN_HEADER = "X-Of-The-Caller"
SEVERAL, TOGETHER, PATIENCE = 4, 0.2, 2.0  # calls, and seconds
rule: Final = partial(operation_rule, basis="inferred")


@rule(
    "CL-CLI-01",
    "The client knows the contract's servers.",
    says="The contract says where an operation is served. A client without an address of its own sends them there.",
    source=f"{OPENAPI}#server-object",
)
def test_servers_are_known(trials: Trials) -> Iterator[Violation]:
    servers = [url.rstrip("/") for url in trials.operation.servers if urlsplit(url).netloc and "{" not in url]
    if not servers:
        raise NotApplicable("the contract states no whole address for this operation")
    told_address = trials.ask("address", MODES[0]).told
    if told_address["kind"] == "unclaimed":
        raise NotApplicable("the adapter does not say which address the client knows")
    address = (told_address["url"] or "").rstrip("/")
    if address not in servers:
        yield Violation(address or "no address", "servers", " or ".join(servers))


@rule(
    "CL-CLI-02",
    "What the caller gave the client stays the caller's.",
    says="A mapping of headers is read, and never written to: the caller may use it for another service.",
    source="https://docs.python.org/3/faq/programming.html#how-do-i-write-a-function-with-output-parameters",
)
def test_headers_are_not_changed(trials: Trials) -> Iterator[Violation]:
    given, is_sent = {OWN_HEADER: "1"}, False
    for mode in trials.modes():
        trial = trials.ask("headers", mode, headers=given)
        is_sent = is_sent or any(seen.all(OWN_HEADER) for seen in trial.seen)
        left = trial.told.get("left", given)
        if left != given:
            received = f"the client added {sorted(set(left) - set(given))} to the caller's headers"
            yield trial.violation("headers", received)
    if not is_sent:
        raise NotApplicable("the adapter gives the client no headers of the caller's")


@rule(
    "CL-CLI-03",
    "A client that has been closed says so.",
    says="A call after the end is an error of the client's own, or simply works; it is no riddle.",
    source="the client's own documentation of its errors",
)
def test_use_after_close(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        trial = trials.ask("closed", mode)
        outcome = trial.outcome
        if isinstance(outcome, Unclaimed):
            raise NotApplicable("the adapter does not say how the client is closed")
        if isinstance(outcome, Lost) or (isinstance(outcome, Raised) and not outcome.own):
            yield trial.violation(outcome.type_name if isinstance(outcome, Raised) else "lost", describe(outcome))


@rule(
    "CL-CLI-04",
    "A client has a time-out of its own.",
    says="A service that never answers must not stop its callers for ever, whether they thought of that or not.",
    source="https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts",
)
def test_default_timeout(trials: Trials) -> Iterator[Violation]:
    for mode in trials.modes():
        trial = trials.ask("timeout", mode, timeout=None, retries=None)
        if trial.told["kind"] == "unclaimed":
            raise NotApplicable("the adapter does not say how long the client waits")
        if trial.told["kind"] != "timeout":
            raise NotExercised(f"the client could not be built: {trial.told.get('reason', '')}")
        if trial.told["seconds"] is None:
            yield trial.violation("time-out", "the client waits for ever")


@rule(
    "CL-CLI-05",
    "A client that is closed closes its connections.",
    says="Whichever thread has opened one: a service has no more connections of a client than that uses.",
    source="the client's own documentation of closing",
)
def test_connections_are_closed(trials: Trials) -> Iterator[Violation]:
    first_of_all(trials)
    for mode in trials.modes():
        with RecordingServer() as server:
            answer = replace(trials.success, delay=TOGETHER)  # so that each needs a connection of its own
            trial = trials.answered(mode, answer, task="closing", more={"times": SEVERAL}, server=server)
            if isinstance(trial.outcome, Unclaimed):
                raise NotApplicable("the adapter does not say how the client is closed")
            ends = time.monotonic() + PATIENCE
            while server.connections and time.monotonic() < ends:
                time.sleep(TOGETHER / 10)
            if server.connections:
                yield trial.violation("connections", f"{server.connections} of {len(trial.seen)} stay open", "0")
