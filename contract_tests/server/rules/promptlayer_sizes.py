"""PromptLayer: runs with much in them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from contract_tests.rules import Checks, NotExercised, Unanswered, Violation
from contract_tests.rules import rule as card
from contract_tests.server.server import NO_SUCH_LABEL, NO_SUCH_WORKFLOW, ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
LONG: Final = 1_025  # just beyond what names are often limited to
LARGE: Final = 65_537
MANY: Final = 300
REQUESTS: Final = 7
rule: Final = partial(card, source=PAGE, operations=["runWorkflow"], side="server", requests=7, service="promptlayer")
Members = Callable[[ServerUnderTest], Mapping[str, Any]]


@rule(
    "REL-SIZE-02",
    "A run with much in it is taken, or refused with a 4xx.",
    says="No limit of metadata, names, labels or addresses is documented. Where a service has one, it says so: it does "
    "not fail.",
    basis="inferred",
)
def test_large_run_is_taken_or_refused(server: ServerUnderTest) -> Checks:
    if server.wire.left < REQUESTS:
        raise NotExercised(f"large runs take {REQUESTS} requests of max_requests ({server.target.max_requests})")
    for what, members in SIZES.items():
        yield _failed(what, server, members)


def _failed(what: str, server: ServerUnderTest, members: Members) -> Violation | None:
    try:
        exchange = server.run(**members(server))
    except Unanswered:
        return None  # of which another rule tells
    is_answered = exchange.has_succeeded or exchange.is_refused
    return exchange.check(is_answered, what, f"a run with {what} is neither taken nor refused")


def _address(server: ServerUnderTest) -> Mapping[str, Any]:
    if not server.has_listener:
        return {}
    return {"callback_url": f"{server.listener.new_url('runWorkflow')}&long={'x' * LONG}"}


SIZES: Final[Mapping[str, Members]] = {
    "a long value in metadata": lambda server: {"metadata": {**server.metadata, "note": "x" * LARGE}},
    "a long key in metadata": lambda server: {"metadata": {**server.metadata, "x" * LONG: "note"}},
    "many entries in metadata": lambda server: {
        "metadata": {**server.metadata, **{f"note{number}": "x" for number in range(MANY)}}
    },
    "a long label": lambda _: {"workflow_label_name": f"{NO_SUCH_LABEL}{'x' * LONG}"},
    "a variable with a long name": lambda server: {
        "input_variables": {**(server.target.input_variables or {}), "x" * LONG: "note"}
    },
    "a long address": _address,
    "a long name": lambda _: {"workflow": f"{NO_SUCH_WORKFLOW}{'x' * LONG}"},
}
