"""Tells a key that is revoked, or a service that goes down during a run, from a server that breaks its contract."""

from typing import TYPE_CHECKING, Final

from contract_tests.openapi.document import Operation
from contract_tests.rules import NotExercised, SetUpError, Violation
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.recorder import Recorder
from contract_tests.server.set_up import is_doubtful

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_IN_A_ROW: Final = 8  # doubtful responses, without a good one between them, after which no row's end is waited for
MOST_CONFIRMED: Final = 5  # times that doubts proved groundless, after which few of them matter no more


class Health:
    """
    Sees every exchange on its way to the watch, and has the known-good request repeated where it becomes doubtful.

    Attributes:
        check: Repeats it; raises SetUpError if it fails. None for a server that the harness runs itself. It is told
            whether it is the first time.
    """

    def __init__(self, watch: Recorder) -> None:
        self.check: Callable[[bool], None] | None = None
        self._watch = watch
        self._doubts = 0
        self._since = 0  # number of the first request that nothing has proved to have reached the service itself
        self._last = 0  # number of the last request
        self._most = MOST_IN_A_ROW
        self._confirmed = 0
        self._is_checking = False
        self._is_proven = False
        self._is_good = False  # the last response is that of a service which lets us in

    def saw(self, exchange: Exchange) -> None:
        """Take a request and its response."""
        self._watch.saw(exchange)
        self._last = exchange.number
        self._is_good = exchange.access is Access.OWN and exchange.has_succeeded and not is_doubtful(exchange)
        if exchange.access is not Access.OWN:
            return
        if is_doubtful(exchange):
            self._doubt()
        elif exchange.has_succeeded:
            self._doubts = 0

    def missed(self, operation: Operation, violation: Violation) -> None:
        """Take a request to which no complete response came."""
        self._watch.missed(operation, violation)
        self._is_good = False
        self._doubt()

    def turned_away(self, reason: NotExercised) -> None:
        """Take that the target answers nothing but that it is to be left alone: no row can be judged then."""
        self._watch.turned_away(reason)
        self._doubts += 1
        self._repeat()

    def confirm(self, *, unproven: bool = False, anyway: bool = False) -> None:
        """
        Repeat the known-good request if the last responses were doubtful, before anything is told of them.

        Args:
            unproven: Send it also if it has not been sent before: a pass or a violation is about to be told.
            anyway: Send it whatever the responses looked like: a violation is about to be told.

        Raises:
            SetUpError: If it fails.
        """
        is_doubtful = (self._doubts or anyway) and (self._confirmed < MOST_CONFIRMED or self._doubts >= MOST_IN_A_ROW)
        if is_doubtful or (unproven and not self._is_proven):
            self._repeat()

    def confirm_last(self) -> None:
        """
        Repeat the known-good request after the last row, unless the last response shows that all is well.

        Raises SetUpError if it fails.
        """
        self.confirm(anyway=not self._is_good)

    def _doubt(self) -> None:
        self._doubts += 1
        if self._doubts >= self._most:
            self._repeat()
            self._most *= 2  # a server that is broken in this way is not asked again and again

    def _repeat(self) -> None:
        if self.check is None or self._is_checking:
            return
        self._is_checking = True
        try:
            self.check(not self._is_proven)
        except SetUpError:
            self._watch.forget(self._since)
            raise
        finally:
            self._is_checking = False
        self._confirmed += self._is_proven
        self._is_proven = True
        self._doubts, self._since = 0, self._last + 1
