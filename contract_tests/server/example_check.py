"""
The contract's own examples, sent before anything is judged, where no operation is known that runs a workflow.

A server that breaks one operation is judged; a set-up that is wrong shows the same sign at all of them.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.generation import example_requests
from contract_tests.rules import NotApplicable, NotExercised, SetUpError, Unanswered, Undecodable
from contract_tests.server import set_up
from contract_tests.server.connections import speaks_tls
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.preflight import impatient
from contract_tests.server.sanitize import check_allowed, sanitize
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.transport import TurnedAway

MOST: Final = 3


class ExampleCheck:
    """One example of each of a target's first operations."""

    def __init__(self, server: ServerUnderTest) -> None:
        self._server = server
        self._target = server.target

    def check(self, is_first: bool) -> None:  # noqa: FBT001
        """
        See whether any of the examples gets a response that is the service's own.

        Raises SetUpError if none does, for a reason that lies in the set-up; the line names what to check.
        """
        since = "" if is_first else f"it went wrong by request {self._server.wire.sent}: "
        found: list[SetUpError] = []
        with impatient(self._server):
            for problem in self._problems(since):
                if problem is None:
                    return
                found.append(problem)
        if found:
            raise found[0]

    def _problems(self, since: str) -> Iterator[SetUpError | None]:
        """What each response shows to be wrong with the set-up; None if somebody is there to be judged."""
        for case in islice(self._examples(), MOST):
            try:
                exchange = self._server.wire.send(case)
            except Undecodable:
                yield None  # somebody speaks HTTP there, and breaks it: a rule tells
            except (Unanswered, TurnedAway) as reason:
                check = set_up.TLS if speaks_tls(self._target) else set_up.UNANSWERED
                yield set_up.no_response_error(self._target, case.operation.id, str(reason), check, since)
            except NotExercised:
                yield None  # max_requests is spent; the rows say so
            else:
                yield from self._shown_by(exchange, since)

    def _shown_by(self, exchange: Exchange, since: str) -> Iterator[SetUpError | None]:
        is_placeless = exchange.status in set_up.WITHOUT_PLACE
        if is_placeless and exchange.case.operation.response(exchange.status):
            return  # the thing may be unknown there, or the whole path
        sign = set_up.sign_of(exchange)
        if is_placeless:
            yield set_up.refusal_error(self._target, exchange, set_up.NO_PLACE, since)
        elif sign is None or sign.needs == "others":
            yield None
        else:
            yield set_up.refusal_error(self._target, exchange, sign.check, since)

    def _examples(self) -> Iterator[RequestCase]:
        for operation in self._server.contract.operations:
            if operation.service == self._target.service:
                with suppress(NotApplicable, NotExercised):
                    check_allowed(operation, self._target)
                    changed = (sanitize(case, self._server) for case in islice(example_requests(operation), 1))
                    yield from (case for case in changed if case is not None)
