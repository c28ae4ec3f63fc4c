"""Runs of the target's PromptLayer workflow one after the other: each odd one is followed by a plain one."""

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.execution import Execution, Poll
from contract_tests.server.relations.marked_inputs import new_mark
from contract_tests.server.relations.marked_runs import SECONDS, MarkedRuns, tries
from contract_tests.server.server import NO_SUCH_LABEL, UNUSED

REQUESTS: Final = 16
FEWEST: Final = 2
QUIET_SECONDS: Final = {True: 0.2, False: 3.0}


class OneOfARow:
    """
    A run, and what came of it.

    Attributes:
        name: What is special of it.
        mark: What its input has and no other's; empty if it has none.
        url: Where its outcome is to be posted; empty if nowhere.
        note: What stands in its metadata, under the names of input variables; empty if nothing does.
    """

    note = ""

    def __init__(self, name: str, mark: str, started: Exchange, url: str = "") -> None:
        self.name, self.mark, self.url, self.started = name, mark, url, started
        self.polls: list[Poll] = []

    @property
    def texts(self) -> Iterator[tuple[Exchange, str]]:
        """Each response about it, with its body."""
        for exchange in (self.started, *(poll.exchange for poll in self.polls)):
            yield exchange, exchange.reply.decode("utf-8", "replace")


class RunsInARow:
    """The runs of one target, played when a rule first asks for them."""

    def __init__(self, together: MarkedRuns) -> None:
        self.together = together
        self.server = together.server
        self._is_endless = False

    @cached_property
    def runs(self) -> list[OneOfARow]:
        """
        All of them, in order, those that ask for nothing watched until their ends.

        Raises:
            NotExercised: If the target has no texts among its input variables, or too few requests are left.
        """
        target = self.server.target
        if self.server.wire.left < REQUESTS:
            raise NotExercised(f"runs in a row take {REQUESTS} requests of max_requests ({target.max_requests})")
        if not self.together.first.execution:
            raise NotExercised("no run was started")
        found: list[OneOfARow] = []
        try:
            found += self._played()
        except NotExercised:  # in the midst of them; those before say what they say
            if len(found) < FEWEST:
                raise
        return found

    @property
    def odd(self) -> list[OneOfARow]:
        """Those that ask for something."""
        return [one for one in self.runs if one.name not in {"a plain run", "a run without inputs"}]

    @property
    def plain(self) -> list[tuple[OneOfARow, OneOfARow]]:
        """Each run that asks for nothing, with the one before it."""
        return [(before, one) for before, one in zip(self.runs, self.runs[1:], strict=False) if one not in self.odd]

    def _played(self) -> Iterator[OneOfARow]:
        target = self.server.target
        label: dict[str, Any] = {} if target.label is None else {"workflow_label_name": target.label}
        version: dict[str, Any] = {} if target.version is None else {"workflow_version_number": target.version}
        unused = {UNUSED: "x"}
        yield self._run("a run that asks for everything", unused, called=True, return_all_outputs=True, **label)
        yield self._plain()
        fails: dict[str, Any] = {"metadata": {**self.server.metadata, "sandbox": "fail"}} if target.is_local else {}
        yield self._run("a run of another version", {}, **version, **fails)
        yield self._plain(**({"metadata": ...} if target.is_local else {}))
        both: dict[str, Any] = {
            "workflow_label_name": target.label or NO_SUCH_LABEL,
            "workflow_version_number": target.version or 1,
        }
        yield self._run("a run that is refused", {}, called=True, **both)
        yield self._plain()
        note = new_mark()
        named = dict.fromkeys(self.together.variables(note), note)
        bare = self._send("a run without inputs", "", None, metadata={**named, **self.server.metadata})
        bare.note = note
        yield self._watched(bare)

    def _plain(self, **members: Any) -> OneOfARow:
        return self._watched(self._run("a plain run", {}, **members))

    def _run(self, name: str, more: Mapping[str, Any], *, called: bool = False, **members: Any) -> OneOfARow:
        mark = new_mark()
        url = self.server.callback_url() if called else ""
        called_back = {"callback_url": url} if url else {}
        return self._send(name, mark, {**self.together.variables(mark), **more}, url, **members, **called_back)

    def _send(
        self, name: str, mark: str, variables: Mapping[str, Any] | None, url: str = "", **members: Any
    ) -> OneOfARow:
        return OneOfARow(name, mark, self.server.wire.send(self.together.start(variables, **members)), url)

    def _watched(self, run: OneOfARow) -> OneOfARow:
        """Ask for the results of a run until its end, and then without a flag."""
        if not run.started.has_succeeded or self._is_endless:
            return run
        is_local = self.server.target.is_local
        execution, ends = Execution(run.started, asked_for_all=False), time.monotonic() + SECONDS[is_local]
        for flag in (True, None):
            for _ in tries(ends, is_local=is_local):
                execution.polled(flag, self.server.results(execution.id, return_all_outputs=flag))
                self._is_endless = time.monotonic() > ends  # then hardly another one will end
                if execution.replies[-1].is_done:
                    break
        run.polls = execution.replies
        return run
