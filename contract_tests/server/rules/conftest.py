"""Fixtures of the server side."""

import shlex
from collections.abc import Callable, Generator
from contextlib import suppress
from inspect import signature
from typing import Any, Final

import pytest

from contract_tests.budget import QUICK
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.outcomes import Row
from contract_tests.rules import NotApplicable, NotExercised, Side, Violation, Violations, first_of_each
from contract_tests.runner.context import Run
from contract_tests.server.conversations import Conversations
from contract_tests.server.models.execution import Execution
from contract_tests.server.once_per_run import OncePerRun
from contract_tests.server.relations.marked_runs import MarkedRuns
from contract_tests.server.relations.open_runs import OpenRuns
from contract_tests.server.relations.run_crowd import RunCrowd
from contract_tests.server.relations.run_lists import RunLists
from contract_tests.server.relations.run_story import RunStory
from contract_tests.server.relations.runs_in_a_row import RunsInARow
from contract_tests.server.relations.workflow_history import WorkflowHistory
from contract_tests.server.reproducing import from_the_start
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.shares import may_be_sent
from contract_tests.server.smallest_sequence import with_fewest_steps
from contract_tests.server.traffic import Traffic
from contract_tests.server.workflow_scenarios import WorkflowScenarios

Player = Conversations | ExecutionScenarios
PLAYERS: Final[dict[str, Callable[..., Player]]] = {"interactly": Conversations, "promptlayer": ExecutionScenarios}


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have what a drawn sequence has shown told with the fewest steps, and what is about a run from its start."""
    given: dict[str, Any] = pyfuncitem.funcargs
    try:
        return (yield)
    except Violation as violation:
        raise from_the_start(violation, given["server"].watch.exchanges) from None
    except Violations as violations:
        run, row, player = given["run"], given["row"], given["server"].player
        exchanges, found = given["server"].watch.exchanges, violations.all or violations.found

        def check(fixtures: dict[str, Any]) -> None:
            named = {name: given[name] for name in signature(pyfuncitem.obj).parameters}
            pyfuncitem.obj(**named | {name: value for name, value in fixtures.items() if name in named})

        told = first_of_each(run.folding.left(row.rule, row.place, found))
        if player is not None:
            command = shlex.join(run.options.command_for(row.rule.id, Side.SERVER, row.target))
            told = list(with_fewest_steps(told, row, check, player, command))
        smaller = [from_the_start(one, exchanges) for one in told]
    raise Violations(smaller, [*smaller, *found])


@pytest.fixture
def server(run: Run, row: Row, request: pytest.FixtureRequest) -> ServerUnderTest:
    """Return the server that this row is about; of few requests, a part is for this row and those before."""
    found = run.live.server(run.target(row))
    found.wire.may_be_sent = may_be_sent(found.target, row, request.path.stem)
    return found


@pytest.fixture(scope="session")
def all_traffic() -> dict[ServerUnderTest, Traffic]:
    """Keep generated traffic, so that every property judges the same requests, sent once."""
    return {}


@pytest.fixture
def traffic(
    run: Run,
    row: Row,
    server: ServerUnderTest,
    all_traffic: dict[ServerUnderTest, Traffic],
    once_per_run: OncePerRun,
) -> Traffic:
    """Return the generated traffic of this target, and after it what is drawn for the rules of its chapters."""
    if server not in all_traffic:
        player: Player | None = (
            once_per_run(PLAYERS[row.service], server, run.options) if row.service in PLAYERS else None
        )
        operations = [one for one in run.contract.operations if one.service == row.service]
        all_traffic[server] = Traffic(
            server, run.generator.of(server.contract), operations, run.options, player.play if player else tuple
        )
    return all_traffic[server]


@pytest.fixture
def found(row: Row, operation: Operation, server: ServerUnderTest, traffic: Traffic) -> Callable[[], list[Violation]]:
    """Return what sends the traffic, and returns what others have found for the rule of this row."""

    def play() -> list[Violation]:
        traffic.play(operation)
        return server.watch.found(row.rule.id, operation.id)

    return play


@pytest.fixture(scope="session")
def once_per_run() -> OncePerRun:
    """Return what makes things about a target once."""
    return OncePerRun()


@pytest.fixture
def conversations(server: ServerUnderTest, options: Options, once_per_run: OncePerRun) -> Conversations:
    """Return the runs of this target."""
    return once_per_run(Conversations, server, options)


@pytest.fixture
def scenarios(server: ServerUnderTest, options: Options, once_per_run: OncePerRun) -> ExecutionScenarios:
    """Return the executions of this target."""
    return once_per_run(ExecutionScenarios, server, options)


@pytest.fixture
def workflows(server: ServerUnderTest, options: Options, once_per_run: OncePerRun) -> WorkflowScenarios:
    """Return what is played with the workflows of this target."""
    return once_per_run(WorkflowScenarios, server, options)


@pytest.fixture
def history(server: ServerUnderTest, options: Options, once_per_run: OncePerRun) -> WorkflowHistory:
    """Return what is written to two workflows of this target, and read of them."""
    return once_per_run(WorkflowHistory, server, options)


@pytest.fixture
def marked_runs(server: ServerUnderTest, options: Options, once_per_run: OncePerRun) -> MarkedRuns:
    """Return runs of this target in flight together."""
    return once_per_run(MarkedRuns, server, options.seed, is_quick=options.budget.name == QUICK)


@pytest.fixture
def runs_in_a_row(marked_runs: MarkedRuns, once_per_run: OncePerRun) -> RunsInARow:
    """Return runs of this target one after the other."""
    return once_per_run(RunsInARow, marked_runs)


@pytest.fixture
def open_runs(server: ServerUnderTest, once_per_run: OncePerRun) -> OpenRuns:
    """Return runs of this target that are open side by side."""
    _check_is_read(server)
    return once_per_run(OpenRuns, server)


@pytest.fixture
def story(server: ServerUnderTest, once_per_run: OncePerRun) -> RunStory:
    """Return what was played with a few runs of this target."""
    _check_is_read(server)
    return once_per_run(RunStory, server)


@pytest.fixture
def crowd(server: ServerUnderTest, once_per_run: OncePerRun) -> RunCrowd:
    """Return what was played with many runs of this target at once."""
    _check_is_read(server)
    return once_per_run(RunCrowd, server)


def _check_is_read(server: ServerUnderTest) -> None:
    if all(operation.id != "getWorkflowRun" for operation in server.wire.contract.operations):
        raise NotApplicable("the contract has no getWorkflowRun, by which a run is looked at")


@pytest.fixture
def run_lists(server: ServerUnderTest, once_per_run: OncePerRun) -> RunLists:
    """Return lists of this target's runs."""
    return once_per_run(RunLists, server)


@pytest.fixture
def executions(scenarios: ExecutionScenarios) -> list[Execution]:
    """Return every execution that was played, some of them watched to their ends; the same ones for every rule."""
    scenarios.plain, scenarios.drawn  # noqa: B018 - reading them is what plays them
    return scenarios.executions


@pytest.fixture
def failing(scenarios: ExecutionScenarios) -> list[Execution]:
    """Return every execution that was played, one whose output nodes fail among them if the target can be asked."""
    with suppress(NotExercised):
        scenarios.failing  # noqa: B018 - reading it is what plays it
    return scenarios.executions
