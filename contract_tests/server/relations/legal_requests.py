"""A legal request for an operation that the target takes: one that was sent, or one of the contract's examples."""

from contextlib import suppress

from contract_tests.cases.generation import example_requests
from contract_tests.openapi.document import Operation
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.reproducing import names_a_run
from contract_tests.server.sanitize import OWN, check_allowed, with_existing_ids
from contract_tests.server.server import ServerUnderTest


def taken_request(server: ServerUnderTest, operation: Operation) -> Exchange:
    """
    Return the last exchange that was a legal request with a success; one is sent if there is none.

    Raises:
        NotExercised: If the operation may not be called here, or no request for it succeeds.
    """
    check_allowed(operation, server.target)
    found = _last_taken(server, operation)
    if found is None and operation.id in OWN:
        own_workflow.id_for_traffic(server)  # what it changes has to be there
    for example in example_requests(operation) if found is None else ():
        case = with_existing_ids(example, server)
        with suppress(Unanswered):
            if case is not None and server.wire.send(case).has_succeeded:
                break
    found = found or _last_taken(server, operation)
    if found is None:
        raise NotExercised("no legal request for it was taken")
    return found


def _last_taken(server: ServerUnderTest, operation: Operation) -> Exchange | None:
    own = [one for one in server.watch.of(operation.id) if one.is_legal and one.access is Access.OWN]
    taken = [one for one in own if one.has_succeeded]
    # What is not ready yet is told with another status: whoever has it all is the better one to compare with.
    return max(taken, key=lambda one: (not names_a_run(one), -one.status, one.number), default=None)
