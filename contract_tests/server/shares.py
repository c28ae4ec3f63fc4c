"""
Which part of a target's few requests the rules may have spent when, the families of most worth first.

A target whose max_requests suffices for all of them is not concerned.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from contract_tests.outcomes import Row
from contract_tests.targets import Target

FEW: Final = range(40, 200)  # requests of which not every family can be played whole, and more than one can begin
RESULTS: Final = "getWorkflowVersionExecutionResults"


class Family(NamedTuple):
    """
    Chapters of rules, by the names of their modules.

    Attributes:
        until: The part of max_requests that may be spent when their turn is over; what is left over the next ones have.
        operations: The operations whose rows belong to it; empty for all.
    """

    name: str
    until: float
    chapters: Sequence[str]
    operations: Sequence[str] = ()


BASICS: Final = {
    "promptlayer": (
        *("promptlayer_run", "promptlayer_runs", "promptlayer_run_results", "promptlayer_run_callback"),
        *("promptlayer_run_version", "promptlayer_run_results_form", "promptlayer_run_input"),
    ),
    "interactly": ("interactly_execute", "interactly_runs", "interactly_run_life", "interactly_turns"),
}
RUNS: Final = ("runWorkflow", "executeWorkflow", RESULTS)
FAMILIES: Final[Mapping[str, Sequence[Family]]] = {
    "promptlayer": (
        Family("runs and their results", 0.62, BASICS["promptlayer"]),
        Family("credentials", 0.69, ("credentials",), RUNS),
        Family(
            "runs together", 0.83, ("promptlayer_runs_together", "promptlayer_runs_together_callbacks", "told_of_runs")
        ),
        Family("runs in a row", 1.0, ("promptlayer_runs_in_a_row",)),
        Family("one connection", 1.0, ("connections",), RUNS),
    ),
    "interactly": (
        Family("runs", 0.42, BASICS["interactly"]),
        Family("credentials", 0.5, ("credentials",), RUNS),
        Family("open runs", 0.8, ("interactly_open_runs", "interactly_run_story", "told_of_runs")),
        Family("lists of runs", 1.0, ("interactly_run_lists",)),
        Family("one connection", 1.0, ("connections",), RUNS),
    ),
}


def has_few_requests(target: Target) -> bool:
    """Whether a target's requests do not suffice for every family."""
    return target.max_requests in FEW


def place_in_family(row: Row, chapter: str) -> tuple[int, int]:
    """
    Return where a row of a target of few requests has its turn: the number of its family, and its chapter's in it.

    Args:
        row: The row.
        chapter: The name of its chapter's module.
    """
    families = FAMILIES.get(row.service, ())
    for number, family in enumerate(families):
        if chapter in family.chapters and (not family.operations or row.operation in family.operations):
            return number, family.chapters.index(chapter)
    return len(families), 0


def may_be_sent(target: Target, row: Row, chapter: str) -> int:
    """Return how many requests of a target may have been sent when the turn of a row's family is over."""
    number, _ = place_in_family(row, chapter)
    families = FAMILIES.get(row.service, ())
    part = families[number].until if has_few_requests(target) and number < len(families) else 1.0
    return int(target.max_requests * part)
