"""Interactly: lists of runs, each compared with the whole list."""

from functools import partial
from typing import Final

from contract_tests.rules import Checks, NotExercised, Violation
from contract_tests.rules import rule as card
from contract_tests.server.relations.run_lists import MOST_PAGES, Page, RunLists, ids_of

PAGE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-runs/get-workflow-runs"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2, its list of runs"
TIMES: Final = "https://www.rfc-editor.org/rfc/rfc3339#section-4.2"
rule: Final = partial(
    card, source=PAGE, basis="documented", operations=["listWorkflowRuns"], side="server", requests=28,
    service="interactly",
)  # fmt: skip


@rule(
    "REL-LIST-51",
    "A filter leaves the runs of the whole list that fit it, and no other.",
    says="workflow_id and status leave only such runs, search only what the text is found in, start and end only runs "
    "from or up to that time, in whatever offset it is written: whichever of a run's times counts.",
    source=f"{PAGE}; {LIBRARY}; {TIMES}",
)
def test_filter_leaves_what_fits(run_lists: RunLists) -> Checks:
    return (found for one in run_lists.filtered if one.is_told for found in one.violations())


@rule(
    "REL-LIST-52",
    "A run is found by its logical_id and no pattern of it, start and end fall between two runs, and pages are in the "
    "order of the list.",
    says="The example of search is the beginning of a logical_id, it is a text and no pattern, created_at is the only "
    "time that the list shows, and pages of one list are in one order. No page says so.",
    basis="inferred",
)
def test_filters_look_at_what_is_shown(run_lists: RunLists) -> Checks:
    yield from (found for one in run_lists.filtered if not one.is_told for found in one.violations())
    cut, everything = ids_of(run_lists.cut), ids_of(run_lists.pages)
    is_other = cut != everything and sorted(cut) == sorted(everything)
    last = run_lists.cut[-1].exchange
    yield last.check(not is_other, "order", "pages 1 to 4 have the runs of the whole list in another order")


@rule(
    "REL-LIST-53",
    "Pages are the whole list, cut.",
    says="size is the number of runs on a page, 100 by default, and page the number of the page: each page but the "
    "last is full, each run is on one of them, and behind the last page is nothing.",
)
def test_pages_are_the_list_cut(run_lists: RunLists) -> Checks:
    asked, pages, everything = len(run_lists.whole), run_lists.cut, set(ids_of(run_lists.pages))
    if len({page.total for page in pages}) > 1 and not run_lists.server.target.is_local:
        raise NotExercised("others start runs meanwhile")
    ids = ids_of(pages)
    twice = sorted(one for one in {*ids} if ids.count(one) > 1)
    last = pages[-1].exchange
    yield last.check(not twice, "run on two pages", f"run {twice[:1]} is listed twice on pages 1 to 4")
    missing = sorted(everything - {*ids})
    yield last.check(not missing, "run on no page", f"run {missing[:1]} of the whole list is on none of pages 1 to 4")
    for number, page in enumerate(pages, 1):
        expected = max(0, min(page.size, asked - (number - 1) * page.size))
        yield page.exchange.check(
            len(page.records) == expected,
            "size of a page",
            f"page {number} of size {page.size} has {len(page.records)} runs, expected are {expected} of {asked}",
        )


@rule(
    "REL-LIST-54",
    "total is the number of runs that the filters leave, on whatever page.",
    says="total is the number of runs on all pages.",
)
def test_total_counts_what_is_left(run_lists: RunLists) -> Checks:
    whole, filtered = [run_lists.pages[0], *run_lists.cut], [one.page for one in run_lists.filtered]
    if len({page.total for page in whole}) > 1 and not run_lists.server.target.is_local:
        whole = []  # others start runs meanwhile
    counted = [(page, len(run_lists.whole)) for page in whole]
    counted += [(page, len(page.records)) for page in filtered if len(page.records) < page.size]
    if all(page.total is None for page, _ in counted):
        raise NotExercised("no list says how many runs there are")
    for page, count in counted:
        yield _total(page, count)


@rule(
    "REL-LIST-55",
    "A run is in the list once its start was answered.",
    says="The list has the runs, and the run is there when its start is answered, whenever the list was asked for "
    f"before. Looked for on up to {MOST_PAGES} pages.",
)
def test_new_run_is_listed(run_lists: RunLists) -> Checks:
    id_, pages = run_lists.with_one_more
    last = pages[-1].exchange
    is_there = id_ in ids_of(pages) or len(pages[-1].records) >= pages[-1].size
    yield last.check(is_there, "new run", f"the run {id_}, which was started before, is not listed")


def _total(page: Page, expected: int) -> Violation | None:
    received = f"total is {page.total}, and the list has {expected} runs"
    return page.exchange.check(page.total in {None, expected}, "member total", received)
