"""Interactly runs that are known, judged by how they were started: with what, under which names, by which version."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from contract_tests.openapi.json_text import whole
from contract_tests.server.conversations import SAID
from contract_tests.server.models.exchange import LATER
from contract_tests.server.relations.filled_variables import strays
from contract_tests.server.relations.judged_refusals import JudgedRefusals
from contract_tests.server.relations.judged_turns import Topic
from contract_tests.server.relations.known_runs import WAITING, KnownRun
from contract_tests.server.relations.marked_inputs import MarkedInput, new_mark, plain
from contract_tests.server.relations.shown_inputs import DATA, RUN_BY, THREADS
from contract_tests.server.relations.shown_runs import run_in

NOTHING: Final[Mapping[str, Any]] = {"command": "start", **{name: {} for name in DATA}, RUN_BY: None, "team_id": None}
NAMED_LIKE: Final = ", named like a variable of another kind"


class JudgedStarts(JudgedRefusals):
    """Judges starts."""

    def started_by_default(self, tag: Mapping[str, Any]) -> KnownRun:
        """Start a run with all left out that has a default, and if that is refused, one with all of it there."""
        threads: dict[str, dict[str, Any]] = {"0": {"node_run_inputs": [{"text": new_mark()}]}, "1": {}}
        inputs, run_input = self.named_like(("runtime_variables",), {**tag, THREADS: threads})
        run = usual = self.started(self.start_of(run_input), inputs)
        if run.started.is_refused:
            whole_threads = {thread: {"node_run_inputs": [], **one} for thread, one in threads.items()}
            usual = self.started(self.start_of({**NOTHING, **run_input, THREADS: whole_threads}), inputs)
        self.judge_defaults(run, usual)
        return run

    def judge_defaults(self, run: KnownRun, usual: KnownRun) -> None:
        """Judge a start that leaves out the command, by one that does not."""
        if usual.started.has_succeeded and run.started.status not in LATER:
            received = f"request {usual.started.number}, which gives the defaults, was taken"
            self.judge(Topic.DEFAULTS, run.started, not run.started.is_refused, "start without a command", received)

    def try_default(self, run: KnownRun) -> None:
        """Give a waiting run the command start, and then none, which is the same."""
        told = self.give(run, "start") if run.status == WAITING else None
        if told is None or not told.is_refused or run.status != WAITING:
            return
        left_out = self.give(run, "", **SAID)
        if left_out is not None:
            received = f"start for this run was refused in request {told.number}, and it is the default"
            self.judge(Topic.DEFAULTS, left_out, not left_out.has_succeeded, "run without a command", received)

    def named_like(
        self, kinds: Iterable[str], run_input: Mapping[str, Any], names: Collection[str] | None = None
    ) -> tuple[dict[str, MarkedInput], dict[str, Any]]:
        """Add variables of some kinds to a run input, under names of another kind: by default those of dynamic ones."""
        own = self.server.start_input["dynamic_variables"]
        names = [name for name, value in own.items() if isinstance(value, str)] if names is None else names
        inputs = {kind: plain() for kind in kinds if names}
        added = {kind: {**dict.fromkeys(names, mark.value), **run_input.get(kind, {})} for kind, mark in inputs.items()}
        return {f"{kind}{NAMED_LIKE}": mark for kind, mark in inputs.items()}, {**run_input, **added}

    def judge_kinds(self, runs: Iterable[KnownRun]) -> None:
        """Judge which placeholders the variables of runs have filled."""
        runs = [*runs]
        for run in runs:
            for kind, place, is_there in strays(run, [one for one in runs if one is not run]):
                received = f"of {kind} one of this name stands where {place} is in another run"
                self.judge(Topic.KINDS, run.started, not is_there, f"{place} by {kind}", received)

    def version_beside(self, run: KnownRun, runs: Iterable[KnownRun]) -> dict[str, int]:
        """Return a version that exists and is not that of a run, as a query; empty if none is known."""
        own = run.version
        known = {self.server.target.version, *(one.version for one in runs)} - {own, None}
        return {"version": min(one for one in known if one is not None)} if own is not None and known else {}

    def judge_kept_version(self, run: KnownRun, version: int | None) -> None:
        """Judge the version of a run after commands that ask for another one."""
        asked = [one for one in run.exchanges if "version" in one.case.query and one is not run.started]
        after = [one for one in run.exchanges if asked and one.number > asked[0].number]
        for one in after if version is not None else ():
            told = whole(run_in(one).get("version_number"))
            received = f"version_number is {told} after request {asked[0].number}, and {version} is what was started"
            if told is not None:
                self.judge(Topic.VERSION, one, told == version, "version of a later command", received)
