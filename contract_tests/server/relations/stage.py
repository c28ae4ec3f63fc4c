"""A part of what is played with a target: it is played once, and what it finds is kept by topic, for several rules."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from contract_tests.openapi.document import Operation
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.server import ServerUnderTest


class Stage:
    """
    Plays one part when a rule first asks for what it found.

    Attributes:
        requests: About how many it sends; with fewer left of the target's budget it is not begun.
        what: What it is called where it is left out.
        needs: Names of the operations that the contract has to have.
    """

    requests: ClassVar[int]
    what: ClassVar[str]
    needs: ClassVar[Collection[str]] = ()

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server
        self._found: defaultdict[StrEnum, list[tuple[str, Violation | None]]] = defaultdict(list)

    def checks(self, topic: StrEnum, operation: Operation) -> Iterator[Violation | None]:
        """
        Yield what each place that concerns a topic comes to, as far as responses of an operation show it.

        Raises:
            NotExercised: If there is no such place, and it was not played to its end.
        """
        problem = self.problem
        found = [one for name, one in self._found[topic] if name == operation.id]
        if not found and problem is not None:
            raise problem
        return iter(found)

    @cached_property
    def problem(self) -> NotExercised | None:
        """Why it ended before its time; None if it did not. Reading it is what plays it."""
        try:
            self.check_affordable()
            self.play()
        except NotExercised as reason:
            return reason
        return None

    def check_affordable(self) -> None:
        """See whether the contract has all operations, and enough requests are left; raises NotExercised."""
        missing = {*self.needs} - {operation.id for operation in self.server.contract.operations}
        if missing:
            raise NotExercised(f"the contract has no operation {min(missing)}")
        target = self.server.target
        if self.server.wire.left < self.requests:
            raise NotExercised(f"{self.what} takes {self.requests} requests of max_requests ({target.max_requests})")

    def play(self) -> None:
        """Play it."""
        raise NotImplementedError

    def judge(self, topic: StrEnum, exchange: Exchange, holds: bool, constraint: str, received: str = "") -> None:  # noqa: FBT001
        """Take down what one place comes to."""
        self.keep(topic, exchange, exchange.check(holds, constraint, received))

    def keep(self, topic: StrEnum, exchange: Exchange, found: Violation | None) -> None:
        """Take down what was judged of an exchange."""
        self._found[topic].append((exchange.case.operation.id, found))

    def is_there(self, topic: StrEnum, exchange: Exchange, constraint: str, what: str) -> bool:
        """Return whether a request has succeeded; that what it names exists and it was refused is a finding."""
        if exchange.status not in LATER and (exchange.is_refused or exchange.has_succeeded):
            self.judge(topic, exchange, exchange.has_succeeded, constraint, f"{what} is there")
        return exchange.has_succeeded and exchange.is_object
