"""
Judges many subjects without generating the same data for each: a process that has judged once forks for the others.

The same contract, seed and operation give the same requests, whoever is judged. So they are kept from the first
judgement, which is one of a correct subject. What is sent, judged and reported is what a fresh process would do.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from contract_tests.__main__ import main
from contract_tests.cases.generation import DrawnBatch, Generator
from mutants.processes import CONTEXT

KEPT: Final = ("requests", "coverage_requests", "breaches", "drawn_breaches", "broken_requests")


class Order(NamedTuple):
    """One run of the harness: its arguments, more environment, and where its words go."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    said: Path


class ForkServer:
    """A process that is ready to judge, for the length of a ``with`` block."""

    def __init__(self, first: Order) -> None:
        """Say how the first judgement is run, which makes the data that the others share."""
        self._first = first
        self.is_ready = True

    def __enter__(self) -> Self:
        self._here, there = Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(there, self._first), daemon=True)
        self._process.start()
        there.close()
        self.first_status: int = self._here.recv()
        return self

    def __exit__(self, *exception: object) -> None:
        self._here.close()
        self._process.kill()
        self._process.join()

    def status(self, order: Order, patience: float) -> int | None:
        """Run the harness and give its exit status; None if it does not come in time, and then it takes no more."""
        self._here.send(order)
        if not self._here.poll(patience):
            self.is_ready = False
            return None
        status: int = self._here.recv()
        return status


class _Kept:
    """What an iterator gives, for as many readers as want it, produced when the first of them asks."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._items: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        index = 0
        while True:
            if index == len(self._items):
                try:
                    self._items.append(next(self._source))
                except StopIteration:
                    return
            yield self._items[index]
            index += 1


def _serve(there: Connection, first: Order) -> None:
    with generated_once():
        there.send(_run(first))
        while True:
            try:
                order = there.recv()
            except EOFError:
                return
            child = os.fork()
            if not child:
                os._exit(_run(order))
            there.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _run(order: Order) -> int:
    os.environ.update(order.environment)
    with order.said.open("w", encoding="utf-8", errors="replace") as text:
        sys.stdout = sys.stderr = text
        return main(order.arguments)


@contextmanager
def generated_once() -> Iterator[None]:
    """Keep what is generated for a contract, a seed and an operation, for all runs of the harness in this process."""
    kept: dict[tuple[Any, ...], Any] = {}
    before = {name: getattr(Generator, name) for name in KEPT if hasattr(Generator, name)}
    draw = Generator.smallest_request
    for name, generate in before.items():
        setattr(Generator, name, _keeping(name, generate, kept))
    Generator.smallest_request = _trying_again(draw)  # type: ignore[method-assign]
    yield
    for name, generate in before.items():
        setattr(Generator, name, generate)
    Generator.smallest_request = draw  # type: ignore[method-assign]


def _trying_again(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Try the requests that have been drawn before, and draw again only to shrink one that fails."""
    kept: dict[tuple[Any, ...], list[Any]] = {}

    def smallest_request(
        self: Generator, operation: Any, fails: Callable[[Any], bool], batch: DrawnBatch | None = None
    ) -> Any:
        key = (self.contract.source, self.seed, operation.id, batch)
        if key in kept and not any(map(fails, kept[key])):
            return None
        drawn: list[Any] = []

        def trying(case: Any) -> bool:
            drawn.append(case)
            return fails(case)

        found = draw(self, operation, trying, batch)
        if found is None:
            kept.setdefault(key, drawn)
        return found

    return smallest_request


def _keeping(name: str, generate: Callable[..., Any], kept: dict[tuple[Any, ...], Any]) -> Callable[..., Any]:
    @wraps(generate)
    def get(self: Generator, operation: Any, *more: Any, **named: Any) -> Any:
        key = (name, self.contract.source, self.seed, operation.id, more, tuple(named.items()))
        if key not in kept:
            given = generate(self, operation, *more, **named)
            kept[key] = given if isinstance(given, Sequence) else _Kept(iter(given))
        return list(kept[key]) if isinstance(kept[key], Sequence) else iter(kept[key])

    return get
