"""Interactly runs that are known, what each of them shows judged by what it has shown before."""

from enum import StrEnum, auto
from itertools import pairwise
from typing import Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import same, whole
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server.models.conversation import FINAL
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.models.told_times import CLOSE, date_of
from contract_tests.server.relations.known_runs import COMPLETED, EXECUTE, WAITING, KnownRun, KnownRuns
from contract_tests.server.relations.shown_runs import (
    PAIRS,
    changed_at,
    events_in,
    goes_on,
    pairs_in,
    record_in,
    run_in,
    said_in,
    says,
    stays_in,
)

FLAG: Final = "is_waiting_for_input"


class Topic(StrEnum):
    """What is looked at."""

    VERSION = auto()
    END = auto()
    OWN = auto()
    TURNS = auto()
    AT_ONCE = auto()
    TAKEN = auto()
    CHUNKS = auto()
    SHOWN = auto()
    EVENTS = auto()
    FLAGS = auto()
    LISTED = auto()
    PATH = auto()
    COMMANDS = auto()
    CHANGED = auto()
    STAYS = auto()
    TIMES = auto()
    NULLS = auto()
    READ = auto()
    ACTIVE = auto()
    NUMBERS = auto()
    REFUSED = auto()
    COUNTED = auto()
    THREADS = auto()
    OUTPUTS = auto()
    DEFAULTS = auto()
    KINDS = auto()


class JudgedTurns(KnownRuns):
    """Judges what a run shows one time after the other."""

    def judge_turns(self, run: KnownRun) -> None:
        """Judge the turns of a run, each by itself and by the one before."""
        turns = [one for one in run.exchanges if "turn_number" in one.result and not one.is_together]
        for one in turns:
            self._judge_flag(one)
        for before, turn in pairwise(turns):
            self._judge_number(before, turn)
        self._judge_events(turns)
        for turn, read in pairwise(run.exchanges):
            if turn in turns and turn is not run.started and says(turn) and read.method == "GET":
                self._judge_repetition(run.started, turn, read)

    def _judge_events(self, turns: list[Exchange]) -> None:
        """Judge the events of what has one number, and so is one turn: they go on at most."""
        latest: dict[int, Exchange] = {}
        for turn in turns:
            number = whole(turn.result["turn_number"])
            if number is not None and number in latest:
                before = latest[number]
                told, now = before.result.get("events"), turn.result.get("events")
                received = "turn {}: request {} told {}, this one tells {}".format(
                    number, before.number, *told_apart(told, now)
                )
                self.judge(Topic.NUMBERS, turn, goes_on(told, now), "turn_number", turn.bounded(received))
            if number is not None:
                latest[number] = turn

    def _judge_repetition(self, first: Exchange, turn: Exchange, read: Exchange) -> None:
        """Judge the events of a turn by those of each stretch of execution, as the run shows them that is read then."""
        begun, told = events_in(first.result), events_in(turn.result)
        stretches = [found for pair in pairs_in(read) if (found := events_in(pair.get("run_output")))]
        if begun and len(stretches) > 1 and goes_on(begun, stretches[0]):
            repeats = same(told, [event for found in stretches for event in found])
            received = f"these are the events of all {len(stretches)} stretches of execution, those of the start too"
            self.judge(Topic.EVENTS, turn, not repeats, "events", received)

    def _judge_number(self, before: Exchange, turn: Exchange) -> None:
        earlier, number = (whole(one.result["turn_number"]) for one in (before, turn))
        if earlier is not None and number is not None:
            least = earlier + says(turn)  # whether pause is a turn no page says
            received = f"turn_number is {number} after {earlier} in request {before.number}"
            self.judge(Topic.TURNS, turn, number >= least, "turn_number", received)

    def _judge_flag(self, turn: Exchange) -> None:
        status, flag = turn.result.get("status"), turn.result.get(FLAG)
        if status in RESTING and isinstance(flag, bool):
            received = f"{FLAG} is {flag} of a run that is {status}"
            self.judge(Topic.FLAGS, turn, flag == (status == WAITING), FLAG, received)

    def judge_pairs(self, run: KnownRun) -> None:
        """Judge whether what was said before is there when the run is shown again."""
        settled = [one for one in run.exchanges if run_in(one).get("status") in RESTING | FINAL]
        shown = [one for one in settled if not one.is_together and pairs_in(one)]
        for before, now in pairwise(shown):
            earlier = said_in(before)
            pairs = said_in(now)[: len(earlier)]
            received = "request {}: {}, now {}".format(before.number, *told_apart(earlier, pairs))
            stays = len(pairs) == len(earlier) and all(map(stays_in, earlier, pairs))
            self.judge(Topic.STAYS, now, stays, PAIRS, received)

    def judge_time(self, run: KnownRun) -> None:
        """Judge when a run is said to have been started, by the clock of the response to its start."""
        for one in run.exchanges:
            told = time_with_offset(record_in(one).get("created_at"))
            came = date_of(run.started)
            if told is not None and came is not None:
                received = f"created_at is {told}, the start was answered at {came}"
                self.judge(Topic.TIMES, one, abs(told - came) < CLOSE, "created_at", received)

    def judge_changes(self, run: KnownRun) -> None:
        """Judge the time of a run's last change: between two readings with a command in between it goes on."""
        reads = [one for one in run.exchanges if changed_at(one) is not None]
        for before, read in pairwise(reads):
            told, now = changed_at(before), changed_at(read)
            between = [one for one in run.exchanges if before.number < one.number < read.number]
            taken = [one for one in between if one.has_succeeded and one.case.operation.id == EXECUTE]
            if taken and told is not None and now is not None:
                received = f"updated_at is {now}, as before request {taken[0].number}, which has changed the run"
                self.judge(Topic.CHANGED, read, now > told, "updated_at", received)

    def judge_end(self, run: KnownRun) -> None:
        """Judge what is said of a completed run's end."""
        for one in run.exchanges:
            shown = run_in(one)
            if one.method == "GET" and shown.get("status") == COMPLETED:
                is_normal = shown.get("termination_source") is None
                self.judge(Topic.END, one, is_normal, "termination_source", "the run is completed")
