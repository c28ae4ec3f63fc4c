"""Fixtures of the client side."""

from collections.abc import Generator, Iterator

import pytest

from contract_tests.cases.case_book import CaseBook
from contract_tests.client.findings import Findings
from contract_tests.client.selection import choose_client
from contract_tests.client.session import ClientSession
from contract_tests.client.shrinking import with_smallest_data
from contract_tests.client.subject import Subject
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import RecordingServer
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.outcomes import Row
from contract_tests.rules import Violations
from contract_tests.runner.context import RUN, Run


@pytest.fixture(scope="session")
def trials(request: pytest.FixtureRequest) -> Iterator[Trials]:
    """Start the judged client, and play with it what the rules ask for."""
    run = request.config.stash[RUN]
    ReferenceCycles(run.contract).refuse()
    book = CaseBook(run.contract, run.generator)
    with Subject(choose_client(run.options)) as subject, RecordingServer() as server:
        stage = ClientSession(book.outgoing, subject, server)
        run.secrets.add(stage.key)
        yield Trials(book, stage, run.coverage)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have what drawn data has shown told with the smallest such data."""
    try:
        return (yield)
    except Violations as violations:
        found = list(with_smallest_data(pyfuncitem.obj, pyfuncitem.funcargs, violations.found))
    raise Violations(found)


@pytest.fixture
def findings(run: Run, row: Row) -> Findings:
    """Return what makes the violations of this row."""
    return Findings(row.rule.id, run.options, run.secrets)
