"""Fixtures of the client side."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Final

import pytest

from contract_tests.cases.case_book import CaseBook
from contract_tests.client.judging import open_client, with_command
from contract_tests.client.selection import choose_client
from contract_tests.client.shrinking import smallest_data
from contract_tests.client.trials import ClientTrials, Trials
from contract_tests.openapi.document import Operation
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.rules import Side, Violation, Violations, shown
from contract_tests.runner.context import RUN
from contract_tests.runner.pytest_plugin import row_of

LONGEST: Final = 600


@pytest.fixture(scope="session")
def client(request: pytest.FixtureRequest) -> Iterator[ClientTrials]:
    """Start the judged client, and play with it what the rules ask for."""
    run = request.config.stash[RUN]
    ReferenceCycles(run.contract).refuse()
    judged = {row.operation for row in map(row_of, request.session.items) if row and row.rule.side is Side.CLIENT}
    book = CaseBook(run.contract, run.generator)
    with open_client(choose_client(run.options), book, run.coverage, judged) as client:
        run.secrets.add(client.session.key)
        run.documented |= client.documented()
        yield client


@pytest.fixture
def trials(client: ClientTrials, operation: Operation) -> Trials:
    """Return what is played with the operation of this row."""
    return client.of(operation)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Forget what was played with an operation once its last row is judged: of all operations it is gigabytes."""
    trials, following = getattr(item, "funcargs", {}).get("trials"), row_of(nextitem) if nextitem else None
    if isinstance(trials, Trials) and (following is None or following.operation != trials.operation.id):
        trials.client.forget(trials.operation)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have violations reported with a command; what drawn data has shown, with the smallest such data."""
    try:
        return (yield)
    except Violations as violations:
        found = [_reported(pyfuncitem, violation) for violation in violations.found]
    raise Violations(found)


def _reported(test: pytest.Function, violation: Violation) -> Violation:
    run, trials = test.config.stash[RUN], test.funcargs.get("trials")
    told = with_command(violation, test.obj, run.options, run.secrets)
    data = smallest_data(test.obj, trials, violation) if isinstance(trials, Trials) else None
    if data is None:
        return told
    return replace(told, received=f"{told.received}; smallest: {shown(run.secrets.mask(data), LONGEST)}")
