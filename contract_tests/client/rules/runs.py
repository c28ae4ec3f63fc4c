"""Runs: a run's whole life as its caller has it, from the start by way of questions to the end."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final

from contract_tests.client.cards import operation_rule
from contract_tests.client.followed_runs import SERVER_ERROR, final_failures
from contract_tests.client.outcome import Raised, Value, describe
from contract_tests.client.rules.network import CLOCK_ERROR, RETRY_AFTER
from contract_tests.client.run_stories import (
    ASKED_WAIT,
    DEADLINE,
    RunTrial,
    at_once,
    followed,
    main_outputs,
    play_story,
    stories,
)
from contract_tests.client.trials import Trials
from contract_tests.openapi.json_text import canonical
from contract_tests.rules import NotApplicable, Violation

RESULTS: Final = "https://docs.promptlayer.com/reference/workflow-version-execution-results"
MAIN_OUTPUT: Final = "https://docs.promptlayer.com/why-promptlayer/workflows"
OWN: Final = "the client's own documentation of waiting"
# A last question may be on its way, and the machine busy.
SLACK: Final = 5.0
MOST_QUESTIONS: Final = 20  # within `DEADLINE`
FEW, SHORTEST = 2, 0.02  # seconds: a pause, but for a few
AT_ONCE: Final = 3.0  # seconds, on a busy machine; the pause that is asked for is twice as long
INTERRUPTS: Final = {"sync": "KeyboardInterrupt", "async": "CancelledError"}
ON_ITS_WAY: Final = 0.3  # seconds, for a question that was sent before
rule: Final = partial(operation_rule, source=OWN, basis="inferred")


def of_kind(trials: Trials, *kinds: str) -> Iterator[RunTrial]:
    """Return the stories of some kinds."""
    return (trial for trial in stories(trials) if trial.case.kind in kinds)


def _is_own_error(trial: RunTrial) -> bool:
    return isinstance(trial.outcome, Raised) and trial.outcome.own


def _has_outcome(trial: RunTrial) -> bool:
    """Whether a wait has come to what the run was told to have produced."""
    outcome, story = trial.outcome, trial.case
    if not isinstance(outcome, Value) or outcome.foreign or not trial.runs:
        return False
    return canonical(outcome.json) == canonical(story.run.outcome_of(story.outcome, trial.runs[0]))


def _about(trial: RunTrial) -> str:
    return f"{trial.case.kind} {trial.case.name}"


@rule(
    "CL-RUN-01",
    "A run that is waited for is started once, whatever happens.",
    says="No fault of the start or of a question, no failure and no deadline makes the client start another run.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2",
    basis="documented",
)
def test_one_start(trials: Trials) -> Iterator[Violation]:
    if trials.operation.may_be_repeated:
        raise NotApplicable(f"{trials.operation.method} may be repeated")
    for trial in stories(trials):
        if len(trial.runs) > 1:
            yield trial.violation(_about(trial), f"{len(trial.runs)} starts", "1")


@rule(
    "CL-RUN-02",
    "What a wait returns is the outcome of the run that it has started.",
    says="Each question is about that run, in the form in which it was started. What is sent while it goes on is not "
    "its outcome, whatever it looks like; and null, false, 0 and empty ones are outcomes like any other.",
    source=RESULTS,
    basis="documented",
)
def test_outcomes(trials: Trials) -> Iterator[Violation]:
    for trial in stories(trials):
        strange = {asked for _, asked in trial.polls} - {str(run) for run in trial.runs}
        if strange and trial.runs:
            yield trial.violation(f"{_about(trial)} id", f"{sorted(strange)} is asked for", str(trial.runs[0]))
    for trial in of_kind(trials, "ends", "output"):
        is_slow = trial.seconds >= trial.case.deadline and len(trial.polls) <= len(trial.case.polls)
        if not (_has_outcome(trial) or (is_slow and _is_own_error(trial))):
            yield trial.violation(_about(trial), describe(trial.outcome), "what the service has told of the run")


@rule(
    "CL-RUN-03",
    "A question that gets no answer does not lose the run.",
    says="The run goes on meanwhile: the wait comes to its outcome, or ends in an error that says which run it is.",
)
def test_lost_questions(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "poll"):
        if not _has_outcome(trial):
            yield from _not_named(trial, _about(trial))


def _not_named(trial: RunTrial, about: str) -> Iterator[Violation]:
    """Return what an error lacks whose caller has to find a run again that was started."""
    outcome: Any = trial.outcome
    if not _is_own_error(trial):
        yield trial.violation(about, describe(outcome), "an error of the client's own")
        return
    if outcome.may_have_acted is False:
        yield trial.violation(f"{about} doubt", f"{outcome.type_name} says that there is no run")
    told = [outcome.text, *map(str, outcome.facts.values())]
    if trial.runs and not any(str(trial.runs[0]) in text for text in told):
        yield trial.violation(f"{about} name", f"{outcome.type_name} does not say which run it is", "the run's id")


@rule(
    "CL-RUN-04",
    "A start without a response ends the wait.",
    says="Nobody can ask for a run whose id has not come: the client's own error says that there may be one.",
)
def test_lost_starts(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "start"):
        outcome: Any = trial.outcome
        if not _is_own_error(trial):
            yield trial.violation(_about(trial), describe(outcome), "an error of the client's own")
        elif outcome.may_have_acted is False and not trials.operation.may_be_repeated:
            yield trial.violation(f"{_about(trial)} doubt", f"{outcome.type_name} says that there is no run")
        if trial.polls:
            yield trial.violation(f"{_about(trial)} questions", f"{len(trial.polls)} questions about no run")


@rule(
    "CL-RUN-05",
    "A run that has failed is an error that says which run.",
    says="Failure is final: it is neither an outcome nor a reason to ask on until the deadline.",
    source=RESULTS,
    basis="documented",
)
def test_failures(trials: Trials) -> Iterator[Violation]:
    played = [*of_kind(trials, "fails")]
    if not played:
        raise NotApplicable("the contract has no response that says that a run has failed")
    for trial in played:
        yield from _not_named(trial, _about(trial))
        if trial.seconds >= trial.case.deadline:
            yield trial.violation(f"{_about(trial)} end", f"{len(trial.polls)} questions in {trial.seconds:.1f} s")


@rule(
    "CL-RUN-06",
    "A deadline is kept.",
    says="Whatever the service does, a wait ends near its deadline, not long before and not long after, in an error of "
    "the client's own that says which run goes on.",
    basis="documented",
)
def test_deadlines(trials: Trials) -> Iterator[Violation]:
    for first in of_kind(trials, "endless"):
        # What has taken so long among many waits at a time is the machine's fault unless it takes so long alone.
        trial = first if first.seconds < DEADLINE + SLACK else play_story(trials, first.case, first.mode)
        yield from _not_named(trial, _about(trial))
        is_early = trial.seconds < DEADLINE - CLOCK_ERROR and trial.case.name in {"no end", "silence"}
        if is_early or trial.seconds > DEADLINE + SLACK:
            yield trial.violation(f"{_about(trial)} time", f"{trial.seconds:.1f} s", f"{DEADLINE} s")


@rule(
    "CL-RUN-07",
    "A wait asks again when it is asked to.",
    says="Retry-After of a run that goes on, or of a refused question, says how long to wait at least.",
    source=RETRY_AFTER,
    basis="documented",
)
def test_pauses_that_are_asked_for(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "ends"):
        if not trial.case.name.startswith("Retry-After"):
            continue
        # What is answered with the header is the last question before the end.
        asked = [at for at, _ in trial.polls][len(trial.case.polls) - 2 : len(trial.case.polls)]
        if len(asked) > 1 and asked[1] - asked[0] < ASKED_WAIT - CLOCK_ERROR:
            yield trial.violation(trial.case.name, f"asked again after {asked[1] - asked[0]:.2f} s", f"{ASKED_WAIT} s")


@rule(
    "CL-RUN-08",
    "A wait does not ask without pauses.",
    says="A service whose run goes on is asked now and then.",
    source=RESULTS,
)
def test_no_tight_loop(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "endless"):
        spans = sorted(later - earlier for (earlier, _), (later, _) in pairwise(trial.polls))
        # A busy machine makes pauses longer: what is short of them tells.
        if len(spans) > MOST_QUESTIONS or (trial.case.name == "no end" and len(spans) > FEW and spans[FEW] < SHORTEST):
            yield trial.violation(_about(trial), f"{len(trial.polls)} questions, {spans[0]:.3f} s apart at least")


@rule(
    "CL-RUN-09",
    "A wait that is over asks no more.",
    says="After the outcome, a failure, the deadline, or once its task is cancelled nobody wants to know.",
)
def test_nothing_is_asked_afterwards(trials: Trials) -> Iterator[Violation]:
    for trial in stories(trials):
        late = [at for at, _ in trial.polls if at > trial.ended + ON_ITS_WAY]
        if late:
            yield trial.violation(_about(trial), f"{len(late)} questions after the end of the wait")
        ends = trial.case.kind == "ends" and _has_outcome(trial)
        if ends and len(trial.polls) > len(trial.case.polls):
            received = f"{len(trial.polls)} questions"
            yield trial.violation(
                f"{_about(trial)} questions", received, f"{len(trial.case.polls)}, the last one the end"
            )
    for trial in of_kind(trials, "refused"):
        if len(trial.polls) > 1:
            yield trial.violation(_about(trial), f"{len(trial.polls)} questions after a refusal", "1")


@rule(
    "CL-RUN-10",
    "A refused question is an error that says which run.",
    says="The key may have gone, or the results: the run was started all the same.",
)
def test_refused_questions(trials: Trials) -> Iterator[Violation]:
    for trial in of_kind(trials, "refused"):
        yield from _not_named(trial, _about(trial))


@rule(
    "CL-RUN-11",
    "Waits at the same time get each their own run.",
    says="Views of one client wait at once: each starts one run, asks for that alone and gets its outcome.",
    source="the client's own documentation of threads and tasks",
)
def test_waits_at_once(trials: Trials) -> Iterator[Violation]:
    stories(trials)  # or the reason why there is no waiting
    for trial in at_once(trials):
        asked = {run for _, run in trial.polls}
        if len(trial.runs) != 1 or asked != {str(trial.runs[0])}:
            yield trial.violation("at once", f"{len(trial.runs)} starts by a view, which asks for {len(asked)} runs")
        elif not _has_outcome(trial):
            yield trial.violation("at once outcome", describe(trial.outcome), "the outcome of its own run")


@rule(
    "CL-RUN-12",
    "The end of a run in failure is not asked for again.",
    says="Where 202 is that a run goes on, an error of the service's that is documented beside it is the run's end: "
    "asking again changes nothing. So it is for the word by which a run has failed.",
    source=RESULTS,
    basis="recorded",
)
def test_final_failures(trials: Trials) -> Iterator[Violation]:
    ends = final_failures(trials.operation)
    asked = [trial for trial in trials.faults() if trial.case.answers[0].status in ends] if ends else []
    waited = [*of_kind(trials, "fails")] if not ends else []
    if not (asked or waited):
        raise NotApplicable("the contract has no response that says that a run has failed")
    for trial in asked:
        if len(trial.seen) > 1:
            yield trial.violation(f"asked {trial.case.name}", f"{len(trial.seen)} requests", "1")
    for wait in waited:
        if len(wait.polls) > len(wait.case.polls):
            yield wait.violation(_about(wait), f"{len(wait.polls)} questions", f"{len(wait.case.polls)}")


@rule(
    "CL-RUN-13",
    "Who follows a wait is told of each question how it went.",
    says="Which run it is, how many questions there were, and of each whether it got an answer, whatever "
    "became of those before.",
    basis="documented",
)
def test_told_questions(trials: Trials) -> Iterator[Violation]:
    for trial in (one for one in followed(trials) if not one.case.end):
        heard, going = trial.told.get("heard", []), trial.case.polls[:-1]
        wanted = [answer.status >= SERVER_ERROR for answer in going]
        if [one["is_lost"] for one in heard] != wanted:
            told = ["no answer" if one["is_lost"] else "an answer" for one in heard]
            yield trial.violation("lost questions", f"told of {told}", f"question {wanted.index(True) + 1} alone lost")
        if [one["asked"] for one in heard] != [*range(1, len(going) + 1)]:
            yield trial.violation("questions", f"told of {[one['asked'] for one in heard]}, {len(going)} were asked")
        if any(str(one["run"]) != str(trial.runs[0]) for one in heard):
            yield trial.violation("run", "told of another run than was started")


@rule(
    "CL-RUN-14",
    "A wait that its caller stops ends at once.",
    says="Even in the middle of a pause, however long the service has asked for it, in an error that names the run.",
    basis="documented",
)
def test_stopped_waits(trials: Trials) -> Iterator[Violation]:
    for first in (one for one in followed(trials) if one.case.end == "stopped"):
        trial = first if first.seconds < AT_ONCE else play_story(trials, first.case, first.mode)
        yield from _not_named(trial, trial.case.name)
        if trial.seconds >= AT_ONCE or len(trial.polls) > 1:
            received = f"{len(trial.polls)} questions in {trial.seconds:.1f} s"
            yield trial.violation(f"{trial.case.name} end", received, "one question, and then the end")


@rule(
    "CL-RUN-15",
    "What interrupts a wait comes through and says which run goes on.",
    says="An exception of the caller's, an interrupt from the keyboard and the cancellation of a task are none of the "
    "client's errors; the run was started all the same, and who catches them must be able to find it.",
    basis="documented",
)
def test_interrupted_waits(trials: Trials) -> Iterator[Violation]:
    for trial in (one for one in followed(trials) if one.case.end in {"raised", "interrupted"}):
        outcome, about = trial.outcome, trial.case.name
        wanted = "CallerFailed" if about == "raised" else INTERRUPTS[trial.mode]
        if not (isinstance(outcome, Raised) and outcome.type_name == wanted):
            yield trial.violation(about, describe(outcome), wanted)
        elif str(trial.runs[0]) not in outcome.shown:
            yield trial.violation(f"{about} name", f"{wanted} without the run's id")
        if len(trial.polls) > 1:
            yield trial.violation(f"{about} questions", f"{len(trial.polls)} questions", "1")


@rule(
    "CL-RUN-16",
    "The main output of a run by all its nodes is that of the first output node that has succeeded.",
    says="Nodes are in the order in which the service lists them. Output nodes that have failed or were skipped are "
    "passed over, what is no output node is never one, and an output that is null is one like any other.",
    source=MAIN_OUTPUT,
    basis="documented",
)
def test_main_outputs(trials: Trials) -> Iterator[Violation]:
    for trial in main_outputs(trials):
        if not _has_outcome(trial):
            yield trial.violation(_about(trial), describe(trial.outcome), "the value of the first one that succeeded")
