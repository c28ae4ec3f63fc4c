"""A crowd of Interactly runs, in either form of execute: started, commanded and listed together."""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.rules import NotExercised
from contract_tests.server.conversations import SAID
from contract_tests.server.models.conversation import run_id_of
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.told_facts import RESTING
from contract_tests.server.relations.judged_runs import JudgedRuns
from contract_tests.server.relations.known_runs import CANCELLED, EXECUTE, PAUSED, KnownRun, statuses
from contract_tests.server.relations.run_lists import Page, RunLists

COMMANDED: Final = {"pause": PAUSED, "stop": CANCELLED}
HERE, ELSEWHERE = 7, 3  # runs at once: elsewhere each may cost something
ROUNDS: Final = 2
SIZE: Final = 5
WHOLE: Final = 100  # runs on a page: as many as are on one that nobody has asked to be of another size
PAGES: Final = (1, 2)
FAILED: Final = 500


class Topic(StrEnum):
    """What is looked at."""

    STARTED = auto()
    COMMANDED = auto()
    ROOM = auto()
    LISTED = auto()
    REFUSED = auto()


class RunCrowd(JudgedRuns):
    """The crowd, played when a rule first asks for what it found."""

    requests: ClassVar[int] = 38
    what: ClassVar[str] = "a crowd of runs"

    def play(self) -> None:
        """Start runs at once, command them at once, list them, stop them all, and start one more."""
        crowd: list[KnownRun] = []
        self._read_first()
        self.server.start_of_no_version()
        is_local = self.server.target.is_local
        for _ in range(ROUNDS if is_local else 1):
            crowd += self._round(HERE if is_local else ELSEWHERE, {run.id for run in crowd})
        for run in crowd:
            self.judge_texts(run, [other for other in crowd if other is not run])
        with suppress(NotExercised):
            self._list(crowd)
        paused = [run for run in crowd if run.status == PAUSED]
        self._command(paused, ["stop"] * len(paused))
        one_more = self._say_to_one_more()
        stopped = [run for run in crowd if run.status == CANCELLED]
        if crowd and len(stopped) == len(crowd):
            received = f"a run was started before the {len(stopped)} that were stopped since, and none is started now"
            self.judge(Topic.ROOM, one_more, not one_more.is_refused, "start after stop", received)
            # Elsewhere than on this machine it may be a limit of requests, which is the set-up's.
            self.server.has_no_room = is_local and one_more.is_refused
        self._list_stopped(stopped)
        self._read_first()

    def _read_first(self) -> None:
        """Read the first run of this session, which is like those of the crowd, before and after them."""
        if (first := self.server.known_run) is not None:
            self.server.call("getWorkflowRun", path={"workflow_run_id": first})

    def _say_to_one_more(self) -> Exchange:
        run = self.started(self.start_of(self.server.start_input))
        self.give(run, "data", **SAID)
        return run.started

    def _round(self, size: int, known: set[str | None]) -> list[KnownRun]:
        runs = self.started_together(size)
        if not runs and not known:
            raise NotExercised("no run was started")
        for run in runs:
            is_own = run.id not in known
            self.judge(Topic.STARTED, run.started, is_own, "id", f"the run {run.id} was started by another request")
            known.add(run.id)
        own = [*{run.id: run for run in runs}.values()]
        for run in own:
            self.settle(run)
        self._command(own, ["pause", *["stop"] * (len(own) - 1)])
        return own

    def _command(self, runs: list[KnownRun], commands: list[str]) -> None:
        """Give each run that stands still its command, all at once."""
        open_ = [(run, command) for run, command in zip(runs, commands, strict=True) if run.status in RESTING]
        cases = [self.command_for(run, command) for run, command in open_]
        for (run, command), came in zip(open_, self.server.wire.send_together(cases), strict=True):
            if isinstance(came, Exchange):
                told = came.result.get("workflow_run_id", came.result.get("run_id", run.id))
                self.judge(Topic.COMMANDED, came, told == run.id, f"{command}: run", "the response shows another run")
                run.took(came, came.result)

    def _list(self, crowd: list[KnownRun]) -> None:
        listed: dict[str, tuple[str, Exchange]] = {}
        pages = list(RunLists(self.server).all_pages(size=WHOLE))
        for number, page in enumerate(pages, 1):
            listed |= {id_: (status, page.exchange) for id_, status in statuses(page)}
            expected = min(WHOLE, max(0, (page.total or 0) - (number - 1) * WHOLE))
            received = f"page {number} of size {WHOLE} has {len(page.records)} runs of {page.total}"
            self.judge(Topic.LISTED, page.exchange, len(page.records) >= expected, "page of the whole list", received)
            self._judge_started(page)
        totals, last = {page.total for page in pages}, pages[-1].exchange
        if len(totals) == 1 and None not in totals:
            received = f"total is {totals}, and {len(listed)} runs are listed on {len(pages)} pages"
            self.judge(Topic.LISTED, last, totals == {len(listed)}, "total", received)
        for run in crowd:
            if run.id is None or not run.is_settled:
                continue
            status, exchange = listed.get(run.id, ("", last))
            self.judge(Topic.LISTED, exchange, run.id in listed, "whole list", f"run {run.id} is not there")
            holds = status in {"", run.status}
            received = f"run {run.id} is {status}, and was {run.status} by the response to its last command"
            self.judge(Topic.COMMANDED, exchange, holds, "status in the list", received)

    def _judge_started(self, page: Page) -> None:
        """Judge whether runs that carry this session's tag were started by a request that was taken."""
        sent = self.server.watch.of(EXECUTE)
        if EXECUTE in self.server.watch.unanswered or any(one.status >= FAILED or one.is_cut for one in sent):
            return  # who has got no response may have started a run
        started = {run_id_of(one) for one in sent if one.has_succeeded}
        own = [id_ for id_, one in zip(page.ids, page.records, strict=True) if self._is_own(one)]
        strange = sorted({*own} - started)
        received = f"run {strange[:1]} was started by a request of this session, and none was answered with it"
        self.judge(Topic.REFUSED, page.exchange, not strange, "run of a refused start", received)

    def _is_own(self, record: Mapping[str, Any]) -> bool:
        return self.server.tag in str(record.get("created_by"))

    def _list_stopped(self, stopped: list[KnownRun]) -> None:
        """Ask for short pages of what is stopped, each of which is full as long as there are more."""
        ids: set[Any] = set()
        for number in PAGES:
            page = self.ask(status=CANCELLED, size=SIZE, page=number)
            if not page.exchange.has_succeeded:
                return
            expected = max(0, min(SIZE, len(stopped) - (number - 1) * SIZE))
            count = len(page.records)
            received = f"page {number} of size {SIZE} has {count} runs, and at least {len(stopped)} are {CANCELLED}"
            self.judge(Topic.LISTED, page.exchange, count >= expected, "page of a filtered list", received)
            other = sorted({status for _, status in statuses(page)} - {CANCELLED, ""})
            received = f"page {number} of the runs that are {CANCELLED} has some that are {', '.join(other)}"
            self.judge(Topic.LISTED, page.exchange, not other, "status on a page", received)
            twice = sorted(ids & set(page.ids))
            is_shifted = not self.server.target.is_local  # by runs of others
            self.judge(Topic.LISTED, page.exchange, is_shifted or not twice, "run on two pages", f"run {twice[:1]}")
            ids |= set(page.ids)
