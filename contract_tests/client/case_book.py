"""All cases for a contract, made once: every rule plays the same ones, and so does every client."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

from contract_tests.client import reply_cases
from contract_tests.client.breaking import Breaker, is_wire_illegal, sampler
from contract_tests.client.cases import LegalCase, can_travel, is_json_or_nothing, legal_cases, probes, start_case
from contract_tests.client.reply_cases import ReplyCase
from contract_tests.client.wire_server import Answer
from contract_tests.contract import Contract, Operation, Parameter
from contract_tests.generation import Generator
from contract_tests.request_case import RequestCase, request_problems

T = TypeVar("T")


class Kept(Generic[T]):
    """What an iterator gives, kept for the next reader; nothing is taken before it is asked for."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._taken: list[T] = []

    def __iter__(self) -> Iterator[T]:
        """Give everything from the start."""
        index = 0
        while True:
            if index == len(self._taken):
                try:
                    self._taken.append(next(self._source))
                except StopIteration:
                    return
            yield self._taken[index]
            index += 1


class CaseBook:
    """The cases for the operations of one contract."""

    def __init__(self, contract: Contract, generator: Generator) -> None:
        self.contract = contract
        self._generator = generator
        self._sample = sampler(contract, generator.values)
        self._breaker = Breaker(contract, self._sample)
        self._kept: dict[tuple[str, str], Any] = {}

    def start(self, operation: Operation) -> RequestCase:
        """Give a small legal request; raises NotExercised if none can be made."""
        return self._once(
            "start", operation.id, lambda: start_case(self.contract, self._generator, self._sample, operation)
        )

    def success(self, operation: Operation) -> Answer:
        """Give a legal answer of success."""
        successes = (case.answer for case in self.legal_replies(operation) if case.is_success)
        return next(successes, Answer(status=200, body=b"", media_type=None))

    def legal_requests(self, operation: Operation) -> Iterable[LegalCase]:
        """Give legal arguments."""
        start = self.start(operation)
        return self._keep("legal requests", operation, lambda: legal_cases(self.contract, self._generator, start))

    def probes(self, operation: Operation) -> Iterable[tuple[RequestCase, Parameter]]:
        """Give arguments with a step or nothing as a path parameter, and that parameter."""
        return probes(self.start(operation))

    def broken_requests(self, operation: Operation) -> Iterable[RequestCase]:
        """Give arguments that break one constraint each."""
        start = self.start(operation)
        return self._keep("broken requests", operation, lambda: self._broken_requests(start))

    def legal_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Give legal replies of every documented status."""
        make = reply_cases.legal_replies
        return self._keep("legal replies", operation, lambda: make(self.contract, operation, self._drawn))

    def grown_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Give replies with members and words that the contract does not name."""
        make = reply_cases.grown_replies
        return self._keep("grown replies", operation, lambda: make(self.contract, operation, self._drawn))

    def broken_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Give replies that the contract does not allow."""
        make = reply_cases.broken_replies
        return self._keep(
            "broken replies", operation, lambda: make(self.contract, operation, self._drawn, self._breaker)
        )

    def _broken_requests(self, start: RequestCase) -> Iterator[RequestCase]:
        yield from self._breaker.requests(start)
        smallest = replace(start, body={})
        if start.has_body and start.body != {} and not request_problems(self.contract, smallest):
            yield from self._breaker.requests(smallest)
        for case in self._generator.broken_requests(start.operation):
            if _is_drivable(self.contract, case):
                yield case

    def _drawn(self, schema: str) -> list[Any]:
        pointer = self.contract.follow(schema)
        return self._once("values", pointer, lambda: list(self._generator.values(pointer)))

    def _keep(self, kind: str, operation: Operation, make: Callable[[], Iterator[T]]) -> Kept[T]:
        return self._once(kind, operation.id, lambda: Kept(make()))

    def _once(self, kind: str, about: str, make: Callable[[], T]) -> T:
        if (kind, about) not in self._kept:
            self._kept[kind, about] = make()
        kept: T = self._kept[kind, about]
        return kept


def _is_drivable(contract: Contract, case: RequestCase) -> bool:
    """Whether a broken request can be said as arguments, and would still be broken on the wire."""
    if case.breach is None or not is_json_or_nothing(case) or not can_travel(case):
        return False
    name = case.breach.at.partition("/")[0]
    broken = [item for item in case.operation.parameters if item.name == name and name in case.values(item.location)]
    return all(is_wire_illegal(contract, item, case.values(item.location)[name]) for item in broken)
