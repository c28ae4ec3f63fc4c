"""Interactly: runs beside a model of them, one after the other and many at once."""

from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import Checks, NotApplicable
from contract_tests.rules import rule as card
from contract_tests.server.relations.judged_turns import Topic
from contract_tests.server.relations.run_crowd import RunCrowd
from contract_tests.server.relations.run_crowd import Topic as Many
from contract_tests.server.relations.run_story import RunStory

PAGES: Final = "https://docs-qa.interactly.ai/api-reference/workflows"
EXECUTE: Final = f"{PAGES}/workflow-execution/execute-workflow"
READ: Final = f"{PAGES}/workflow-runs/get-workflow-run"
LIST: Final = f"{PAGES}/workflow-runs/get-workflow-runs"
REFUSED: Final = "https://www.rfc-editor.org/rfc/rfc9110#section-15.5"
LIBRARY: Final = "github.com/interactly-ai/workflow-sdk 0.2.0"
HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"
TURNS: Final = "the target serves the form without turns"
card_of: Final = partial(
    card, basis="documented", side="server", service="interactly", otherwise="no response has shown it"
)
rule: Final = partial(
    card_of, source=EXECUTE, operations=["executeWorkflow"], requests=RunStory.requests + RunCrowd.requests
)


@pytest.fixture
def turns(story: RunStory) -> RunStory:
    """Return it, if the target serves the form with turns."""
    if not story.has_turns:
        raise NotApplicable(TURNS)
    return story


@rule(
    "REL-STORY-01",
    "A run has the version that it was started with, whatever version later commands ask for.",
    says="version picks the version to execute, in either form; version_number of a run says which one it is. Later "
    "turns keep the version of the first one.",
    source=f"{EXECUTE}; its newer form",
    operations=["getWorkflowRun"],
)
def test_run_has_its_version(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.VERSION, operation)


@rule(
    "REL-STORY-02",
    "A run that was paused and taken up again ends without termination_source, as any other.",
    says="termination_source names what ended a run that failed; after a normal end it is null.",
    operations=["getWorkflowRun"],
)
def test_end_after_a_pause_is_normal(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.END, operation)


@rule(
    "REL-STORY-03",
    "Nothing of a run is seen in one that was given something else, or nothing.",
    says="Variables, further data and run_by of a run are its own, in either form. A run that is given none has none.",
    operations=["executeWorkflow", "getWorkflowRun"],
)
def test_runs_do_not_mix(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.OWN, operation)


@rule(
    "REL-STORY-04",
    "Turns are counted on, whatever commands come between.",
    says="turn_number is the number of the turn in its run, counted from 1: it rises with data, and never falls.",
)
def test_turns_are_counted_on(turns: RunStory, operation: Operation) -> Checks:
    return turns.checks(Topic.TURNS, operation)


@rule(
    "REL-STORY-05",
    "Of commands for a run that come at once each is a turn of its own, or is refused.",
    says="A turn has its number, and a pair is one stretch of execution: two commands are not both the same one.",
)
def test_commands_at_once_are_turns(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.AT_ONCE, operation)


@rule(
    "REL-STORY-06",
    "A run that waits takes data, whether or not another run is paused.",
    says="A command is for the run that it names. Seen where any waiting run has taken data.",
)
def test_pause_is_for_one_run(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.TAKEN, operation)


@rule(
    "REL-STORY-07",
    "A body in chunks is read, or refused.",
    says="A recipient must be able to parse the chunked transfer coding; what is taken is taken with what is in it.",
    source=HTTP,
)
def test_body_in_chunks_is_read(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.CHUNKS, operation)


@rule(
    "REL-STORY-08",
    "What a run shows of its input, when it is read too, is what was given.",
    says="run_input of a pair is the input as the service keeps it. Any JSON may be a variable.",
    basis="inferred",
    operations=["executeWorkflow", "getWorkflowRun"],
)
def test_input_is_shown_whole(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.SHOWN, operation)


