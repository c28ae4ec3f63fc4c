"""PromptLayer: names that are nearly those of something that exists."""

from collections.abc import Iterable
from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import Checks
from contract_tests.rules import rule as card
from contract_tests.server.once_per_run import OncePerRun
from contract_tests.server.relations.near_names import NearName, NearNames
from contract_tests.server.server import ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RESULTS: Final = "getWorkflowVersionExecutionResults"
rule: Final = partial(card, source=PAGE, side="server", requests=11, service="promptlayer")


@pytest.fixture
def near_names(operation: Operation, server: ServerUnderTest, once_per_run: OncePerRun) -> list[NearName]:
    """Return what came of names that are nearly right in requests for an operation."""
    tried = once_per_run(NearNames, server).tried
    return [one for one in tried if one.exchange.case.operation.id == operation.id]


@rule(
    "REL-NEAR-01",
    "Only the whole name, label or id is the one that was given out.",
    says="A label picks the version that carries it, a name its workflow and an id its execution; 404 means that there "
    "is none. The beginning of one, or one with more behind it, is another one.",
    basis="documented",
    operations=["runWorkflow", RESULTS],
    otherwise="the target has no label, and no id of many digits",
)
def test_part_of_a_name_is_no_name(near_names: list[NearName]) -> Checks:
    return _taken(one for one in near_names if not one.is_spelling)


@rule(
    "REL-NEAR-02",
    "A label or name in another case, or with white space, is another one.",
    says="No page says that case or white space of a label or a name make no difference.",
    basis="inferred",
    operations=["runWorkflow"],
    otherwise="the target has no label",
)
def test_spelling_of_a_name_matters(near_names: list[NearName]) -> Checks:
    return _taken(one for one in near_names if one.is_spelling)


def _taken(names: Iterable[NearName]) -> Checks:
    for one in names:
        is_refused = not one.exchange.has_succeeded
        yield one.exchange.check(is_refused, one.what, f"{one.what}, {one.given!r}, is taken for one that exists")
