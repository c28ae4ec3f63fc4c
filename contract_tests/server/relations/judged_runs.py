"""
Interactly runs that are known, each response judged by what is known of them.

What is told of a run more than once is compared in ``models/told_facts``, so that here is what that can't show.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_tests.openapi.json_text import same, whole
from contract_tests.server.models.conversation import FINAL, run_id_of
from contract_tests.server.models.exchange import LATER, Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.relations.judged_turns import JudgedTurns, Topic
from contract_tests.server.relations.known_runs import CANCELLED, EXECUTE, PAUSED, KnownRun, statuses
from contract_tests.server.relations.run_lists import Filtered, Page
from contract_tests.server.relations.shown_inputs import OUTPUTS, changed, losses, misplaced, threads_of
from contract_tests.server.relations.shown_runs import PAIRS, pairs_in, says


class JudgedRuns(JudgedTurns):
    """Judges what is shown of runs that are known."""

    def judge_version(self, run: KnownRun, asked: int | None) -> None:
        """Judge the version of a run that was started with one, as it was read last; of no use for legacy workflows."""
        told = whole(run.shown.get("version_number"))
        if None not in {asked, told, self.server.target.version}:
            received = f"version_number is {told}, started was version {asked}"
            self.judge(Topic.VERSION, run.exchanges[-1], told == asked, "version", received)

    def give(self, run: KnownRun, command: str, **more: Any) -> Exchange | None:
        """Give a run a command, and judge the status after it."""
        before = run.status
        exchange = super().give(run, command, **more)
        if exchange is not None and exchange.has_succeeded and before in RESTING:
            after = {"pause": PAUSED, "stop": CANCELLED}.get(command, run.status)
            holds = run.status == after and not (command == "resume" and run.status == PAUSED)
            received = f"{command} made the run {run.status}, which was {before}"
            self.judge(Topic.COMMANDS, exchange, holds, command, received)
        return exchange

    def judge_active(self, runs: Iterable[KnownRun]) -> None:
        """Judge the versions of runs that were started without one, by that of the first."""
        told = [(run.exchanges[-1], whole(run.shown.get("version_number"))) for run in runs]
        known = [(exchange, number) for exchange, number in told if number is not None]
        for exchange, number in known[1:]:
            received = f"version_number is {number}, and {known[0][1]} of a run that was started like it"
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
        taken = [one for one in self.server.watch.of(EXECUTE) if one.has_succeeded and says(one)]
        if taken and said.status not in LATER:
            received = f"request {taken[0].number} with data for another run was taken"
            self.judge(Topic.TAKEN, said, not said.is_refused, "data while another run is paused", received)

    def judge_chunks(self, run: KnownRun, twin: KnownRun) -> None:
        """Judge a run that was started by a body in chunks, by one that was not: what is shown of the input?"""
        if run.started.case.spelling is not None and _is_read(run) >= _is_read(twin):
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
            self._judge_inputs(run, one)

    def _judge_inputs(self, run: KnownRun, one: Exchange) -> None:
        for place, lost in losses(one.result, run.inputs):
            told = f"{place}, {lost.name}: {lost.told}" if lost else ""
            self.judge(Topic.SHOWN, one, lost is None, f"{place}: {lost.name}" if lost else "", told)
        for pair in pairs_in(one)[:1]:
            for place, loss in changed(pair.get("run_input"), run.given):
                told = f"{place}, {loss.name}: {loss.told}"
                self.judge(Topic.SHOWN, one, False, f"{place}: a variable", told)  # noqa: FBT003
            for place, other in misplaced(pair.get("run_input"), run.inputs):
                self.judge(Topic.SHOWN, one, False, place, f"{place} has {other} of the run in it")  # noqa: FBT003

    def judge_threads(self, runs: Iterable[KnownRun]) -> None:
        """Judge what runs show of what was said to several threads of theirs, by what any of them shows of each."""
        told = [
            (run, one, pair) for run in runs if len(run.threads) > 1 for one in run.exchanges for pair in pairs_in(one)
        ]
        shown = [(run, one, threads_of(pair.get("run_input"), run.said)) for run, one, pair in told]
        known = {thread for *_, marks in shown for threads in marks.values() for thread in threads}
        for run, one, marks in shown:
            for mark, threads in marks.items():
                thread = run.said[mark]
                topic = Topic.THREADS if threads or thread in known else Topic.SHOWN
                received = f"what was said to thread {thread} is shown of {', '.join(sorted(threads)) or 'none'}"
                self.judge(topic, one, threads == {thread}, f"thread {thread}", received)

    def judge_outputs(self, runs: Iterable[KnownRun]) -> None:
        """Judge under which threads what was said to each comes out; that it all comes out under one is no fault."""
        shown = [(run, one, pair) for run in runs for one in run.exchanges for pair in pairs_in(one)]
        for run, one, pair in shown:
            marks = threads_of(pair.get("run_output"), run.said, OUTPUTS)
            found = {run.said[mark]: threads for mark, threads in marks.items() if threads}
            talking = {thread for threads in found.values() for thread in threads}
            crossed = sorted(thread for thread, threads in found.items() if thread in talking - threads)
            if found:
                received = f"threads {', '.join(crossed)} put out what was said to others, and nothing of their own"
                self.judge(Topic.OUTPUTS, one, not crossed, OUTPUTS, received)

    def judge_nulls(self, run: KnownRun, usual: KnownRun) -> None:
        """Judge the start of a run with null for what may be left out, by one without."""
        if usual.started.has_succeeded and run.started.status not in LATER:
            self.judge(Topic.NULLS, run.started, not run.started.is_refused, "null", "another start was taken")


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


def _is_read(run: KnownRun) -> bool:
    return any(one.method == "GET" and one.has_succeeded for one in run.exchanges)


def _places(run: KnownRun) -> set[str]:
    """Return the places of a run's input of which something is seen in it."""
    text = "\n".join(one.reply.decode("utf-8", "replace") for one in run.exchanges)
    return {place for place, given in run.inputs.items() if given.mark in text}
