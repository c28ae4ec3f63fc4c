"""Runs of the target's PromptLayer workflow in flight together, each with an input that no other one has."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.json_text import json_or
from contract_tests.rules import NotExercised, Unanswered
from contract_tests.server.models.execution import Execution, Poll
from contract_tests.server.relations import marked_inputs
from contract_tests.server.relations.marked_inputs import NULL_WORDS, Loss, MarkedInput, loss
from contract_tests.server.relations.marked_run import MarkedRun
from contract_tests.server.relations.spellings import spelled
from contract_tests.server.server import UNUSED, ServerUnderTest
from contract_tests.server.transport import case_of

SECONDS: Final = {True: 10.0, False: 180.0}  # on this machine and elsewhere, until all have ended
FIRST_PAUSE: Final = {True: 0.03, False: 1.0}
LONGEST_PAUSE: Final = {True: 0.3, False: 5.0}
CALLBACK_SECONDS: Final = {True: 3.0, False: 60.0}
MOST_ELSEWHERE: Final = 6
REQUESTS_OF_EACH: Final = {True: 4, False: 3}
SHARE: Final = 3  # the part of a target's requests that the runs may take
SIZES_AT_ONCE: Final = 3
FEWEST: Final = 2
MOST_TOGETHER: Final = 4
MOST_AGAIN: Final = 3  # deliveries to an address that the one which is waited for may be behind
MANY: Final = 100
SIZE: Final = 65_537


class MarkedRuns:
    """The runs of one target, played when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest, seed: int, *, is_quick: bool) -> None:
        self.server = server
        self._seed = seed
        self._is_quick = is_quick
        self._is_local = server.target.is_local
        self.is_cut = False  # whether requests were left out by which some run would have been seen to end

    @cached_property
    def runs(self) -> list[MarkedRun]:
        """
        Those that were started, each until its end.

        Raises:
            NotExercised: If the target has no text to put a mark into, or not enough requests are left.
        """
        planned = self._affordable(list(self._planned()))
        self._start_together(planned)
        self._follow([run for run in planned if run.execution is not None])
        return planned

    @cached_property
    def equal(self) -> list[MarkedRun]:
        """Two runs that were started at once by requests which are the same to the byte; they name one address."""
        _ = self.runs
        run = self._run("one of equal runs", marked_inputs.plain(), url=self.server.callback_url())
        both = [run, replace(run)]
        self._start_together(both)
        return both

    @cached_property
    def equal_called(self) -> list[MarkedRun]:
        """
        Return those of them that were seen to end, or whose callback has come.

        Raises:
            NotExercised: If no other callback has come, or they are not two runs.
        """
        started = [run for run in self.equal if run.execution is not None and run.url]
        if len({run.execution.id for run in started if run.execution}) < len(self.equal):
            raise NotExercised("no two runs of one address were started")
        if all(run.delivery is None for run in self.runs):
            raise NotExercised("no callback came")
        for run in started:
            if not self._is_called_back(run):
                # It may take longer than a callback does: how long to wait for that counts from the end of the run.
                self._wait_for_end(run, time.monotonic() + SECONDS[self._is_local])
                self._is_called_back(run)
        return [run for run in started if run.delivery is not None or (run.ended is not None and run.ended.is_done)]

    @cached_property
    def called_again(self) -> tuple[MarkedRun, MarkedRun]:
        """
        A run whose callback has come, and a later one that names the same address.

        Raises:
            NotExercised: If no callback has come, or no other run is started and seen to end.
        """
        first = next((run for run in self.runs if run.delivery is not None), None)
        if first is None:
            raise NotExercised("no callback came")
        later = self._run("a run with the address of another one", marked_inputs.plain(), url=first.url)
        later.started = self.server.wire.send(later.case)
        later.execution = Execution(later.started, asked_for_all=True)
        if not self._is_called_back(later):
            # It may take longer than a callback does: how long to wait for that counts from the end of the run.
            self._wait_for_end(later, time.monotonic() + SECONDS[self._is_local])
            if later.ended is None or not later.ended.is_done:
                raise NotExercised("the later run was not seen to end")
            self._is_called_back(later)
        return first, later

    def _is_called_back(self, run: MarkedRun) -> bool:
        """Wait for the callback of a run to an address that others have named; return whether it has come."""
        seconds, deliveries = CALLBACK_SECONDS[self._is_local], self.server.listener.deliveries
        for count in range(1, 1 + MOST_AGAIN):
            run.delivery = next((one for one in deliveries(run.url) if run.is_told_by(one)), None)
            if run.delivery is not None or self.server.listener.wait(run.url, seconds, count + 1) is None:
                break
        return run.delivery is not None

    @cached_property
    def asked_together(self) -> list[MarkedRun]:
        """Runs that have ended, whose results were asked for once more, in both forms and all before any was told."""
        ended = [run for run in self.runs if run.bare is not None and run.bare.is_done][:MOST_TOGETHER]
        asked = [(run, poll) for run in ended for poll in (run.bare, run.ended) if poll is not None]
        came = self.server.wire.send_together([poll.exchange.case for _, poll in asked])
        for (run, poll), exchange in zip(asked, came, strict=True):
            if run.execution is not None and not isinstance(exchange, NotExercised):
                run.execution.polled(poll.all_outputs, exchange)
        return ended

    @property
    def first(self) -> MarkedRun:
        """The run of the latest version whose input is a mark alone."""
        return self.runs[0]

    @cached_property
    def warns(self) -> bool:
        """Whether a run without a callback is warned of an unused variable."""
        started = self.server.run_with_unused_variable()
        return started.is_object and isinstance(started.json.get("warning"), str)

    @cached_property
    def templates(self) -> dict[str, list[str]]:
        """
        What stands round the input in the value of each node that shows it, as far as two runs agree.

        Raises:
            NotExercised: If no node shows what it was given.
        """
        found = {
            name: value.split(self.first.input.mark)
            for name, value in self.first.values.items()
            if isinstance(value, str) and self.first.input.mark in value
        }
        if not found:
            raise NotExercised("the workflow's output does not show what it was given")
        return found

    @cached_property
    def is_foretold(self) -> bool:
        """Whether what stands round the input is the same in every run."""
        second = self.runs[1]
        return all(
            isinstance(value := second.values.get(name), str) and value.split(second.input.mark) == parts
            for name, parts in self.templates.items()
        )

    def lost(self, run: MarkedRun) -> Iterator[Loss]:
        """Yield those parts of a run's input that a node should show and does not."""
        if not run.is_latest:
            shown = [_text(value) for value in run.values.values() if run.input.mark in _text(value)]
            yield from (one for text in shown for one in run.input.lost_in(text))
            return
        for name, parts in self.templates.items():
            if name not in run.values:
                continue
            text = _text(run.values[name])
            if not run.input.mark:
                yield from self._changed(run, text, parts)
            elif run.input.mark not in text:
                yield loss("the input as a whole", run.input.value, json.dumps(text, ensure_ascii=False))
            elif isinstance(shown := _shown_value(text, parts), dict) and run.input.kind == "value":
                yield from run.input.lost_in_value(shown)
            else:
                yield from run.input.lost_in(text)

    def _changed(self, run: MarkedRun, text: str, parts: list[str]) -> Iterator[Loss]:
        """Yield the name of a run whose input has no mark, unless its output is what the first run foretells."""
        words = NULL_WORDS if run.input.value is None else (str(run.input.value),)
        if self.is_foretold and text not in {word.join(parts) for word in words}:
            yield loss(run.name, run.input.value, json.dumps(text, ensure_ascii=False))

    def start(self, variables: Mapping[str, Any] | None, **members: Any) -> RequestCase:
        """Return the request for a run with these input variables; with none at all for None."""
        body = {"metadata": self.server.metadata, **members}
        if variables is not None:
            body = {"input_variables": dict(variables), **body}
        operation = self.server.contract.operation("runWorkflow")
        body = {name: value for name, value in body.items() if value is not ...}
        return case_of(operation, {"workflow_name": self.server.target.workflow}, body=body)

    def variables(self, value: Any) -> dict[str, Any]:
        """
        Return the target's input variables with a value in place of each text.

        Raises:
            NotExercised: If it has no texts.
        """
        given = self.server.input_variables
        texts = [name for name, text in given.items() if isinstance(text, str)]
        if not texts:
            raise NotExercised("the target's input_variables have no text in them")
        return {**given, **dict.fromkeys(texts, value)}

    def _planned(self) -> Iterator[MarkedRun]:
        """Yield the runs in the order of what they are worth."""
        target, made = self.server.target, marked_inputs
        yield self._run("a run", made.plain())
        yield self._run("another run", made.plain())
        yield self._run(
            "a text of every plane",
            made.of_every_plane(),
            url=self.server.callback_url(is_odd=True),
            return_all_outputs=True,
        )
        yield self._run("a long text", made.of_size(SIZE), url=self.server.callback_url(), return_all_outputs=True)
        yield self._run("an object", made.nested())
        if target.label is not None:
            yield self._run("a run by label", made.of_every_plane(), url=self.server.callback_url(), is_latest=False,
                            workflow_label_name=target.label)  # fmt: skip
        if target.version is not None:
            yield self._run("a run by number", made.of_every_plane(), url=self.server.callback_url(), is_latest=False,
                            workflow_version_number=target.version)  # fmt: skip
        warned = {UNUSED: "x"}
        yield self._run("a run with a warning", made.of_every_plane(), more=warned, url=self.server.callback_url())
        for name in ("another spelling", "a third spelling"):
            run = self._run(name, made.of_every_plane())
            yield replace(run, case=spelled(run.case, name))
        names = [name for name, given in self.variables("").items() if given == ""]
        yield self._run("an input among many", made.with_edges([*names, f"{UNUSED}_1"]), more=_others(names))
        for name, value in (("an empty text", ""), ("null", None), ("a text of digits", "0071")):
            yield self._run(
                name, MarkedInput(value, "", kind="text" if value else "value" if value is None else "text")
            )
        yield self._run("a text with U+0000", made.with_null_character())
        sizes = [made.SIZES[(self._seed + number * 5) % len(made.SIZES)] for number in range(SIZES_AT_ONCE)]
        for size in [256, *sizes] if self._is_quick else [256, *made.SIZES]:
            yield self._run(f"a text of {size:,} characters", made.of_size(size))

    def _start_together(self, runs: list[MarkedRun]) -> None:
        for run, came in zip(runs, self.server.wire.send_together([run.case for run in runs]), strict=True):
            if isinstance(came, NotExercised):
                run.problem = str(came)
            else:
                run.started = came
                with suppress(NotExercised):
                    run.execution = Execution(came, asked_for_all=True)

    def _run(
        self, name: str, given: MarkedInput, *, url: str = "", is_latest: bool = True,
        more: Mapping[str, Any] | None = None, **members: Any,
    ) -> MarkedRun:  # fmt: skip
        own, others = self.variables(given.value), more or {}
        # In the order of the others, so that what is first and what is last differ.
        variables = {**{name: own.get(name, value) for name, value in others.items()}, **own}
        called = {"callback_url": url} if url else {}
        return MarkedRun(name, given, self.start(variables, **members, **called), is_latest=is_latest, url=url)

    def _affordable(self, planned: list[MarkedRun]) -> list[MarkedRun]:
        target = self.server.target
        left = min(target.max_requests // SHARE, self.server.wire.left) // REQUESTS_OF_EACH[self._is_local]
        most = min(left, len(planned) if self._is_local else MOST_ELSEWHERE)
        if most < FEWEST:
            raise NotExercised(f"runs in flight together would take a third of max_requests ({target.max_requests})")
        return planned[:most]

    def _follow(self, runs: list[MarkedRun]) -> None:
        """Ask for the results of those without a callback, wait for the others' callbacks, then ask for all."""
        ends = time.monotonic() + SECONDS[self._is_local]
        for run in (one for one in runs if not one.url):
            self._wait_for_end(run, ends)
        callback_ends = time.monotonic() + CALLBACK_SECONDS[self._is_local]
        for run in (one for one in runs if one.url):
            run.delivery = self.server.listener.wait(run.url, max(0.05, callback_ends - time.monotonic()))
            if run.delivery is None:
                run.came_unasked = False
                callback_ends = 0.0  # where one is lost, waiting for another tells nothing new
        for run in runs:
            self._wait_for_end(run, ends)
            if run.ended is not None and run.ended.is_done:
                run.bare = self._poll(run, all_outputs=False)

    def _wait_for_end(self, run: MarkedRun, ends: float) -> None:
        if run.ended is not None and run.ended.is_done:
            return
        for _ in tries(ends, is_local=self._is_local):
            run.ended = self._poll(run, all_outputs=True)
            if run.ended is None or run.ended.is_done:
                return

    def _poll(self, run: MarkedRun, *, all_outputs: bool) -> Poll | None:
        assert run.execution is not None
        try:
            run.execution.polled(all_outputs, self.server.results(run.execution.id, return_all_outputs=all_outputs))
        except Unanswered:
            return None
        except NotExercised:
            self.is_cut = True
            return None
        return run.execution.replies[-1]


def tries(ends: float, *, is_local: bool, slower: int = 1) -> Iterator[None]:
    """
    Yield each time that the results of a run are to be asked for, with ever longer pauses between.

    Args:
        ends: The time of the clock after which nobody asks again.
        is_local: Whether the target is on this machine.
        slower: By what the pauses are longer, for runs that have more to do than most.
    """
    pause = FIRST_PAUSE[is_local]
    while True:
        yield
        if time.monotonic() > ends:
            return
        time.sleep(slower * pause)
        pause = min(1.3 * pause, LONGEST_PAUSE[is_local])


def _others(names: list[str]) -> dict[str, Any]:
    """Return many input variables: those of the workflow among others, between their own names in other cases."""
    many = {f"{UNUSED}_{number}": number for number in range(MANY)}
    before, after = ({change(name): "x" for name in names} for change in (str.swapcase, str.title))
    return {**many, **before, **dict.fromkeys(names), **after}


def _shown_value(text: str, parts: list[str]) -> Any:
    """Return the JSON that stands where the first run's input stood; None if there is none."""
    if len(parts) != 2 or not (text.startswith(parts[0]) and text.endswith(parts[1])):  # noqa: PLR2004
        return None
    return json_or(text[len(parts[0]) : len(text) - len(parts[1])], None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
