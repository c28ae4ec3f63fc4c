"""
Runs rules under pytest: one test for each row, fixtures for every side, and a verdict from whatever a check does.

The hooks and fixtures of ``contract_tests/conftest.py``. The run stands in the stash of pytest's configuration before
the first row is collected: the command line puts it there, and for ``pytest contract_tests`` it is made here.
"""

from collections.abc import Generator as Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_tests.budget import Budget
from contract_tests.cases.generation import Generator
from contract_tests.cases.time_limit import OutOfTime, time_limit
from contract_tests.openapi.document import Contract, Operation
from contract_tests.options import Options
from contract_tests.outcomes import Outcome, Row, rows_of
from contract_tests.registry import is_chapter, title_of
from contract_tests.report.printing import failure
from contract_tests.rules import (
    NotApplicable,
    NotExercised,
    SetUpError,
    Side,
    Verdict,
    Violation,
    Violations,
    rule_of,
)
from contract_tests.runner.context import RUN, Run
from contract_tests.runner.under_pytest import UnderPytest
from contract_tests.server.shares import has_few_requests, place_in_family

PACKAGE = Path(__file__).parents[1]
FOLDERS = {PACKAGE, *(PACKAGE / side for side in Side), *(PACKAGE / side / "rules" for side in Side)}


def pytest_configure(config: pytest.Config) -> None:
    """Make a run where the command line of the harness has made none."""
    if RUN not in config.stash:
        verdicts = UnderPytest()
        config.stash[RUN] = verdicts.run
        config.pluginmanager.register(verdicts)
        config.add_cleanup(verdicts.run.resources.close)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Look into the folders of rules only."""
    if collection_path.is_dir():
        return None if collection_path in FOLDERS else True
    return None if is_chapter(collection_path) else True


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect a chapter, whatever the user's own configuration says that a file of tests is called."""
    return pytest.Module.from_parent(parent, path=file_path) if is_chapter(file_path) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each row of a rule."""
    rule = rule_of(metafunc.function)
    run = metafunc.config.stash[RUN]
    rows = rows_of(rule, run.contract, run.options, run.served) if rule else []
    metafunc.parametrize("row", rows, indirect=True, ids=lambda row: f"{row.id} {row.target}".strip())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out rules without rows; tests of others stay where they are, before the rows."""
    others = [item for item in items if not item.path.is_relative_to(PACKAGE)]
    items[:] = others + sorted((item for item in items if row_of(item) is not None), key=_place)
    _refuse_twins(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count what is left, once ``-k`` has taken out what it does, for a budget in seconds; put it in turn."""
    if RUN in session.config.stash:  # else the arguments could not be read
        session.items[:] = _in_turn(session.items, session.config.stash[RUN])
        budget = session.config.stash[RUN].options.budget
        budget.rows_left = sum(row_of(item) is not None for item in session.items)
        budget.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Judge a row before anything is set up, where it can't concern the contract or no time is left."""
    row = row_of(item)
    if row is not None and row.unknown_operation:
        raise NotApplicable(f"the contract has no operation {row.operation}")
    if item.config.stash[RUN].options.budget.left <= 0:
        raise NotExercised(_no_time(item.config.stash[RUN].options.budget))
    with _within_time(item):
        return (yield)


@contextmanager
def _within_time(item: pytest.Item) -> Iterator[None]:
    budget, row = item.config.stash[RUN].options.budget, row_of(item)
    # A server or a client that is left in the midst of something would answer the next row with the rest of it.
    limit = budget.row_limit(can_be_cut=row is not None and row.rule.side is Side.SPEC)
    with time_limit(limit, _no_time(budget) if budget.seconds else f"it took more than {limit or 0:g} s"):
        yield


def _no_time(budget: Budget) -> str:
    return f"no time was left of the budget of {budget.seconds:g} s"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None, object, object]:
    """End a row for which no time is left; before a verdict is believed, see whether its target is still itself."""
    row = row_of(item)
    try:
        with _within_time(item):
            result = yield
    except Exception as raised:
        _confirm(item.config.stash[RUN], row, raised)
        raise
    _confirm(item.config.stash[RUN], row, None)
    return result


def _confirm(run: Run, row: Row | None, raised: Exception | None) -> None:
    server = run.live.opened(row.target, row.service) if row is not None else None
    if row is not None and server is not None:
        is_violation = bool(run.folding.left(row.rule, row.place, _violations(raised)))
        server.health.confirm(unproven=raised is None or is_violation, anyway=is_violation)


