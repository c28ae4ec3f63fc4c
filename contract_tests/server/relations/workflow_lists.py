"""Lists of workflows with each filter, order and size of pages, beside what is known of two of them."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.openapi.json_text import whole
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.workflow import Workflow
from contract_tests.server.relations.workflow_history import AfterHistory

PER_PAGE: Final = 30
MOST_PER_PAGE: Final = 100
MARGIN: Final = timedelta(minutes=30)  # less than the offsets, more than clocks differ
EAST, WEST = timezone(timedelta(hours=2)), timezone(timedelta(hours=-2))
NOBODY: Final = "contract-tests-nobody@example.com"
BEYOND: Final = 1_000_000
TWO_DIGITS: Final = 10


class ListTopic(StrEnum):
    """What is looked at."""

    FILTERS = auto()
    BOUNDS = auto()
    ORDER = auto()
    SIZES = auto()
    PAGES = auto()


class WorkflowLists(AfterHistory):
    """Asks for lists."""

    requests: ClassVar[int] = 36
    what: ClassVar[str] = "lists of workflows"

    def play(self) -> None:
        """Ask for lists narrowed to one workflow by its external id, then for whole ones."""
        first = self.history.first
        for name, number in (("created", min(first.versions)), ("updated", first.latest)):
            when = _time_of(first, number)
            if when is not None:
                self._times(name, when)
        self._narrowed(ListTopic.FILTERS, "created_by_email", is_in=False, created_by_email=NOBODY)
        self._orders()
        self._order_of_ids()
        self._pages()

    def _times(self, name: str, when: datetime) -> None:
        after, before = f"{name}_after", f"{name}_before"
        early, late = when - MARGIN, when + MARGIN
        # Read without their offsets these bounds would lie on the other side.
        self._narrowed(ListTopic.FILTERS, after, is_in=False, **{after: late.astimezone(WEST)})
        if name == "created":
            self._narrowed(ListTopic.FILTERS, before, is_in=False, **{before: early.astimezone(EAST)})
            both = {after: early.astimezone(EAST), before: late.astimezone(WEST)}
            self._narrowed(ListTopic.FILTERS, f"{after} and {before}", is_in=True, **both)
            if when.microsecond:  # else it may have been cut off, and lie before
                self._narrowed(ListTopic.BOUNDS, "equal times", is_in=True, **{after: when, before: when})

    def _narrowed(self, topic: ListTopic, what: str, *, is_in: bool, **query: Any) -> None:
        first = self.history.first
        source, id_ = self.history.pair
        if self.history.pair not in first.pairs:
            return  # that it is lost was told
        exchange, ids = self._list(external_source=source, external_id=id_, **query)
        if ids is not None:
            expected = [first.id] if is_in else []
            self.judge(topic, exchange, ids == expected, what, f"{ids} instead of {expected}")

    def _orders(self) -> None:
        first, second = self.history.first, self.history.second
        created = [_time_of(one, min(one.versions)) for one in (first, second)]
        updated = [_time_of(one, one.latest) for one in (first, second)]
        since = {} if created[0] is None else {"created_after": created[0] - MARGIN}
        names = [first.name, second.name]
        for query, keys in (
            ({}, created),
            ({"sort_by": "name", "sort_order": "asc", "per_page": MOST_PER_PAGE, **since}, names),
            ({"sort_order": "asc", "per_page": MOST_PER_PAGE, **since}, created),
            ({"sort_by": "updated_at", "per_page": MOST_PER_PAGE, **since}, updated),
        ):
            exchange, ids = self._list(**query)
            one, other = keys
            if ids is None or None in keys or one == other or not {first.id, second.id} <= {*ids}:
                continue
            goes_up = query.get("sort_order") == "asc"
            is_up = (ids.index(first.id) < ids.index(second.id)) == (one < other)  # type: ignore[operator]
            what = f"{query.get('sort_by', 'no order')} {query.get('sort_order', 'by default')}"
            self.judge(ListTopic.ORDER, exchange, is_up == goes_up, what, f"{ids}: {first.id} and {second.id}")

    def _order_of_ids(self) -> None:
        """Ask for all ids in both orders; where that takes few workflows, some have a digit more than others."""
        ids = [self.history.first.id, self.history.second.id]
        while self.server.target.is_local and max(ids) < TWO_DIGITS:
            created = own_workflow.create(self.server, name=f"contract-tests {self.server.tag} {len(ids)}")
            ids.append(whole(created.result.get("workflow_id")) or TWO_DIGITS)
        for order in ("asc", "desc"):
            exchange, shown = self._list(sort_by="id", sort_order=order, per_page=MOST_PER_PAGE)
            known = [one for one in shown or () if one is not None]
            is_right = known == sorted(known, reverse=order == "desc")
            self.judge(ListTopic.ORDER, exchange, is_right, f"id {order}", f"{known}")

    def _pages(self) -> None:
        """Ask for small pages and for a large one, by id with the oldest workflows first: they stay there."""
        by_id = {"sort_by": "id", "sort_order": "asc"}
        self._parts(by_id, 4, ((1, 2), (2, 2), (3, 1), (4, 1)))
        # A page may be cut out of the usual order and be sorted then: that shows in any other.
        for by, order in (("name", "desc"), ("name", "asc"), ("updated_at", "asc")):
            self._parts({"sort_by": by, "sort_order": order}, MOST_PER_PAGE, ((1, 2),))
        beyond, ids = self._list(page=BEYOND, per_page=2, **by_id)
        if ids is not None or beyond.is_refused:
            self.judge(ListTopic.PAGES, beyond, not ids, "the page after the last", f"{ids}")

    def _parts(self, order: dict[str, str], large: int, small: tuple[tuple[int, int], ...]) -> None:
        """Compare small pages, by number and size, with the first one of a large size."""
        _, first = self._list(page=1, per_page=large, **order)
        for page, size in small:
            exchange, ids = self._list(page=page, per_page=size, **order)
            if first is not None and ids is not None:
                expected = first[(page - 1) * size : page * size]
                if ids != expected:  # another's workflow may have gone in between
                    _, first = self._list(page=1, per_page=large, **order)
                    exchange, ids = self._list(page=page, per_page=size, **order)
                    expected = (first or [])[(page - 1) * size : page * size]
                what = f"page {page} by {order['sort_by']} {order['sort_order']}"
                self.judge(ListTopic.PAGES, exchange, ids == expected, what, f"{ids} instead of {expected}")

    def _list(self, **query: Any) -> tuple[Exchange, list[int | None] | None]:
        """Ask for a list; return the ids of its items, None if there are none."""
        written = {name: _written(value) if isinstance(value, datetime) else value for name, value in query.items()}
        exchange = self.server.call("listWorkflows", query=written)
        items = exchange.result.get("items")
        if exchange.status in LATER or not isinstance(items, list):
            return exchange, None
        self._judge_sizes(exchange, query, len(items))
        return exchange, [whole(item.get("id")) for item in items if isinstance(item, dict)]

    def _judge_sizes(self, exchange: Exchange, query: dict[str, Any], items: int) -> None:
        body, page, size = exchange.json, query.get("page", 1), query.get("per_page", PER_PAGE)
        told, total, pages = body.get("per_page"), whole(body.get("total")), whole(body.get("pages"))
        self.judge(ListTopic.SIZES, exchange, whole(told) == size, "per_page", f"{told} instead of {size}")
        is_full = body.get("has_next") is not True or items == size
        self.judge(ListTopic.SIZES, exchange, is_full, "items", f"{items} before the last page instead of {size}")
        if total and pages is not None:
            self.judge(ListTopic.SIZES, exchange, pages == -(-total // size), "pages", f"{pages} for {total}")
            left = min(size, total - (page - 1) * size)
            is_there = left <= 0 or items == left
            self.judge(ListTopic.SIZES, exchange, is_there, "total", f"{items} of {total}, {left} are left")


def _time_of(workflow: Workflow, number: int) -> datetime | None:
    """Return when a version was created, if that is said with its offset."""
    return time_with_offset(workflow.versions[number].shown.get("created_at"))


def _written(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z") if when.tzinfo is UTC else when.isoformat()
