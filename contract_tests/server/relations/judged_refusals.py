"""Interactly runs that are known, judged by what a refused command does to them, which is nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from contract_tests.openapi.json_equality import told_apart
from contract_tests.openapi.json_text import same, whole
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations.judged_runs import JudgedRuns
from contract_tests.server.relations.judged_turns import Topic
from contract_tests.server.relations.known_runs import KnownRun
from contract_tests.server.relations.shown_runs import record_in, run_in


class _Step(NamedTuple):
    """A turn, by how much it was counted on, and whether commands were refused since the one before."""

    turn: Exchange
    command: str
    rise: int
    is_after_refusal: bool


class JudgedRefusals(JudgedRuns):
    """Judges what comes after refused commands."""

    def judge_counting(self, runs: Iterable[KnownRun]) -> None:
        """Judge by how much turns are counted on after refused commands: by no more than the like ones without any."""
        steps = [step for run in runs for step in _steps(run)]
        usual: defaultdict[str, set[int]] = defaultdict(set)
        for step in steps:
            if not step.is_after_refusal:
                usual[step.command].add(step.rise)
        for step in steps:
            if step.is_after_refusal and usual[step.command]:
                most = max(usual[step.command])
                received = f"turn_number rose by {step.rise}, and by {most} where no command was refused before"
                self.judge(Topic.COUNTED, step.turn, step.rise <= most, "turn_number", received)

    def try_refused(self, run: KnownRun, commands: Sequence[str], *, is_last: bool = False) -> None:
        """Give a run commands that it refuses, and judge whether it shows then what it has shown before."""
        latest = run.exchanges[-1]
        before = latest if record_in(latest) else self.read(run)
        came = [self.give(run, command) for command in commands]
        after = self.read(run)
        are_refused = all(one is not None and one.is_refused for one in came)
        if before is None or after is None or not are_refused:
            return
        changed = next(_differences(before, after), None)
        if changed is None or is_last:
            received = "{} was {} and is {} after refused commands alone".format(*changed) if changed else ""
            self.judge(Topic.REFUSED, after, changed is None, changed[0] if changed else "", after.bounded(received))
        elif (again := self.read(run)) is not None and not any(_differences(after, again)):
            # It stands still: unless it was the commands that changed it, they don't do so now either.
            self.try_refused(run, commands[:1], is_last=True)


def _steps(run: KnownRun) -> Iterator[_Step]:
    """Yield the turns of a run that were counted on, with the commands that were sent one after the other alone."""
    sent = [one for one in run.exchanges if one.method == "POST"]
    taken = [at for at, one in enumerate(sent) if whole(one.result.get("turn_number")) is not None]
    for before, at in pairwise(taken):
        between = sent[before + 1 : at]
        first, turn = (whole(sent[place].result["turn_number"]) for place in (before, at))
        is_alone = not any(one.is_together for one in sent[before : at + 1])
        if is_alone and first is not None and turn is not None and all(one.is_refused for one in between):
            yield _Step(sent[at], _command(sent[at]), turn - first, bool(between))


def _command(exchange: Exchange) -> str:
    run_input = exchange.case.body.get("run_input") if isinstance(exchange.case.body, Mapping) else None
    return str(run_input.get("command")) if isinstance(run_input, Mapping) else ""


def _differences(before: Exchange, after: Exchange) -> Iterator[tuple[str, str, str]]:
    """Yield what of a run's record is not as it was: its name, and both values."""
    one, other = _flat(before), _flat(after)
    for name in sorted(one.keys() & other.keys()):
        if not same(one[name], other[name]):
            yield name, *told_apart(one[name], other[name])


def _flat(read: Exchange) -> dict[str, Any]:
    record = {name: value for name, value in record_in(read).items() if name != "workflow_run"}
    return {**record, **run_in(read)}
