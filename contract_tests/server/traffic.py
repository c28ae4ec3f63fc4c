"""
Generated traffic: sent once for each target, in layers from the cheapest to the dearest, and judged by every property.

First what the contract itself names, its examples and each of its constraints; then its links; then what is drawn.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.cases.generation import Generator, example_requests
from contract_tests.openapi.document import Operation, split
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.schema_walk import member_schemas
from contract_tests.options import Options
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server.drawn_requests import DrawnRequests
from contract_tests.server.models.exchange import STRANGERS, Access
from contract_tests.server.sanitize import check_allowed, sanitize, with_existing_ids
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.tries import Tries

FOREIGN: Final = "text/plain"
EDGES: Final[tuple[Any, ...]] = (
    None,
    0,
    -1,
    2**31,
    2**53 + 1,
    10**20,
    "",
    "é 😀",
    {},
    {"": ""},
    {"é": "日本"},
    {"a": {"b": [None, {}]}},
)


class Traffic:
    """
    The traffic of one target.

    Args:
        then: Plays further requests that the properties judge, unless that was done.

    Attributes:
        stopped: Why it ended before its time; None if it did not.
    """

    def __init__(
        self,
        server: ServerUnderTest,
        generator: Generator,
        operations: Iterable[Operation],
        options: Options,
        then: Callable[[], object],
    ) -> None:
        self.server = server
        self.stopped: NotExercised | None = None
        self._generator = generator
        self._operations = [one for one in operations if self._why_not(one) is None]
        self._tries = Tries(server)
        self._drawn = DrawnRequests(server, generator, options, self._tries)
        self._then = then
        self._is_played = False

    def play(self, operation: Operation) -> None:
        """
        Send everything, unless that was done.

        Raises NotExercised if the operation may not be called here, or nothing could be sent any more.
        """
        reason = self._why_not(operation)
        if reason is not None:
            raise reason
        if not self._is_played:
            self._is_played = True
            self._send_layers()
            self._then()
        if self.stopped is not None and not self.server.watch.of(operation.id):
            raise self.stopped

    def _why_not(self, operation: Operation) -> NotExercised | None:
        try:
            check_allowed(operation, self.server.target)
        except NotExercised as reason:
            return reason
        return None

    def _send_layers(self) -> None:
        layers: list[Callable[[Operation], Iterator[RequestCase]]] = [
            self._examples,
            self._strangers,
            self._generator.breaches,
            self._foreign,
            self._coverage,
            self._edges,
            self._followed,
        ]
        try:
            for layer in layers:
                for operation in self._operations:
                    for case in layer(operation):
                        allowed = case if case.is_grounded else sanitize(case, self.server)
                        if allowed is not None:
                            self._tries.once(allowed)
            for operation in self._operations:
                self._drawn.play(operation)
        except NotExercised as reason:
            self.stopped = reason

    def _examples(self, operation: Operation) -> Iterator[RequestCase]:
        for example in example_requests(operation):
            self.server.wire.coverage.saw_examples(example)
            yield from self._grounded(example)

    def _coverage(self, operation: Operation) -> Iterator[RequestCase]:
        for case in self._generator.coverage_requests(operation):
            yield from self._grounded(case)

    def _edges(self, operation: Operation) -> Iterator[RequestCase]:
        """Return legal requests with one property at an edge of what its schema takes; what it names need not exist."""
        contract = self.server.contract
        for example in list(example_requests(operation))[:1]:
            media = operation.body.media.get(example.media_type) if operation.body else None
            if media is None or not isinstance(example.body, dict):
                continue
            for pointer in member_schemas(contract, media.schema):
                for value in EDGES:
                    case = replace(example, body={**example.body, split(pointer)[-1]: value})
                    if contract.is_valid(value, pointer) and not request_problems(contract, case):
                        yield case

    def _followed(self, operation: Operation) -> Iterator[RequestCase]:
        for promise in self.server.watch.links.unused(operation.id):
            yield promise.case

    def _foreign(self, operation: Operation) -> Iterator[RequestCase]:
        """Return one request whose body is in a media type that the contract does not list."""
        listed = operation.body.media if operation.body else {}
        for example in example_requests(operation):
            if example.has_body and FOREIGN not in listed and is_json(example.media_type):
                changed = replace(example, media_type=FOREIGN)
                yield replace(changed, breach=request_problems(self.server.contract, changed)[0])
                return

    def _strangers(self, operation: Operation) -> Iterator[RequestCase]:
        """Send a legal request without the key and with a wrong one, unless a rule has done so."""
        sent = self.server.watch.of(operation.id)
        legal = [one for one in sent if one.is_legal and one.access is Access.OWN]
        tried = {one.access for one in sent if one.is_legal}
        if operation.security and () not in operation.security and legal:
            case = next((one for one in legal if one.has_succeeded), legal[0]).case
            for access in [one for one in STRANGERS if one not in tried]:
                with contextlib.suppress(Unanswered):
                    self.server.wire.send(case, access)
        yield from ()

    def _grounded(self, case: RequestCase) -> list[RequestCase]:
        found = with_existing_ids(case, self.server)
        return [] if found is None else [found]
