"""Lists: what a client that goes through all pages by itself asks for and gives."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.client import list_pages
from contract_tests.client.cards import operation_rule
from contract_tests.client.list_pages import ALL, ON_A_PAGE
from contract_tests.client.outcome import describe
from contract_tests.client.trials import Trials
from contract_tests.rules import Violation

MOST_EMPTY: Final = 10
rule: Final = partial(operation_rule, source="the client's own documentation of its lists", basis="inferred")


@rule(
    "CL-LST-01",
    "Who goes through a list gets each item once, in order.",
    says="A page says whether another follows, or how many items there are by then: neither a page that is not full "
    "ends the list, nor is a page asked for that is not there. It begins with the page that was asked for.",
    basis="documented",
)
def test_all_items(trials: Trials) -> Iterator[Violation]:
    for trial in list_pages.whole(trials):
        form, numbers = trial.case, range(trial.case.first, len(trial.case.pages) + 1)
        if trial.marks != form.wanted:
            got = describe(trial.outcome) if trial.marks is None else f"items {trial.marks}"
            yield trial.violation(f"{form.name} items".lstrip(), got, f"items {form.wanted}")
        if trial.pages != (*numbers,):
            yield trial.violation(f"{form.name} pages".lstrip(), f"pages {[*trial.pages]}", f"pages {[*numbers]}")


@rule(
    "CL-LST-02",
    "Each page is asked for like the first one.",
    says="Filters, order and size hold for the whole list.",
    basis="documented",
)
def test_filters_of_all_pages(trials: Trials) -> Iterator[Violation]:
    for trial in list_pages.whole(trials):
        if trial.has_other_filters:
            yield trial.violation("query", "a page is asked for with another query than the page before")


@rule(
    "CL-LST-03",
    "No page is asked for that nobody wants.",
    says="A list is read as far as its items are taken.",
)
def test_lazy_lists(trials: Trials) -> Iterator[Violation]:
    for trial in list_pages.beginnings(trials):
        if trial.pages != (1,) or trial.marks != [*ALL[:ON_A_PAGE]]:
            yield trial.violation("pages", f"pages {[*trial.pages]} for the items of the first", "page 1")


@rule(
    "CL-LST-04",
    "A list without items has an end.",
    says="A service that promises a further page with each empty one does not keep its client for ever.",
)
def test_empty_pages(trials: Trials) -> Iterator[Violation]:
    for trial in list_pages.endless(trials):
        if len(trial.pages) > MOST_EMPTY:
            yield trial.violation("empty pages", f"{len(trial.pages)} pages", f"at most {MOST_EMPTY}")
