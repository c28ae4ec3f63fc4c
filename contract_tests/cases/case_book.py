"""All cases for a contract, made once: every rule plays the same ones, and so does every client."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from contract_tests.cases import deliveries as delivery_cases
from contract_tests.cases import invalid_responses as broken_reply_cases
from contract_tests.cases import responses as reply_cases
from contract_tests.cases.boundary_values import is_ambiguous_integer
from contract_tests.cases.case import RequestCase, request_problems
from contract_tests.cases.deliveries import Delivery, Post
from contract_tests.cases.generation import Generator
from contract_tests.cases.keeping import forget, once
from contract_tests.cases.negative import is_wire_illegal
from contract_tests.cases.network import MESSAGE
from contract_tests.cases.requests import (
    as_arguments,
    fullest_case,
    is_driven,
    is_legal,
    legal_cases,
    parameters_carry_values,
    probes,
    smuggled,
    start_case,
    text_of,
    with_half_letters,
    with_long_text,
    with_odd_numbers,
)
from contract_tests.cases.responses import ReplyCase
from contract_tests.cases.shrinking import with_fewest_members
from contract_tests.cases.single_violations import few_for_each, near, requests_near, sampler, single_violations
from contract_tests.http.body_kinds import request_media
from contract_tests.http.recording_server import ScriptedResponse
from contract_tests.openapi.directions import is_hidden, request_view, response_view
from contract_tests.openapi.discriminators import discriminators_match, with_valid_discriminators
from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import is_json
from contract_tests.openapi.validation import Problem, sole_problem


class CaseBook:
    """
    The cases for the operations of one contract.

    Attributes:
        budget: How many cases there may be.
        contract: The contract itself; ``outgoing`` as requests see it, ``incoming`` as replies do.
    """

    def __init__(self, contract: Contract, generator: Generator) -> None:
        self.contract, self.budget = contract, generator.budget
        self.outgoing, self.incoming = request_view(contract), response_view(contract)
        self._requests, self._values = map(generator.of, (self.outgoing, self.incoming))
        self._sample = sampler(self.outgoing, self._requests.values)
        self._sample_of_replies = sampler(self.incoming, self._values.values)

    @once
    def start(self, operation: Operation) -> RequestCase:
        """Return a small legal request; raises NotExercised if none can be made."""
        return start_case(self.outgoing, self._requests, self._sample, operation)

    def success(self, operation: Operation) -> ScriptedResponse:
        """Return a legal answer of success."""
        successes = (case.answer for case in self.legal_replies(operation) if case.is_success)
        return next(successes, ScriptedResponse(status=200, body=b"", media_type=None))

    @once
    def legal_requests(self, operation: Operation) -> Iterable[RequestCase]:
        """Return legal arguments."""
        return legal_cases(self.outgoing, self._requests, self.start(operation))

    @once
    def fullest(self, operation: Operation) -> RequestCase:
        """Return a legal request with as many arguments as can be given together."""
        return fullest_case(self.outgoing, self.start(operation), self.legal_requests(operation))

    @once
    def large(self, operation: Operation) -> RequestCase | None:
        """Return a legal request with a very long text in its body; None if it can't have one."""
        cases = chain([self.start(operation), self.fullest(operation)], self.legal_requests(operation))
        return with_long_text(self.outgoing, cases)

    def smallest_request(self, operation: Operation, fails: Callable[[RequestCase], bool]) -> RequestCase | None:
        """Return the smallest drawn request that fails; None if none does."""

        def fails_as_arguments(drawn: RequestCase) -> bool:
            case = as_arguments(self.outgoing, drawn)
            return case is not None and is_legal(self.outgoing, case) and fails(case)

        found = self._requests.smallest_request(operation, fails_as_arguments)
        return None if found is None else as_arguments(self.outgoing, found)

    def is_drawn(self, case: RequestCase | ReplyCase) -> bool:
        """Whether a case is legal and its data was drawn."""
        if isinstance(case, RequestCase):
            return case.is_drawn and case.breach is None
        return case.has_value and bool(case.schema) and not case.focus and case.value in self._drawn(case.schema)

    def smallest_reply(self, case: ReplyCase, fails: Callable[[ReplyCase], bool]) -> ReplyCase | None:
        """Return the smallest drawn reply with the status of another one that fails; None if none does."""
        schema = self.incoming.follow(case.schema)

        def reply(value: Any) -> ReplyCase:
            return replace(case, value=value, answer=replace(case.answer, body=json.dumps(value).encode()))

        def fails_as_reply(value: Any) -> bool:
            is_tagged = self.incoming.is_valid(value, schema) and discriminators_match(self.incoming, schema, value)
            return is_tagged and not is_ambiguous_integer(self.incoming, schema, value) and fails(reply(value))

        found = self._values.smallest_value(schema, fails_as_reply)
        return None if found is None else reply(with_fewest_members(found, fails_as_reply))

    def forget(self, operation: Operation) -> None:
        """Let go of the cases of an operation; values of components stay, since other operations have them too."""
        forget(self, lambda name: name == operation.id or name.startswith(f"{operation.pointer}/"))
        for contract in (self.outgoing, self.incoming):
            contract.forget_validators()
        for generator in (self._requests, self._values):
            generator.forget(operation)

    def probes(self, operation: Operation) -> Iterator[RequestCase]:
        """Return arguments with a step or nothing as a path parameter."""
        return probes(self.start(operation))

    def smuggled(self, operation: Operation) -> Iterator[RequestCase]:
        """Return arguments with what could end a header or a cookie."""
        return smuggled(self.outgoing, self.start(operation))

    def odd_numbers(self, operation: Operation) -> Iterator[RequestCase]:
        """Return arguments with numbers that JSON does not have."""
        return with_odd_numbers(self.outgoing, self.start(operation))

    def half_letters(self, operation: Operation) -> Iterator[RequestCase]:
        """Return arguments with texts that UTF-8 does not have."""
        return with_half_letters(self.outgoing, self.start(operation))

    @once
    def broken_requests(self, operation: Operation) -> Iterable[RequestCase]:
        """Return arguments that break one constraint each."""
        cases = self._broken_requests(self.start(operation))
        return (case for case in cases if case.breach and not self._is_hidden(self.outgoing, case.breach))

    @once
    def legal_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Return legal replies of every documented status."""
        return reply_cases.legal_replies(self.incoming, operation, self._drawn)

    def refusal(self, operation: Operation, status: int) -> ScriptedResponse:
        """Return a refusal with a status: a legal one if the contract describes it, else one that says little."""
        documented = operation.response(status)
        for case in self.legal_replies(operation) if documented else ():
            if operation.response(case.answer.status) is documented:
                return replace(case.answer, status=status)
        return ScriptedResponse(status=status, body=MESSAGE)

    @once
    def odd_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Return legal replies with times that few libraries read."""
        return reply_cases.odd_replies(self.incoming, operation, self._drawn)

    @once
    def extended_responses(self, operation: Operation) -> Iterable[ReplyCase]:
        """Return replies with members and words that the contract does not name."""
        return reply_cases.extended_responses(self.incoming, operation, self._drawn)

    @once
    def deep_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Return replies that are nested very deeply."""
        return broken_reply_cases.deep_replies(self.incoming, operation, self._drawn)

    @once
    def broken_replies(self, operation: Operation) -> Iterable[ReplyCase]:
        """Return replies that the contract does not allow."""
        made = broken_reply_cases.broken_replies(self.incoming, operation, self._drawn, self._broken_values)
        return (case for case in made if case.problem is None or not self._is_hidden(self.incoming, case.problem))

    @once
    def legal_posts(self, delivery: Delivery) -> list[Post]:
        """Return legal deliveries of a callback or a webhook."""
        return list(delivery_cases.legal_posts(self.incoming, delivery, self._drawn))

    def grown_posts(self, delivery: Delivery) -> list[Post]:
        """Return deliveries with members that the contract does not name."""
        return list(delivery_cases.grown_posts(self.incoming, delivery, self._drawn))

    def broken_posts(self, delivery: Delivery) -> list[Post]:
        """Return deliveries that break the contract in one way each."""
        return list(delivery_cases.broken_posts(self.incoming, delivery, self._drawn, self._broken_values))

    def _is_hidden(self, view: Contract, problem: Problem) -> bool:
        return is_hidden(self.contract, view, problem.constraint)

    @once
    def _covered(self, pointer: str) -> list[Any]:
        return self._values.broken_values(pointer)

    def _broken_values(self, schema: str, starts: list[Any]) -> Iterator[tuple[Any, Problem]]:
        """Return values that break one constraint of a reply's schema, those near legal ones first."""
        close = (value for start in starts for value in near(self.incoming, schema, start, self._sample_of_replies))
        return single_violations(
            self.incoming,
            schema,
            close,
            self._covered(self.incoming.follow(schema)),
            most=self.budget.cases_of_a_constraint,
        )

    def _broken_requests(self, start: RequestCase) -> Iterator[RequestCase]:
        smallest = replace(start, body={})
        starts = [start]
        if start.has_body and start.body != {} and not request_problems(self.outgoing, smallest):
            starts.append(smallest)
        for one in starts:
            yield from self._a_few_each(requests_near(self.outgoing, one, self._sample))
        generator = self._requests
        made = generator.coverage_violations(start.operation), generator.drawn_breaches(start.operation)
        yield from self._a_few_each(*(filter(parameters_carry_values, cases) for cases in made))

    def _a_few_each(self, *sources: Iterable[RequestCase]) -> Iterator[RequestCase]:
        """Return those requests that can be said as arguments and break one constraint on the wire, a few for each."""

        def problem_of(case: RequestCase) -> Problem | None:
            problem = sole_problem(request_problems(self.outgoing, case))
            return problem if problem is not None and _stays_broken(self.outgoing, case, problem) else None

        driven, most = [filter(is_driven, cases) for cases in sources], self.budget.cases_of_a_constraint
        for case, problem in few_for_each(driven, text_of, problem_of, most):
            yield replace(case, breach=problem)

    def _drawn(self, schema: str) -> list[Any]:
        return self._drawn_at(self.incoming.follow(schema))

    @once
    def _drawn_at(self, pointer: str) -> list[Any]:
        values = with_valid_discriminators(self.incoming, pointer, self._values.values(pointer))
        return [value for value in values if not is_ambiguous_integer(self.incoming, pointer, value)]


def _stays_broken(contract: Contract, case: RequestCase, problem: Problem) -> bool:
    """Whether a request would still be broken on the wire, where parameters and forms have no types."""
    name, media = problem.at.partition("/")[0], request_media(case.operation)
    if not name and media is not None and not is_json(media.media_type):
        return problem.keyword == "required"
    broken = [item for item in case.operation.parameters if item.name == name and name in case.values(item.location)]
    return all(is_wire_illegal(contract, item, case.values(item.location)[name]) for item in broken)
