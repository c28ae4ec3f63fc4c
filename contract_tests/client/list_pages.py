"""Plays lists that come page by page, which a client goes through by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.cases.keeping import once
from contract_tests.client.outcome import Value
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials, supported
from contract_tests.http.expected_parameters import decode, query_pairs
from contract_tests.http.recording_server import RecordedRequest, RecordingServer, ScriptedResponse
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import NotApplicable

PAGE: Final = "page"
SIZES: Final = ("size", "per_page", "page_size")
MARK: Final = "x_mark"
ON_A_PAGE: Final = 2
PAGES: Final = ((0, 1), (2,), (3, 4))  # by a flag, a page that is not full is not the last one
FULL_PAGES: Final = ((0, 1), (2, 3), (4,))  # by a total
ALL: Final = tuple(range(5))
MOST: Final = 50


@dataclass(frozen=True, kw_only=True)
class Listing:
    """
    A list of the contract's: where its items stand on a page, and how a page says that another one follows.

    Attributes:
        start: The call that asks for the first page, with as many filters as there can be.
        shown: A page as the contract shows it.
        items: The property with the items.
        has_next: The flag that says so; None if there is only a total.
    """

    start: RequestCase
    shown: Mapping[str, Any]
    items: str
    has_next: str | None

    def page(self, number: int, *, is_endless: bool) -> ScriptedResponse:
        """Return a page; what lies behind the last one is empty, and says that there is more if that has no end."""
        pages = PAGES if self.has_next else FULL_PAGES
        marks = pages[number - 1] if 0 < number <= len(pages) and not is_endless else ()
        template = self.shown[self.items][0]
        said = {self.has_next: is_endless or number < len(pages)} if self.has_next else {}
        numbers = {"total": MOST if is_endless else len(ALL), PAGE: number, "pages": len(pages), "per_page": ON_A_PAGE}
        known = {name: value for name, value in {**numbers, **said}.items() if name in self.shown}
        page = {**self.shown, **known, self.items: [{**template, MARK: mark} for mark in marks]}
        return ScriptedResponse(body=json.dumps(page).encode())


@dataclass(frozen=True, kw_only=True)
class ListTrial(Trial[Listing]):
    """A list as it was gone through: the numbers of the pages that were asked for, and what else each asked."""

    pages: tuple[int, ...]
    filters: tuple[list[tuple[str, str]], ...]

    @property
    def marks(self) -> list[Any] | None:
        """The items that the caller got, in order; None if it got none."""
        outcome = self.outcome
        items = outcome.json if isinstance(outcome, Value) and isinstance(outcome.json, list) else None
        return None if items is None else [item.get(MARK) if isinstance(item, dict) else item for item in items]

    @property
    def has_other_filters(self) -> bool:
        """Whether a page was asked for with something else than the one before."""
        return any(one != other for one, other in pairwise(self.filters))


def listing(trials: Trials) -> Listing:
    """Return the list that an operation gives page by page; raises NotApplicable if it gives none."""
    names = {item.name for item in trials.operation.parameters if item.location == "query"}
    shown = json_or(trials.success.body, None)
    shown = shown if isinstance(shown, dict) and PAGE in names else {}
    items = [name for name, value in shown.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    flag = next((name for name, value in shown.items() if name == "has_next" and isinstance(value, bool)), None)
    if len(items) != 1 or not (flag or "total" in shown):
        raise NotApplicable("the operation gives no list page by page")
    fullest = trials.fullest()
    query = {name: value for name, value in fullest.query.items() if name != PAGE}
    size = next((name for name in SIZES if name in names), None)
    sized = {**query, size: ON_A_PAGE} if size else query
    return Listing(start=replace(fullest, query=sized), shown=shown, items=items[0], has_next=flag)


@dataclass
class _Service:
    listing: Listing
    is_endless: bool
    asked: list[tuple[int, list[tuple[str, str]]]] = field(default_factory=list)

    def respond(self, seen: RecordedRequest) -> ScriptedResponse:
        pairs = [(decode(name) or "", decode(value) or "") for name, value in query_pairs(seen.target)]
        asked = next((value for name, value in pairs if name == PAGE), "1")
        number = int(asked) if asked.isdecimal() else 0
        self.asked.append((number, sorted(pair for pair in pairs if pair[0] != PAGE)))
        return self.listing.page(number, is_endless=self.is_endless)


@once
def whole(trials: Trials) -> list[ListTrial]:
    """Return lists of which all is wanted."""
    return _played(trials, MOST)


@once
def beginnings(trials: Trials) -> list[ListTrial]:
    """Return lists of which the first page is wanted."""
    return _played(trials, ON_A_PAGE)


@once
def endless(trials: Trials) -> list[ListTrial]:
    """Return lists of empty pages, each of which says that there is more."""
    return _played(trials, MOST, is_endless=True)


def _played(trials: Trials, most: int, *, is_endless: bool = False) -> list[ListTrial]:
    shown, played = listing(trials), list[ListTrial]()
    for mode in trials.modes():
        service = _Service(shown, is_endless)
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "respond": service.respond, "more": {"most": most}}
            trial = trials.session.play(shown, shown.start, (), mode, task="listed", **wire)
        pages, filters = tuple(number for number, _ in service.asked), tuple(rest for _, rest in service.asked)
        played.append(ListTrial(**vars(trial), pages=pages, filters=filters))
    return supported(played)
