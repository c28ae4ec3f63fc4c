"""
Interactly runs that are known, each response judged by what is known of them.

What is told of a run more than once is compared in ``models/told_facts``, so that here is what that can't show.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum, auto
from itertools import pairwise
from typing import Any, Final

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import same, whole
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server.models.conversation import FINAL, run_id_of
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.relations.known_runs import (
    CANCELLED,
    COMPLETED,
    EXECUTE,
    PAUSED,
    WAITING,
    KnownRun,
    KnownRuns,
    statuses,
)
from contract_tests.server.relations.run_lists import Filtered, Page
from contract_tests.server.relations.shown_inputs import changed, losses, misplaced

PAIRS: Final = "input_output_pairs"
FLAG: Final = "is_waiting_for_input"
CLOSE: Final = timedelta(minutes=10)  # less than any two time zones differ by


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


class JudgedRuns(KnownRuns):
    """Judges what is shown of runs that are known."""

    def judge_version(self, run: KnownRun) -> None:
        """Judge the version of a run that was started with the target's, as it was read last."""
        asked, told = self.server.target.version, whole(run.shown.get("version_number"))
        if asked is not None and told is not None:
            received = f"version_number is {told}, started was version {asked}"
            self.judge(Topic.VERSION, run.exchanges[-1], told == asked, "version", received)

    def give(
        self, run: KnownRun, command: str, *, query: Mapping[str, Any] | None = None, **more: Any
    ) -> Exchange | None:
        """Give a run a command, and judge the status after it."""
        before = run.status
        exchange = super().give(run, command, query=query, **more)
        if exchange is not None and exchange.has_succeeded and before in RESTING:
            after = {
                "pause": {PAUSED},
                "stop": {CANCELLED},
                "resume": RESTING | FINAL | {"started", "running"} - {PAUSED},
            }
            holds = run.status in after.get(command, {run.status})
            received = f"{command} made the run {run.status}, which was {before}"
            self.judge(Topic.COMMANDS, exchange, holds, command, received)
        return exchange

    def judge_active(self, runs: Iterable[KnownRun]) -> None:
        """Judge the versions of runs that were started without one, by that of the first."""
        told = [(run.exchanges[-1], whole(run.shown.get("version_number"))) for run in runs]
        known = [(exchange, number) for exchange, number in told if number is not None]
        for exchange, number in known[1:]:
            received = (
                f"version_number is {number}, and {known[0][1]} of another run that was started without a version"
            )
            self.judge(Topic.ACTIVE, exchange, number == known[0][1], "version", received)

    def read(self, run: KnownRun) -> Exchange | None:
        """Read a run, and judge whether it is the one that was asked for."""
        exchange = super().read(run)
        record = exchange.result["workflow_run"] if exchange is not None else {}
        told = record.get("_id") or record.get("workflow_run", {}).get("workflow_run_id")
        if exchange is not None and isinstance(told, str):
            # In the form with turns no page says that both ids are one.
            others = {run_id_of(one) for one in self.server.watch.of(EXECUTE)} - {run.id}
            is_other = told in others if self.has_turns else told != run.id
            self.judge(Topic.READ, exchange, not is_other, "_id", f"asked for {run.id}, it shows {told}")
        return exchange

    def judge_filter(self, page: Page, status: str, runs: Iterable[KnownRun], *, is_sole: bool) -> None:
        """Judge a page of the runs in a status, by all their statuses; with a second filter some may be missing."""
        if not page.exchange.has_succeeded:
            return
        other = sorted({one for _, one in statuses(page)} - {status, ""})
        received = f"asked for status={status}, it lists a run that is {', '.join(other)}"
        self.judge(Topic.LISTED, page.exchange, not other, "status", received)
        known = {run.id: run.status for run in runs if run.id is not None and run.is_settled}
        fitting = frozenset(id_ for id_, one in known.items() if one == status)
        filtered = Filtered("runs in a status", page, fitting if is_sole else frozenset(), frozenset(known) - fitting)
        for found in filtered.violations():
            self.keep(Topic.LISTED, page.exchange, found)

    def judge_together(self, came: list[Exchange]) -> None:
        """Judge responses to commands that were sent to one run at once."""
        for number, other in enumerate(came):
            like = [one.number for one in came[:number] if _contradict(one.result, other.result)]
            received = f"requests {like}, sent at the same time, were answered with other turns of the same number"
            self.judge(Topic.AT_ONCE, other, not like, "turn", received)

    def judge_taken(self, said: Exchange) -> None:
        """Judge data for a waiting run while another one was paused, if a waiting run has ever taken any."""
        taken = [one for one in self.server.watch.of(EXECUTE) if one.has_succeeded and _says(one)]
        if taken and said.status not in LATER:
            received = f"request {taken[0].number} with data for another run was taken"
            self.judge(Topic.TAKEN, said, not said.is_refused, "data while another run is paused", received)

    def judge_chunks(self, run: KnownRun, twin: KnownRun) -> None:
        """Judge a run that was started by a body in chunks, by one that was not: what is shown of the input?"""
        if run.started.case.spelling is not None:
            lost = sorted(_places(twin) - _places(run))
            self.judge(Topic.CHUNKS, run.started, not lost, "input", f"nothing is seen of its {', '.join(lost)}")

    def judge_texts(self, run: KnownRun, others: Iterable[KnownRun]) -> None:
        """Judge what a run shows of its own input, and of that of others."""
        marks = {given.mark: place for other in others for place, given in other.inputs.items()}
        marks |= {mark: "what was said" for other in others for mark in other.said}
        for one in run.exchanges:
            text = one.reply.decode("utf-8", "replace")
            found = sorted(place for mark, place in marks.items() if mark in text)
            self.judge(Topic.OWN, one, not found, "".join(found[:1]), f"{', '.join(found)} of another run")
            for place, missing in losses(one.result, run.inputs):
                told = (
                    f"{place}, {missing.name}: sent was {missing.sent}, the run shows {missing.came}" if missing else ""
                )
                self.judge(Topic.SHOWN, one, missing is None, f"{place}: {missing.name}" if missing else "", told)
            for pair in _pairs_in(one)[:1]:
                for place, lost in changed(pair.get("run_input"), run.given):
                    told = f"{place}, {lost.name}: sent was {lost.sent}, the run shows {lost.came}"
                    self.judge(Topic.SHOWN, one, False, f"{place}: a variable", told)  # noqa: FBT003
                for place, other in misplaced(pair.get("run_input"), run.inputs):
                    self.judge(Topic.SHOWN, one, False, place, f"{place} has {other} of the run in it")  # noqa: FBT003

    def judge_turns(self, run: KnownRun) -> None:
        """Judge the turns of a run, each by itself and by the one before."""
        turns = [one for one in run.exchanges if "turn_number" in one.result and not one.is_together]
        for one in turns:
            self._judge_flag(one)
        for before, turn in pairwise(turns):
            self._judge_number(before, turn)
            events, earlier = turn.result.get("events"), before.result.get("events")
            if isinstance(events, list) and isinstance(earlier, list) and earlier:
                repeats = len(events) > len(earlier) and same(events[: len(earlier)], earlier)
                received = f"it begins with all events of request {before.number}, which was another turn"
                self.judge(Topic.EVENTS, turn, not repeats, "events", received)

    def _judge_number(self, before: Exchange, turn: Exchange) -> None:
        earlier, number = (whole(one.result["turn_number"]) for one in (before, turn))
        if earlier is not None and number is not None:
            least = earlier + _says(turn)  # whether pause is a turn no page says
            received = f"turn_number is {number} after {earlier} in request {before.number}"
            self.judge(Topic.TURNS, turn, number >= least, "turn_number", received)

    def _judge_flag(self, turn: Exchange) -> None:
        status, flag = turn.result.get("status"), turn.result.get(FLAG)
        if status in RESTING and isinstance(flag, bool):
            self.judge(
                Topic.FLAGS, turn, flag == (status == WAITING), FLAG, f"{FLAG} is {flag} of a run that is {status}"
            )

    def judge_pairs(self, run: KnownRun) -> None:
        """Judge whether what was said before is there when the run is shown again."""
        shown = [one for one in run.exchanges if not one.is_together and _pairs_in(one)]
        for before, now in pairwise(shown):
            earlier, pairs = ([(one.get("run_input"), one.get("run_output")) for one in _pairs_in(exchange)]
                              for exchange in (before, now))  # fmt: skip
            received = "{} in request {}, now {}".format(*_apart(earlier, pairs, before.number))
            self.judge(Topic.STAYS, now, same(pairs[: len(earlier)], earlier), PAIRS, received)

    def judge_time(self, run: KnownRun) -> None:
        """Judge when a run is said to have been started, by the clock of the response to its start."""
        for one in run.exchanges:
            record = one.result.get("workflow_run")
            told = time_with_offset(record.get("created_at")) if isinstance(record, Mapping) else None
            came = _date(run.started)
            if told is not None and came is not None:
                received = f"created_at is {told}, the start was answered at {came}"
                self.judge(Topic.TIMES, one, abs(told - came) < CLOSE, "created_at", received)

    def judge_nulls(self, run: KnownRun, usual: KnownRun) -> None:
        """Judge the start of a run with null for what may be left out, by one without."""
        if usual.started.has_succeeded and run.started.status not in LATER:
            self.judge(Topic.NULLS, run.started, not run.started.is_refused, "null", "another start was taken")

    def judge_changes(self, run: KnownRun) -> None:
        """Judge the time of a run's last change: between two readings with a command in between it goes on."""
        reads = [one for one in run.exchanges if _changed_at(one) is not None]
        for before, read in pairwise(reads):
            told, now = _changed_at(before), _changed_at(read)
            taken = [one for one in run.exchanges if before.number < one.number < read.number and one.has_succeeded]
            if taken and told is not None and now is not None:
                received = f"updated_at is {now}, as before request {taken[0].number}, which has changed the run"
                self.judge(Topic.CHANGED, read, now > told, "updated_at", received)

    def judge_end(self, run: KnownRun) -> None:
        """Judge what is said of a completed run's end."""
        for one in run.exchanges:
            record = one.result.get("workflow_run")
            shown = record.get("workflow_run") if isinstance(record, Mapping) else None
            if isinstance(shown, Mapping) and shown.get("status") == COMPLETED:
                is_normal = shown.get("termination_source") is None
                self.judge(Topic.END, one, is_normal, "termination_source", "the run is completed")


