"""Interactly: read and list workflow runs."""

from contextlib import suppress
from functools import partial
from typing import Any, Final

from contract_tests.rules import NotExercised
from contract_tests.rules import rule as card
from contract_tests.server.models.conversation import run_id_of
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations.run_lists import RunLists, ids_of
from contract_tests.server.server import ServerUnderTest

PAGES: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-runs"
EXECUTE: Final = "https://docs-qa.interactly.ai/api-reference/workflows/workflow-execution/execute-workflow"
NO_SUCH_RUN: Final = "f" * 24
MEMBERS: Final = {"a": set[str](), "b": {"run_id", "turn_number"}}  # of a response, by form, those that tell it
rule: Final = partial(card, basis="documented", side="server", service="interactly")
read_rule: Final = partial(rule, source=f"{PAGES}/get-workflow-run", operations=["getWorkflowRun"])
list_rule: Final = partial(rule, source=f"{PAGES}/get-workflow-runs", operations=["listWorkflowRuns"])


@read_rule(
    "IA-GET-01",
    "A run that was started can be read, and is what the start said.",
    says="The run is read by its database id, in the record that the service keeps of it.",
)
def test_started_run_is_read(server: ServerUnderTest) -> None:
    run_id = _started(server)
    read = _read(server, run_id).must_succeed()
    record = read.must_have("workflow_run", dict)
    run = record.get("workflow_run")
    read.expect(record.get("_id") in {None, run_id}, "member _id")
    read.expect(isinstance(run, dict), "member workflow_run")
    read.expect(run.get("workflow_run_id") in {None, run_id}, "member workflow_run_id")
    read.expect(run.get("workflow_id") in {None, server.target.workflow}, "member workflow_id")


@read_rule(
    "IA-GET-02",
    "An unknown run is answered 404, also one whose id has a single other digit than that of a known run.",
    says="404 means that the run does not exist or the key may not see it.",
    requests=5,
)
def test_unknown_run(server: ServerUnderTest) -> None:
    server.must_refuse(_read(server, NO_SUCH_RUN), 404)
    with suppress(NotExercised):
        run_id = _started(server)
        for at in (0, len(run_id) // 2, len(run_id) - 1):  # the time of its start, who started it, which one of these
            near = run_id[:at] + ("0" if run_id[at] == "f" else "f") + run_id[at + 1 :]
            exchange = _read(server, near)
            is_another = near.encode() in exchange.reply  # where ids are counted on there may be a run of this one, too
            exchange.expect(not exchange.has_succeeded or is_another, "another id", f"{run_id} is read by {near}")


@list_rule(
    "IA-LST-01",
    "A run that was started is in the list of its workflow's runs.",
    says="The list has the runs, and can be narrowed to those of one workflow.",
)
def test_started_run_is_listed(server: ServerUnderTest, run_lists: RunLists) -> None:
    run_id = _started(server)
    page = run_lists.ask()
    listed = page.exchange.must_succeed()
    listed.must_have("workflow_runs", list)
    owners = {str((one.get("workflow_run") or {}).get("workflow_id")) for one in page.records}
    listed.expect(owners <= {server.target.workflow, "None"}, "member workflow_id", "a run of another workflow")
    is_whole = page.total is not None and page.total <= len(page.records)
    ids = page.ids if run_id in page.ids or is_whole else ids_of(run_lists.pages)
    listed.expect(run_id in ids, "member workflow_runs", f"the run {run_id}, which was started, is not there")


@list_rule(
    "IA-LST-02", "A page of runs has at most as many as were asked for.", says="size is the number of runs on a page."
)
def test_size_of_a_page(server: ServerUnderTest) -> None:
    _started(server)
    server.execute(server.start_body)
    first, second = (_list(server, size=1, page=page).must_succeed() for page in (1, 2))
    pages = [reply.must_have("workflow_runs", list) for reply in (first, second)]
    first.expect(len(pages[0]) == 1, "member workflow_runs", f"{len(pages[0])} runs")
    second.expect(len(pages[1]) <= 1, "member workflow_runs", f"{len(pages[1])} runs")


@list_rule("IA-LST-03", "A page and a size below 1 are refused.", says="page and size are integers from 1.")
def test_bounds_of_pages(server: ServerUnderTest) -> None:
    for name in ("page", "size"):
        server.must_refuse(_list(server, **{name: 0}), sound=lambda: _list(server))


@rule(
    "IA-EXE-81",
    "The response to an execute has the form of the request.",
    says="A run input by itself is answered with the whole run, a turn with run_id and turn_number.",
    source=EXECUTE,
    operations=["executeWorkflow"],
)
def test_form_of_the_response(server: ServerUnderTest) -> None:
    reply = server.once(server.KNOWN_GOOD, server.known_good_run).must_succeed()
    if not reply.is_object:
        raise NotExercised(f"the reply is no object: {reply.shown}")
    _expect_form(reply, server.target.generation)


@rule(
    "IA-EXE-84",
    "A command is answered in the form in which it is given, whichever form its run was started in.",
    says="The form of the request decides that of the response, also where the run is known from before. Seen where "
    "the service starts runs in both forms.",
    source=f"{EXECUTE}; its newer form",
    operations=["executeWorkflow"],
    requests=4,
)
def test_form_of_a_command(server: ServerUnderTest) -> None:
    forms = {server.other_generation: server.target.generation, server.target.generation: server.other_generation}
    for of_start, of_command in forms.items():
        started = server.execute(server.body_of(server.start_input, generation=of_start))
        id_ = run_id_of(started)
        if id_ is None or _members(started) != MEMBERS[of_start]:
            raise NotExercised(f"no run is started in form {of_start}: {started.shown}")
        stop = {"command": "stop", "run_by": server.tag}
        reply = server.execute(server.body_of(stop, id_, of_command))
        if reply.has_succeeded:
            _expect_form(reply, of_command)


def _members(reply: Exchange) -> set[str]:
    return {"run_id", "turn_number"} & reply.result.keys()


def _expect_form(reply: Exchange, generation: str) -> None:
    reply.expect(_members(reply) == MEMBERS[generation], "form", f"with {sorted(_members(reply))}")


def _started(server: ServerUnderTest) -> str:
    reply = server.once(server.KNOWN_GOOD, server.known_good_run)
    name = "workflow_run_id" if server.target.generation == "a" else "run_id"
    found = reply.result.get(name)
    if not isinstance(found, str):
        raise NotExercised(f"no run could be started: {reply.shown}")
    return found


def _read(server: ServerUnderTest, run_id: str) -> Exchange:
    return server.call("getWorkflowRun", path={"workflow_run_id": run_id})


def _list(server: ServerUnderTest, **query: Any) -> Exchange:
    return server.call("listWorkflowRuns", query=query)
