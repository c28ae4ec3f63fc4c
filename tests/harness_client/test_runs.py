"""A client that waits for what it has started is judged by the whole of that, from the start to the end."""

from pathlib import Path

import pytest
from judging_clients import client_rules, judging
from search_client import DEFECTS

from contract_tests.client.subject_process import Choice
from contract_tests.rules import Verdict

SPEC = Path(__file__).with_name("searches.yaml")
IN_LISTS = {
    "skips_pages": ("CL-LST-01", "pages"),
    "ends_at_short_page": ("CL-LST-01", "short page items"),
    "forgets_words": ("CL-LST-02", "query"),
    "reads_ahead": ("CL-LST-03", "pages"),
    "never_ends": ("CL-LST-04", "empty pages"),
}
# No search has nodes: of main outputs our own client and its mutants `main-output.*` are the subjects.
OF_RUNS = [rule.id for rule in client_rules() if rule.id.startswith("CL-RUN") and rule.id != "CL-RUN-16"]
# Defects that do not hide one another are those of one client: what is played with it is mostly waiting.
FOUND_BY = {
    "starts_again__asks_for_latest": {
        ("CL-RUN-01", "poll status 503"),
        ("CL-RUN-11", "at once"),
    },
    "tells_old_loss__stops_late__interrupted_bare": {
        ("CL-RUN-13", "lost questions"),
        ("CL-RUN-14", "stopped end"),
        ("CL-RUN-15", "interrupted name"),
    },
    "takes_what_comes__needs_best": {("CL-RUN-02", "ends pending"), ("CL-RUN-02", "output with false")},
    "loses_searches__asks_after_failure": {
        ("CL-RUN-03", "poll reset doubt"),
        ("CL-RUN-05", "fails status 500 end"),
        ("CL-RUN-12", "fails status 500"),
    },
    "asks_without_ticket__forgets_silence__never_pauses__asks_once_more__goes_on__hides_ticket": {
        ("CL-RUN-04", "start status 503 questions"),
        ("CL-RUN-06", "endless silence time"),
        ("CL-RUN-07", "Retry-After"),
        ("CL-RUN-08", "endless no end"),
        ("CL-RUN-09", "ends pending questions"),
        ("CL-RUN-09", "cancelled cancelled"),
        ("CL-RUN-10", "refused status 404 name"),
    },
}


def judged(name: str) -> set[tuple[str, str]]:
    """Return what the rules find, each with the constraint."""
    with judging(Choice(adapter=f"search_client:{name}"), SPEC) as judge:
        violations = judge.violations(*OF_RUNS, operation="startSearch")
    return {(one.rule.id, constraint) for one in violations for constraint in one.constraints}


@pytest.mark.nightly
def test_defects_of_waiting_are_found() -> None:
    """The rule that is for a defect finds it in the story that shows it; nothing is found in the correct client."""
    found = {name: judged(name) for name in ("Searching", *FOUND_BY)}

    assert not found["Searching"]
    assert [(name, one) for name, wanted in FOUND_BY.items() for one in wanted - found[name]] == []
    assert {rule for wanted in FOUND_BY.values() for rule, _ in wanted} == set(OF_RUNS)
    assert {defect for names in (*FOUND_BY, *IN_LISTS) for defect in names.split("__")} == DEFECTS.keys()


def test_what_nobody_follows_is_not_applicable() -> None:
    """Neither an operation that nothing tells of later, nor a client that does not wait, is judged by these rules."""
    with judging(Choice(adapter="search_client:Searching"), SPEC) as judge:
        told = judge.verdicts(*(set(OF_RUNS) - {"CL-RUN-12"}), operation="getSearch")

    assert {one.verdict for one in told} == {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("defect", ["Searching", *IN_LISTS])
def test_defects_of_lists_are_found(defect: str) -> None:
    """The rule that is for a defect finds it, and nothing is found in the correct client."""
    rules = sorted({rule for rule, _ in IN_LISTS.values()})
    with judging(Choice(adapter=f"search_client:{defect}"), SPEC) as judge:
        verdicts = judge.verdicts(*rules, operation="listSearches")

    found = {(one.rule.id, constraint) for one in verdicts for constraint in one.constraints}
    assert IN_LISTS[defect] in found if defect in IN_LISTS else not found
    assert defect in IN_LISTS or {one.verdict for one in verdicts} == {Verdict.PASS}