def _changed_at(exchange: Exchange) -> datetime | None:
    """Return when a run that is read was changed last, if that is told to more than a second."""
    record = exchange.result.get("workflow_run")
    told = record.get("updated_at") if isinstance(record, Mapping) else None
    return time_with_offset(told) if isinstance(told, str) and "." in told else None


def _pairs_in(exchange: Exchange) -> list[Mapping[str, Any]]:
    """Return the pairs of the run that a response shows."""
    record = exchange.result.get("workflow_run")
    run = record.get("workflow_run") if isinstance(record, Mapping) else exchange.result
    pairs = run.get(PAIRS) if isinstance(run, Mapping) else None
    return [one for one in pairs if isinstance(one, Mapping)] if isinstance(pairs, list) else []


def _apart(earlier: list[Any], pairs: list[Any], number: int) -> tuple[str, int, str]:
    before, now = told_apart(earlier, pairs[: len(earlier)])
    return before, number, now


def _date(exchange: Exchange) -> datetime | None:
    """Return when a response was made, by the clock of who made it."""
    try:
        found = parsedate_to_datetime(exchange.reply_headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _says(exchange: Exchange) -> bool:
    """Whether a command tells a run something, in either form."""
    body = exchange.case.body if isinstance(exchange.case.body, Mapping) else {}
    run_input = body.get("run_input", body)
    return isinstance(run_input, Mapping) and run_input.get("command") == "data"


def _contradict(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two responses to commands at once tell one turn in two ways."""
    if not one or not other:
        return False
    if "turn_number" in one:
        return same(one["turn_number"], other.get("turn_number")) and not same(one.get("events"), other.get("events"))
    pairs, others = one.get(PAIRS), other.get(PAIRS)
    are_settled = {one.get("status"), other.get("status")} <= RESTING | FINAL
    is_one = isinstance(pairs, list) and isinstance(others, list) and len(pairs) == len(others)
    return are_settled and is_one and not same(pairs, others)


def _places(run: KnownRun) -> set[str]:
    """Return the places of a run's input of which something is seen in it."""
    text = "\n".join(one.reply.decode("utf-8", "replace") for one in run.exchanges)
    return {place for place, given in run.inputs.items() if given.mark in text}