def _violations(raised: BaseException | None) -> list[Violation]:
    if isinstance(raised, Violations):
        return raised.all or raised.found
    return [raised] if isinstance(raised, Violation) else []


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Count a row as judged."""
    item.config.stash[RUN].options.budget.rows_left -= 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what a check did into an outcome, and carry it in the report."""
    report = yield
    outcome = outcome_of(item, call)
    if outcome is not None:
        report.user_properties.append(("outcome", outcome.to_data()))
    if isinstance(call.excinfo and call.excinfo.value, SetUpError):
        item.session.shouldstop = "set-up"
    return report


def row_of(item: pytest.Item) -> Row | None:
    """Return the row that a test was made for."""
    callspec = getattr(item, "callspec", None)
    row = callspec.params.get("row") if callspec else None
    return row if isinstance(row, Row) else None


def chapter_of(item: pytest.Item) -> str:
    """Return the title of the chapter: the first line of its module's docstring."""
    return title_of(item.path)


def outcome_of(item: pytest.Item, call: pytest.CallInfo[None]) -> Outcome | None:
    """Return the verdict of a finished phase of a test; None if the phase says nothing yet."""
    row = row_of(item)
    raised = call.excinfo.value if call.excinfo else None
    if row is None or (raised is None and call.when != "call"):
        return None
    if place := item.config.stash[RUN].documented.get(row.rule.id):
        row = replace(row, rule=row.rule.documented_at(place))
    found = _violations(raised)
    if not found:
        return Outcome(row.rule, row.operation, row.service, row.target, chapter_of(item), *_verdict(raised))
    run = item.config.stash[RUN]
    outcome = run.folding.outcome(row, chapter_of(item), found)
    server = run.live.opened(row.target, row.service) if row.rule.side is Side.SERVER else None
    if outcome.verdict is Verdict.PASS or outcome.found_after is not None or server is None:
        return outcome
    return replace(outcome, found_after=server.wire.sent)


def _verdict(raised: BaseException | None) -> tuple[Verdict, str, str]:
    if raised is None:
        return Verdict.PASS, "", ""
    if isinstance(raised, NotApplicable):
        return Verdict.NOT_APPLICABLE, str(raised), ""
    if isinstance(raised, NotExercised | OutOfTime):
        return Verdict.NOT_EXERCISED, str(raised), ""
    if isinstance(raised, KeyboardInterrupt):
        return Verdict.NOT_EXERCISED, "interrupted", ""
    if isinstance(raised, SetUpError):
        return Verdict.NOT_EXERCISED, "the run stopped here", str(raised)
    return Verdict.NOT_EXERCISED, "the harness failed", failure(raised)


def _place(item: pytest.Item) -> tuple[int, bool]:
    # On the server side rules come first: what a rule can name is found within the first requests, and reported by it.
    row = row_of(item)
    assert row is not None
    return list(Side).index(row.rule.side), row.rule.side is Side.SERVER and row.rule.is_property


def _in_turn(items: Sequence[pytest.Item], run: Run) -> list[pytest.Item]:
    """
    Return rows as they are judged.

    A client's come operation by operation, so that what was played can be forgotten; those of a target of few requests
    by worth.
    """
    number = {operation.id: index for index, operation in enumerate(run.contract.operations)}
    few = {(target.name, target.service) for target in run.targets if has_few_requests(target)}

    def turn(item: pytest.Item) -> tuple[int, int, int, int]:
        row = row_of(item)
        if row is None:
            return -1, 0, 0, 0
        side = list(Side).index(row.rule.side)
        if row.rule.side is Side.CLIENT:
            return side, number.get(row.operation, -1), 0, 0
        is_few = row.rule.side is Side.SERVER and (row.target, row.service) in few
        return side, int(not is_few), *(place_in_family(row, item.path.stem) if is_few else (0, 0))

    return sorted(items, key=turn)


def _refuse_twins(items: Sequence[pytest.Item]) -> None:
    seen: dict[str, Any] = {}
    for item in items:
        row = row_of(item)
        if row is not None and seen.setdefault(row.rule.id, row.rule) != row.rule:
            raise SetUpError(f"two rules have the id {row.rule.id}")


@pytest.fixture(autouse=True)
def row(request: pytest.FixtureRequest) -> Row:
    """Return the row under judgement."""
    found = request.param
    assert isinstance(found, Row)
    return found


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Return what all rows share."""
    return request.config.stash[RUN]


@pytest.fixture
def contract(run: Run) -> Contract:
    """Return the contract under judgement."""
    return run.contract


@pytest.fixture
def operation(run: Run, row: Row) -> Operation:
    """Return the operation that this row is about."""
    return run.contract.operation(row.operation)


@pytest.fixture
def options(run: Run) -> Options:
    """Return what the command line asked for."""
    return run.options


@pytest.fixture
def generator(run: Run) -> Generator:
    """Return the source of generated data."""
    return run.generator
