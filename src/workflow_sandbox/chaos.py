"""Decides which faults a request and a run meet: those that its header names, those that were ordered, or a profile's.

A profile draws by its seed and the request's number, so that the same requests in the same order meet the same faults.
"""

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow_sandbox.faults import KINDS, Fault, UnknownFault, parse

HEADER = "x-sandbox-fault"
"""Header of a request that names the faults that it is to meet, separated by commas."""

_MOST_ORDERS, _MOST_RUNS = 1000, 10_000


@dataclass(frozen=True)
class Profile:
    """How often which faults are met without being asked for.

    Attributes:
        share: Of all requests, and of all runs, that meet a fault; every kind as often as every other.
        shares: Beside that, the share of single faults, by how they are written.
        seed: What the faults are drawn by.
    """

    share: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for of_run in (False, True):
            total = sum(share for _, share in self._table(of_run=of_run))
            if not all(0 <= share <= 1 for share in (self.share, *self.shares.values())) or total > 1 + 1e-9:
                raise UnknownFault("shares are numbers from 0 to 1, and those of all faults together at most 1")

    def draw(self, *, of_run: bool, number: int) -> Fault | None:
        """Return the fault that a request or a run meets, if any."""
        if not self.share and not self.shares:
            return None
        table = self._table(of_run=of_run)
        draw = random.Random(f"{self.seed}/{'run' if of_run else 'request'}/{number}")  # noqa: S311 - to be repeated
        left = draw.random()
        for fault, share in table:
            left -= share
            if left < 0:
                return fault.completed(draw)
        return None

    def _table(self, *, of_run: bool) -> list[tuple[Fault, float]]:
        kinds = [Fault(name) for name, kind in KINDS.items() if kind.of_run is of_run]
        table = [(fault, self.share / len(kinds)) for fault in kinds] if self.share else []
        singles = [(parse(text), share) for text, share in self.shares.items()]
        return table + [(fault, share) for fault, share in singles if fault.of_run is of_run]


@dataclass
class Order:
    """A fault that the next requests are to meet which have this method and path; empty for any."""

    fault: Fault
    times: int = 1
    method: str = ""
    path: str = ""


class Chaos:
    """What is to go wrong, and for how long."""

    def __init__(self, profile: Profile | None = None) -> None:
        self._profile = Profile()
        self._orders: deque[Order] = deque()
        self._runs: dict[int, list[Fault]] = {}
        self._pending_polls: dict[int, int] = {}
        self._requests = self._accepted = 0
        self.set_profile(profile or Profile())

    @property
    def profile(self) -> Profile:
        """What goes wrong unasked."""
        return self._profile

    @property
    def orders(self) -> list[Order]:
        """What was ordered and has not yet been met."""
        return list(self._orders)

    def set_profile(self, profile: Profile) -> None:
        """Take another profile; requests and runs are counted from here on."""
        self._profile, self._requests, self._accepted = profile, 0, 0

    def order(self, order: Order) -> None:
        """Have the next requests meet a fault.

        Raises:
            UnknownFault: More is ordered than anybody needs.
        """
        if len(self._orders) >= _MOST_ORDERS:
            raise UnknownFault(f"there are {_MOST_ORDERS} orders already")
        self._orders.append(order)

    def cancel_orders(self) -> None:
        """Forget what was ordered."""
        self._orders.clear()

    def faults_of(self, method: str, path: str, headers: Iterable[str]) -> list[Fault]:
        """Return what a request meets: what its headers name, else what was ordered, else what the profile draws.

        Raises:
            UnknownFault: A header names what there is not.
        """
        self._requests += 1
        named = [parse(text).completed() for header in headers for text in header.split(",")]
        if named:
            return named
        if ordered := self._ordered(method, path):
            return ordered
        drawn = self._profile.draw(of_run=False, number=self._requests)
        return [] if drawn is None else [drawn]

    def _ordered(self, method: str, path: str) -> list[Fault]:
        for order in self._orders:
            if order.method in {"", method} and order.path in {"", path}:
                order.times -= 1
                if order.times <= 0:
                    self._orders.remove(order)
                return [order.fault.completed()]
        return []

    def bind(self, run_id: int, faults: Iterable[Fault]) -> None:
        """Note what a new run meets: those of its request's faults that concern a run, else what the profile draws."""
        self._accepted += 1
        found = [fault for fault in faults if fault.of_run]
        drawn = None if found else self._profile.draw(of_run=True, number=self._accepted)
        if drawn is not None:
            found = [drawn]
        for fault in found:
            if fault.name == "stay-pending":
                _keep(self._pending_polls, run_id, int(fault.number))
        if found:
            _keep(self._runs, run_id, found)

    def faults_of_run(self, run_id: int) -> list[Fault]:
        """Return what a run meets after its start."""
        return self._runs.get(run_id, [])

    @property
    def holds_back(self) -> bool:
        """Whether there are runs that are to be told to go on still."""
        return bool(self._pending_polls)

    def is_held_back(self, run_id: int) -> bool:
        """Count a poll of a run; return whether it is to be told that the run still goes on."""
        left = self._pending_polls.get(run_id, 0)
        if left > 1:
            self._pending_polls[run_id] = left - 1
        elif left:
            del self._pending_polls[run_id]
        return left > 0


def _keep(table: dict[int, Any], run_id: int, value: Any) -> None:
    while len(table) >= _MOST_RUNS:
        del table[next(iter(table))]
    table[run_id] = value
