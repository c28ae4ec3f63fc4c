"""A request that was taken, once more as it was and then with its body written in other ways."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.document import Operation
from contract_tests.openapi.json_text import is_json
from contract_tests.rules import NotApplicable, NotExercised
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import LATER, Access, Exchange
from contract_tests.server.relations.legal_requests import taken_request
from contract_tests.server.relations.spellings import NUMBER_FORMS, TOGETHER, spelled
from contract_tests.server.reproducing import names_a_run
from contract_tests.server.server import ServerUnderTest

NOTE: Final = "é / 😀"


@dataclass(frozen=True)
class Respelled:
    """A request whose body was written in another way, and what came of it when it was written as usual."""

    spelling: str
    exchange: Exchange
    usual: Exchange

    @property
    def is_equal(self) -> bool:
        """Whether both were answered alike."""
        return self.exchange.status in {self.usual.status, *LATER}


def respelled(server: ServerUnderTest, operation: Operation) -> list[Respelled]:
    """
    Send a request in all ways; where several at once make a difference, each of them is tried alone.

    Raises:
        NotApplicable: If the operation takes no JSON.
        NotExercised: If the request is not taken a second time as it was.
    """
    if operation.body is None or not any(map(is_json, operation.body.media)):
        raise NotApplicable("it takes no JSON")
    case = _repeatable(server, operation)
    usual = server.once(f"{operation.id} once more", partial(server.wire.send, case))
    if not usual.has_succeeded:
        raise NotExercised(f"the request is not taken a second time: {usual.shown}")
    found = list(_sent(server, usual, *TOGETHER))
    with_number = _with_number(server, operation)
    return found if with_number is None else [*found, *_sent(server, with_number, *NUMBER_FORMS)]


def _sent(server: ServerUnderTest, usual: Exchange, *names: str) -> Iterator[Respelled]:
    for name in names:
        send = partial(server.wire.send, spelled(usual.case, name))
        together = Respelled(name, server.once(f"{usual.case.operation.id} in {name}", send), usual)
        alone = [] if together.is_equal or name not in TOGETHER else list(_sent(server, usual, *TOGETHER[name][1]))
        yield from alone
        if all(one.is_equal for one in alone):
            yield together


def _repeatable(server: ServerUnderTest, operation: Operation) -> RequestCase:
    """Return a request that was taken, and can be taken again; with some odd text in it where that is possible."""
    taken = taken_request(server, operation).case
    body = _own_body(server, operation)
    return taken if body is None else replace(taken, body=body)


def _own_body(server: ServerUnderTest, operation: Operation) -> dict[str, Any] | None:
    note = {"note": NOTE}
    if operation.id == "runWorkflow":
        return {"input_variables": dict(server.target.input_variables or {}), "metadata": {**server.metadata, **note}}
    if operation.id == "executeWorkflow":
        variables = {**server.start_input["dynamic_variables"], **note}
        return server.body_of({**server.start_input, "dynamic_variables": variables})
    if operation.id == "patchWorkflow":
        return {"commit_message": NOTE}
    if operation.id == "createWorkflow":
        # A name that is taken is refused the second time, a further version is not.
        own_workflow.id_for_traffic(server)
        name = own_workflow.name_for_traffic(server)
        return {"nodes": own_workflow.nodes_of(server), "workflow_name": name, "commit_message": NOTE}
    return None


def _with_number(server: ServerUnderTest, operation: Operation) -> Exchange | None:
    """Return what came of a request with an integer in its body, if there is one that was taken."""
    if operation.id == "runWorkflow" and server.target.version is not None:
        server.run_by_version()
    sent = [one for one in server.watch.of(operation.id) if one.is_legal and one.access is Access.OWN]
    taken = (one for one in sent if one.has_succeeded and not names_a_run(one))
    return next((one for one in taken if _has_integer(one.case.body)), None)


def _has_integer(body: Any) -> bool:
    return isinstance(body, dict) and any(type(value) is int for value in body.values())
