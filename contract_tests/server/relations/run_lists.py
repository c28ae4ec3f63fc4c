"""Lists of an Interactly workflow's runs: whole, filtered, cut into pages, and with one run more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from contract_tests.openapi.json_text import whole
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.models.conversation import FINAL, run_id_of
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.models.told_times import start_and_change
from contract_tests.server.relations.marked_inputs import new_mark
from contract_tests.server.server import ServerUnderTest

OPERATION: Final = "listWorkflowRuns"
MOST_PAGES: Final = 5
MOST_STATUSES: Final = 4
FEWEST: Final = 3
REQUESTS: Final = 24
NO_SUCH_OBJECT: Final = "f" * 24
AWAY: Final = timedelta(minutes=90)  # from now, less than the offsets below: who ignores these finds another time
EAST, WEST = (timezone(sign * timedelta(hours=5, minutes=30)) for sign in (1, -1))
WILDCARDS: Final = (".", "_")  # of patterns, and signs like others in a text
SECOND: Final = timedelta(seconds=1)
GAP: Final = timedelta(milliseconds=2)  # between two runs whose times tell which is the earlier one


@dataclass(frozen=True)
class Page:
    """
    A response to a request for a list.

    Attributes:
        size: How many runs a page may have.
    """

    exchange: Exchange
    size: int

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """What it lists."""
        found = self.exchange.result.get("workflow_runs")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []

    @property
    def ids(self) -> list[str]:
        """The ids of the runs, in order."""
        return [str(record.get("_id")) for record in self.records]

    @property
    def total(self) -> int | None:
        """Of how many runs it says that there are."""
        return whole(self.exchange.result.get("total"))


@dataclass(frozen=True)
class Filtered:
    """
    A first page that a filter has narrowed.

    Attributes:
        name: The filter.
        expected: Ids of those of the session's runs that fit it.
        others: Ids of the session's runs that do not.
        is_told: Whether the contract tells what fits it.
    """

    name: str
    page: Page
    expected: frozenset[str]
    others: frozenset[str]
    is_told: bool = True

    def violations(self) -> Iterator[Violation | None]:
        """Yield what is listed and does not fit, and what fits and is not there."""
        listed = set(self.page.ids)
        exchange = self.page.exchange
        strange, is_full = sorted(self.others & listed), len(listed) >= self.page.size
        missing = [] if is_full else sorted(self.expected - listed)
        asked = ", ".join(f"{name}={value}" for name, value in exchange.case.query.items())
        yield exchange.check(not strange, self.name, f"asked for {asked}, it lists run {strange[:1]}, which is another")
        yield exchange.check(not missing, self.name, f"asked for {asked}, it does not list run {missing[:1]}")


class RunLists:
    """The lists of one target, asked for when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server
        parameters = server.contract.operation(OPERATION).parameters
        size = next((one.schema for one in parameters if one.name == "size"), "")
        self._default = server.contract.at(f"{server.contract.follow(size)}").get("default", 100) if size else 100

    def ask(self, **query: Any) -> Page:
        """Ask for a page of the workflow's runs."""
        given = {"workflow_id": self.server.target.workflow, **query}
        return Page(self.server.call(OPERATION, query=given), query.get("size", self._default))

    @property
    def pages(self) -> list[Page]:
        """The whole list, on pages of the size that nobody has asked for."""
        return self._played[0]

    @property
    def cut(self) -> list[Page]:
        """The list once more, on three pages, and the page behind them."""
        return self._played[1]

    @cached_property
    def _played(self) -> tuple[list[Page], list[Page]]:
        """
        Both, one right after the other, so that the list is the same.

        Raises:
            NotExercised: If too few requests are left, the list can't be read, or is too long.
        """
        target = self.server.target
        if self.server.wire.left < REQUESTS:
            raise NotExercised(f"lists of runs take {REQUESTS} requests of max_requests ({target.max_requests})")
        for command in ("pause", "stop", "data")[:FEWEST]:
            self._start_one_for(command)
        pages = list(self.all_pages())
        size = max(2, -(-len(ids_of(pages)) // 3))
        return pages, [self.ask(page=number, size=size) for number in (1, 2, 3, 4)]

    def _start_one_for(self, command: str) -> None:
        """Start a run and give it a command, so that not all stand alike; of turns a start has to do."""
        id_ = run_id_of(self.server.execute(self.server.start_body))
        if id_ is not None and self.server.target.generation == "a":
            self.server.execute({"command": command, "workflow_run_id": id_, "run_by": self.server.tag})

    def all_pages(self, **query: Any) -> Iterator[Page]:
        """
        Ask for every page of the workflow's runs.

        Raises:
            NotExercised: If the list can't be read, or is too long.
        """
        for number in range(1, MOST_PAGES + 1):
            page = self.ask(**query, **({"page": number} if number > 1 else {}))
            if not page.exchange.has_succeeded:
                raise NotExercised(f"the list can't be read: {page.exchange.shown}")
            yield page
            if len(page.records) < page.size:
                return
        raise NotExercised(f"there are more runs than on {MOST_PAGES} pages")

    @property
    def whole(self) -> list[Mapping[str, Any]]:
        """Every run of the workflow."""
        return [record for page in self.pages for record in page.records]

    @cached_property
    def own(self) -> dict[str, Mapping[str, Any]]:
        """The records, as they are listed, of those runs that this session has started and that stand still."""
        found = {str(record.get("_id")): record for record in self.whole}
        started = {run_id_of(one) for one in self.server.watch.of("executeWorkflow") if one.has_succeeded}
        return {id_: one for id_, one in found.items() if id_ in started and _status(one) in FINAL | RESTING}

    @cached_property
    def filtered(self) -> list[Filtered]:
        """The list by each of its filters."""
        if not self.own:
            raise NotExercised("no run of this session is in the list")
        return [*self._by_status(), *self._by_workflow(), *self._by_search(), *self._by_time()]

    def _by_status(self) -> Iterator[Filtered]:
        by_id = {id_: _status(record) for id_, record in self.own.items()}
        seen = sorted({*by_id.values()})[:MOST_STATUSES]
        unseen = [*sorted(RESTING - {*seen}), *sorted(FINAL - {*seen})][:2]
        for status in (*seen, *unseen):
            yield self._filtered("status", {id_ for id_, one in by_id.items() if one == status}, {"status": status})

    def _by_workflow(self) -> Iterator[Filtered]:
        yield self._filtered("workflow_id", (), {"workflow_id": NO_SUCH_OBJECT})

    def _by_search(self) -> Iterator[Filtered]:
        yield self._filtered("search", (), {"search": f"{new_mark()} Z"})
        for id_, record in list(self.own.items())[-1:]:
            logical_id = _run(record).get("logical_id")
            if isinstance(logical_id, str) and logical_id:
                yield self._filtered("search for logical_id", {id_}, {"search": logical_id}, is_told=False)
                middle = len(logical_id) // 2
                for sign in WILDCARDS:
                    near = f"{logical_id[:middle]}{sign}{logical_id[middle + 1 :]}"
                    yield self._filtered(f"search with {sign}", (), {"search": near}, is_told=False)

    def _by_time(self) -> Iterator[Filtered]:
        now = datetime.now(UTC)
        past, future = ((now + way).astimezone(zone) for way, zone in ((-AWAY, EAST), (AWAY, WEST)))
        for query, fits in (
            ({"start": past}, True),
            ({"end": future}, True),
            ({"start": past - AWAY, "end": past}, False),  # either of them alone leaves other runs than both
            ({"start": future, "end": future + AWAY}, False),
        ):
            texts = {name: time.isoformat(timespec="seconds") for name, time in query.items()}
            yield self._filtered(" and ".join(query), self.own if fits else (), texts)
        yield from self._by_time_between_runs()

    def _by_time_between_runs(self) -> Iterator[Filtered]:
        told = {id_: _time(record.get("created_at")) for id_, record in self.own.items()}
        times = {id_: one for id_, one in told.items() if one is not None}
        pairs = [*pairwise(sorted(times.values()))]
        if not pairs or len(times) < len(self.own):
            return
        one, later = max(pairs, key=lambda pair: pair[1] - pair[0])
        if later - one < GAP:
            return
        middle = one + (later - one) / 2
        for name, bound in (("start", max(_whole_seconds_in(pairs), default=middle)), ("end", middle)):
            text = bound.astimezone(UTC).isoformat().replace("+00:00", "Z")
            after = {id_ for id_, time in times.items() if time > bound}
            fitting = after if name == "start" else times.keys() - after
            found = self._filtered(f"{name} between two runs", fitting, {name: text}, is_told=False)
            early, late = self._clearly_beside(bound)
            fit, others = (late, early) if name == "start" else (early, late)
            yield found
            yield replace(found, name=f"{name} between runs", expected=fit, others=others, is_told=True)

    def _clearly_beside(self, bound: datetime) -> tuple[frozenset[str], frozenset[str]]:
        """Return runs of which all times are before a bound, or after it: who knows no fractions of a second agrees."""
        told = {id_: start_and_change(record) for id_, record in self.own.items()}
        known = {id_: times for id_, times in told.items() if times is not None}
        first = bound.replace(microsecond=0)
        early = frozenset(id_ for id_, times in known.items() if max(times) < first)
        return early, frozenset(id_ for id_, times in known.items() if min(times) >= first + SECOND)

    def _filtered(
        self, what: str, expected: Iterable[str], query: Mapping[str, Any], *, is_told: bool = True
    ) -> Filtered:
        ids = frozenset(expected)
        return Filtered(what, self.ask(**query), ids, frozenset(self.own) - ids, is_told)

    @cached_property
    def with_one_more(self) -> tuple[str, list[Page]]:
        """A run that was started after the list was asked for, and the same list again."""
        _ = self.pages
        started = self.server.execute(self.server.start_body)
        id_ = run_id_of(started)
        if id_ is None:
            raise NotExercised(f"no run was started: {started.shown}")
        numbers = range(1, len(self.pages) + 1)
        return id_, [self.ask(**({"page": number} if number > 1 else {})) for number in numbers]


def ids_of(pages: Sequence[Page]) -> list[str]:
    """Return what pages list, in order."""
    return [id_ for page in pages for id_ in page.ids]


def _whole_seconds_in(pairs: Iterable[tuple[datetime, datetime]]) -> Iterator[datetime]:
    """Yield the last whole second between the times of two runs, of those that have one between them."""
    for one, later in pairs:
        second = (later - GAP).replace(microsecond=0)
        if second - one >= GAP:
            yield second


def _run(record: Mapping[str, Any]) -> Mapping[str, Any]:
    run = record.get("workflow_run")
    return run if isinstance(run, Mapping) else {}


def _status(record: Mapping[str, Any]) -> str:
    return str(_run(record).get("status"))


def _time(value: Any) -> datetime | None:
    """Return a time that is told to more than a second, and with its offset."""
    return time_with_offset(value) if isinstance(value, str) and "." in value else None