@rule(
    "REL-STORY-09",
    "The events of a turn are its own.",
    says="events is what has happened in this turn, in order. Seen where the run that is read then shows them as those "
    "of all its stretches of execution.",
    source=f"{EXECUTE} (newer form); {LIBRARY}",
)
def test_events_are_of_the_turn(turns: RunStory, operation: Operation) -> Checks:
    return turns.checks(Topic.EVENTS, operation)


@rule(
    "REL-STORY-10",
    "is_waiting_for_input goes with the status.",
    says="It is true of a run that is waiting_for_user_input, and not of one that is paused.",
    basis="inferred",
)
def test_waiting_goes_with_the_status(turns: RunStory, operation: Operation) -> Checks:
    return turns.checks(Topic.FLAGS, operation)


@rule(
    "REL-STORY-11",
    "A status leaves the runs that are in it now, with another filter beside it too.",
    says="status leaves only runs in this status, which is that after the latest command.",
    source=LIST,
    operations=["listWorkflowRuns"],
)
def test_status_filter_follows_commands(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.LISTED, operation)


@rule(
    "REL-STORY-12",
    "A command for a run is refused under the path of a workflow that does not exist.",
    says="The vendor's library expects 404 for a workflow that does not exist, and a run belongs to the one it is of.",
    source="github.com/interactly-ai/workflow-sdk 0.2.0, its tests",
)
def test_path_counts_for_commands(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.PATH, operation)


@rule(
    "REL-STORY-13",
    "pause that is taken makes a run paused, stop makes it cancelled, and resume ends a pause, in either form.",
    says="The commands are named after the statuses. That one leads to the other is said of stop alone.",
    basis="inferred",
)
def test_commands_lead_to_their_status(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.COMMANDS, operation)


@rule(
    "REL-STORY-14",
    "updated_at goes on with a command that was taken.",
    says="It says when the run was changed last. Seen where it is told to more than a second.",
    source=READ,
    basis="inferred",
    operations=["getWorkflowRun"],
)
def test_change_has_its_time(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.CHANGED, operation)


@rule(
    "REL-STORY-15",
    "What was said in a run stays in it at its place, when it is read too.",
    says="input_output_pairs has one pair for each contiguous stretch of execution, that of the first turn at its "
    "beginning: what was given then is in it, and what has happened, to which more may come.",
    source=f"{EXECUTE}; {LIBRARY}, its guide to runs",
    operations=["executeWorkflow", "getWorkflowRun"],
)
def test_what_was_said_stays(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.STAYS, operation)


@rule(
    "REL-STORY-16",
    "created_at is when the run was started.",
    says="Seen by the Date of the response to the start, where created_at has an offset.",
    source=READ,
    basis="inferred",
    operations=["getWorkflowRun"],
)
def test_start_has_its_time(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.TIMES, operation)


@rule(
    "REL-STORY-17",
    "A start with null where null is the default is taken as one without.",
    says="run_by and team_id are null by default, and the variables are empty.",
)
def test_null_is_as_absent(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.NULLS, operation)


@rule(
    "REL-STORY-18",
    "A run that is read is the one that was asked for.",
    says="A run is read by its database id. Of turns: no other one whose run_id is known.",
    source=READ,
    operations=["getWorkflowRun"],
)
def test_run_that_is_read_is_the_right_one(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.READ, operation)


@rule(
    "REL-STORY-19",
    "Runs that are started without a version all have the same.",
    says="Without version the active one is executed, whatever version others were started with.",
    operations=["getWorkflowRun"],
)
def test_active_version_runs(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.ACTIVE, operation)


@rule(
    "REL-STORY-20",
    "Turns of one number are one turn.",
    says="turn_number is the number of this turn, events is what has happened in it: of a number that was told before "
    "these are the same, or go on. Whether a pause is a turn no page says.",
    source=f"{EXECUTE} (newer form); {LIBRARY}",
)
def test_number_is_of_one_turn(turns: RunStory, operation: Operation) -> Checks:
    return turns.checks(Topic.NUMBERS, operation)


