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
FULL_PAGES: Final = ((0, 1), (2, 3), (4,))
SHORT_PAGES: Final = ((0, 1), (2,), (3, 4))  # one that is not full is not the last one
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

    def page(self, number: int, form: "Form") -> ScriptedResponse:
        """Return a page; what lies behind the last one is empty, and says that there is more if that has no end."""
        pages, is_endless = form.pages, not form.pages
        marks = pages[number - 1] if 0 < number <= len(pages) else ()
        template = self.shown[self.items][0]
        said = {self.has_next: is_endless or number < len(pages)} if self.has_next else {}
        total = MOST if is_endless else len(ALL) - (number < form.complete_from)
        numbers = {"total": total, PAGE: number, "pages": len(pages), "per_page": ON_A_PAGE}
        known = {name: value for name, value in {**numbers, **said}.items() if name in self.shown}
        page = {**self.shown, **known, self.items: [{**template, MARK: mark} for mark in marks]}
        return ScriptedResponse(body=json.dumps(page).encode())


@dataclass(frozen=True)
class Form:
    """
    How a list is cut into pages.

    Attributes:
        name: What is particular about it.
        pages: Its items by pages; none for a list of empty pages without end.
        complete_from: The page from which on the total says all: an item may come while the list is read.
        first: The page that is asked for first.
    """

    name: str
    pages: tuple[tuple[int, ...], ...] = ()
    complete_from: int = 0
    first: int = 1

    @property
    def wanted(self) -> list[int]:
        """The items that whoever goes through the list is to get."""
        return [mark for page in self.pages[self.first - 1 :] for mark in page]


FORMS: Final = (
    Form("", FULL_PAGES),
    Form("short page", SHORT_PAGES),
    Form("growing", FULL_PAGES, complete_from=2),
    Form("from the second page", FULL_PAGES, first=2),
)


@dataclass(frozen=True, kw_only=True)
class ListTrial(Trial[Form]):
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
    form: Form
    asked: list[tuple[int, list[tuple[str, str]]]] = field(default_factory=list)

    def respond(self, seen: RecordedRequest) -> ScriptedResponse:
        pairs = [(decode(name) or "", decode(value) or "") for name, value in query_pairs(seen.target)]
        asked = next((value for name, value in pairs if name == PAGE), "1")
        number = int(asked) if asked.isdecimal() else 0
        self.asked.append((number, sorted(pair for pair in pairs if pair[0] != PAGE)))
        return self.listing.page(number, self.form)


@once
def whole(trials: Trials) -> list[ListTrial]:
    """Return lists of which all is wanted."""
    return [trial for form in FORMS for trial in _played(trials, MOST, form)]


@once
def beginnings(trials: Trials) -> list[ListTrial]:
    """Return lists of which the first page is wanted."""
    return _played(trials, ON_A_PAGE, FORMS[0])


@once
def endless(trials: Trials) -> list[ListTrial]:
    """Return lists of empty pages, each of which says that there is more."""
    return _played(trials, MOST, Form("endless"))


def _played(trials: Trials, most: int, form: Form) -> list[ListTrial]:
    shown, played = listing(trials), list[ListTrial]()
    query = {**shown.start.query, PAGE: form.first} if form.first > 1 else shown.start.query
    start = replace(shown.start, query=query)
    for mode in trials.modes():
        service = _Service(shown, form)
        with RecordingServer() as server:
            wire: dict[str, Any] = {"server": server, "respond": service.respond, "more": {"most": most}}
            trial = trials.session.play(form, start, (), mode, task="listed", **wire)
        pages, filters = tuple(number for number, _ in service.asked), tuple(rest for _, rest in service.asked)
        played.append(ListTrial(**vars(trial), pages=pages, filters=filters))
    return supported(played)
