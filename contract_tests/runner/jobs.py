"""
Judges a part of a client's operations in processes beside this one.

What is played with one operation concerns no other, and most of it is work for a processor. The rows of a part come
back as they would have been here; a target is only ever asked by one process, so its limits hold.
"""

import multiprocessing
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Final, Self

from contract_tests.http.redaction import Secrets
from contract_tests.options import Options
from contract_tests.outcomes import Row
from contract_tests.report.terminal import Terminal
from contract_tests.rules import SetUpError, Side
from contract_tests.runner.collector import Collector, Part
from contract_tests.runner.context import Run
from contract_tests.runner.judging import judge
from contract_tests.runner.known_deviations import Deviations
from contract_tests.runner.signals import ended_like_ctrl_c

FEW: Final = 200  # rows of a client: below it, to start another process costs more than it saves


class Jobs:
    """
    The further processes of a run, from their start to their end.

    Attributes:
        elsewhere: The operations that are judged in them, on the client side.
    """

    def __init__(self, options: Options, rows: Sequence[Row]) -> None:
        """Plan them; none if the rows are few or the command line allows one process."""
        self._options = options
        self._shares = shares(rows, options.jobs)
        self.elsewhere = frozenset(operation for share in self._shares for operation in share)
        self._started: list[_Job] = []

    def __enter__(self) -> Self:
        """Start them."""
        self._started = [_Job.start(self._options, share) for share in self._shares]
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """End those that are still at work."""
        for job in self._started:
            job.process.kill()
            job.process.join()

    def results(self, *, stop: bool) -> Iterator[Part]:
        """Wait for each, or stop it, and return what it has come to."""
        for job in self._started:
            try:
                yield job.result(stop=stop)
            except KeyboardInterrupt:
                stop = True
                yield job.result(stop=True)


@dataclass(frozen=True)
class _Job:
    process: multiprocessing.process.BaseProcess
    connection: Connection

    @classmethod
    def start(cls, options: Options, operations: Collection[str]) -> Self:
        # A fork would copy threads' locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_judge_part, args=(options, operations, theirs))
        process.start()
        theirs.close()
        return cls(process, ours)

    def result(self, *, stop: bool) -> Part:
        if stop:
            self.process.terminate()
        try:
            part: Part = self.connection.recv()
        except EOFError:
            return Part((), {}, "a process of the harness has ended before it was done")
        return part


def shares(rows: Sequence[Row], jobs: int) -> list[list[str]]:
    """Return the operations of a client for each further process; all other rows stay in this one."""
    of_client = [row for row in rows if row.rule.side is Side.CLIENT and row.operation]
    operations = list(dict.fromkeys(row.operation for row in of_client))
    if jobs == 1 or len(of_client) < FEW:
        return []
    # Where other sides are judged, they are this process's share.
    has_others = any(row.rule.side is not Side.CLIENT for row in rows)
    parts = jobs - 1 if has_others else jobs
    dealt = [operations[start::parts] for start in range(parts)]  # neighbours in a contract are much alike
    return [share for share in dealt[0 if has_others else 1 :] if share]


def _judge_part(options: Options, operations: Collection[str], connection: Connection) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    with ended_like_ctrl_c():
        connection.send(part_of(options, operations))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def part_of(options: Options, operations: Collection[str]) -> Part:
    """Return what the judgement of some operations of a client comes to."""
    try:
        run = Run(replace(options, sides=(Side.CLIENT,)))
        collector = Collector(run, Terminal(Secrets(), silent=True), Deviations([]), only=operations)
        try:
            judge(run, collector)
        finally:
            run.resources.close()
    except (SetUpError, KeyboardInterrupt) as error:
        return Part((), {}, str(error) or "interrupted")
    return collector.part()