@rule(
    "REL-STORY-21",
    "A refused command is no change of a run.",
    says="What is refused with a 4xx was not carried out: the run and its record are as they were. What has changed "
    "may have done so by itself, so it has to change by refused commands once more.",
    source=REFUSED,
    operations=["getWorkflowRun"],
)
def test_refused_command_is_no_change(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.REFUSED, operation)


@rule(
    "REL-STORY-22",
    "What is said to several threads is kept of each, whichever comes first.",
    says="thread_to_node_inputs has inputs by thread id, and the names of an object are in no order. Seen where a run "
    "shows them, and another one shows the thread.",
    operations=["executeWorkflow", "getWorkflowRun"],
)
def test_threads_are_kept(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.THREADS, operation)


@rule(
    "REL-STORY-23",
    "A refused command is no turn.",
    says="What is refused with a 4xx was not carried out: turn_number goes on as it does where none was refused.",
    source=REFUSED,
)
def test_refused_command_is_no_turn(turns: RunStory, operation: Operation) -> Checks:
    return turns.checks(Topic.COUNTED, operation)


@rule(
    "REL-STORY-24",
    "Without a command it is start.",
    says="command is start by default, and without the id of a run a new one is started, whatever input there is for "
    "its nodes. With the id of a run it is what start is for this run.",
)
def test_command_is_start_by_default(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.DEFAULTS, operation)


@rule(
    "REL-STORY-25",
    "A variable fills the placeholders of its own kind alone.",
    says="dynamic_variables are for placeholders in double braces, runtime_variables for those in double brackets. "
    "Seen where the text of another run has the placeholder, or what fills it.",
)
def test_variables_fill_their_own_kind(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.KINDS, operation)


@rule(
    "REL-STORY-26",
    "What is said to a thread comes out under it, where it comes out at all.",
    says="thread_to_node_outputs has the outputs of the nodes of each thread, by thread id. Seen where an output has "
    "the text that was said: a thread must not put out another's, and nothing of its own.",
    operations=["executeWorkflow", "getWorkflowRun"],
)
def test_threads_put_out_their_own(story: RunStory, operation: Operation) -> Checks:
    return story.checks(Topic.OUTPUTS, operation)


@rule(
    "REL-CROWD-01",
    "Runs that are started at once are runs of their own.",
    says="Without the id of a run every call starts a new one.",
)
def test_starts_at_once_are_runs(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Many.STARTED, operation)


@rule(
    "REL-CROWD-02",
    "Commands for several runs at once are each carried out on their own run.",
    says="A command is for the run that it names, and the list shows how each run stands.",
    source=f"{EXECUTE}; {LIST}",
    operations=["executeWorkflow", "listWorkflowRuns"],
)
def test_commands_at_once_are_kept(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Many.COMMANDED, operation)


@rule(
    "REL-CROWD-03",
    "Runs that were stopped leave room for others.",
    says="Limited is the number of runs at a time. That nothing else limits how many are started no page says.",
    basis="inferred",
)
def test_stopped_runs_leave_room(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Many.ROOM, operation)


@rule(
    "REL-CROWD-04",
    "The whole list has every run, and short pages of a filtered list are full as long as there are more.",
    says="The list has the runs, in whatever status. size is the number of runs on a page of those that the filters "
    "leave.",
    source=LIST,
    operations=["listWorkflowRuns"],
)
def test_pages_of_a_filtered_list_are_full(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Many.LISTED, operation)


@rule(
    "REL-CROWD-05",
    "Nothing of a run is seen in one that was started at the same time.",
    says="Variables, further data and run_by of a run are its own.",
)
def test_starts_at_once_do_not_mix(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Topic.OWN, operation)


@rule(
    "REL-CROWD-06",
    "A start that is refused starts nothing.",
    says="What is refused with a 4xx was not carried out. Seen where created_by tells runs of this session.",
    source=REFUSED,
    operations=["listWorkflowRuns"],
)
def test_refused_start_starts_nothing(crowd: RunCrowd, operation: Operation) -> Checks:
    return crowd.checks(Many.REFUSED, operation)
