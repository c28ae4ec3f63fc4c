"""
Data generated from the contract by schemathesis: requests and values, legal ones and ones that break one constraint.

Everything is reproducible: the same contract, seed and operation give the same data, whichever shard or order asks.
How much there is follows the budget; iterators are lazy, so that a budget in seconds includes what the reader takes::

    for case in generator.requests(operation): ...             # RequestCase, legal
    for case in generator.broken_requests(operation): ...      # RequestCase, breaks exactly case.breach
    for value in generator.values(media.schema): ...           # JSON values that fit the schema strictly
    for value in generator.broken_values(media.schema): ...    # JSON values, most of which break it
"""

import contextlib
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import islice
from typing import Any, Final, Self
from urllib.parse import unquote

import hypothesis.configuration
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis.errors import FailedHealthCheck, Unsatisfiable
from hypothesis.internal.charmap import charmap_file
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from contract_tests.budget import Budget
from contract_tests.cases.case import ABSENT, RequestCase, can_travel, request_problems
from contract_tests.cases.keeping import forget, once
from contract_tests.cases.negative import manner, with_sole_violation
from contract_tests.cases.scratch import scratch_folder
from contract_tests.cases.shrinking import MOST_TRIES, quiet_settings, smallest, with_fewest_parts
from contract_tests.cases.single_violations import requests_near, sampler
from contract_tests.openapi.document import Contract, Media, Operation, Parameter
from contract_tests.openapi.json_text import read_json
from contract_tests.openapi.offline import offline
from contract_tests.openapi.validation import Problem
from workflow_contract import arguments

__all__ = ["ABSENT", "Generator", "RequestCase", "draw", "example_requests", "request_problems"]

VALUES_PATH: Final = "/values"
ALL_BUT_SURROGATES: Final = ((0, 0xD7FF), (0xE000, 0x10FFFF))
MOST_COVERED: Final = 1_000
UNHEALTHY: Final = [check for check in HealthCheck if check is not HealthCheck.filter_too_much]
LEGAL_STARTS: Final = 3  # requests, beside the examples, from which breaches are made


@dataclass(frozen=True)
class DrawnBatch:
    """
    Which requests are drawn for a property test.

    Attributes:
        size: How many, until one fails.
        number: Each batch of an operation has other data.
        is_broken: Whether they are to break the contract.
        most_tries: How many are tried, after one has failed, to make it smaller.
    """

    size: int
    number: int = 0
    is_broken: bool = False
    most_tries: int = MOST_TRIES


class Generator:
    """Draws data for one contract; see the module's docstring."""

    def __init__(self, contract: Contract, *, random_seed: int, budget: Budget) -> None:
        self.contract = contract
        self.seed = random_seed
        self.budget = budget
        self._sample = sampler(contract, self.values)

    def of(self, view: Contract) -> Self:
        """Give the source of data, with the same seed and budget, for the contract as one direction sees it."""
        return self if view is self.contract else type(self)(view, random_seed=self.seed, budget=self.budget)

    @cached_property
    def _schema(self) -> Any:
        _use_scratch_directory()
        return schemathesis.openapi.from_dict(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return _without_security(self.contract.document)

    def requests(self, operation: Operation) -> Iterator[RequestCase]:
        """Return legal requests for an operation."""
        for case in self._cases(operation, GenerationMode.POSITIVE):
            if can_travel(case) and not request_problems(self.contract, case):
                yield case

    def coverage_requests(self, operation: Operation) -> list[RequestCase]:
        """Return the legal requests of schemathesis' coverage phase: each part with each kind of value it takes."""
        cases = self._covered(operation.id)[GenerationMode.POSITIVE]
        return [case for case in cases if can_travel(case) and not request_problems(self.contract, case)]

    def coverage_violations(self, operation: Operation) -> list[RequestCase]:
        """Return the requests of that phase in which it meant to break something, whatever they break."""
        return self._covered(operation.id)[GenerationMode.NEGATIVE]

    def breaches(self, operation: Operation) -> Iterator[RequestCase]:
        """Return a request for each constraint that can be broken alone, without drawing anything; plain ones first."""
        yield from sorted(self._breaches(operation), key=lambda case: case.is_coercible)

    def _breaches(self, operation: Operation) -> Iterator[RequestCase]:
        starts = [
            case
            for case in (*example_requests(operation), *self.coverage_requests(operation)[:LEGAL_STARTS])
            if not request_problems(self.contract, case)
        ]
        # Those near an example come first: a coverage case refers to what need not exist, a reason to refuse it too.
        near = (case for start in starts for case in requests_near(self.contract, start, self._sample))
        seen: set[str] = set()
        for case in filter(has_path, near):
            broken = with_sole_violation(self.contract, case)
            if broken is None or broken.breach is None:
                continue
            # The same schema may stand for several parts, and a server may look at one of them alone.
            name = f"{broken.breach.constraint} {_part(broken.breach)} {manner(self.contract, broken, broken.breach)}"
            if name not in seen:
                seen |= {name} if broken.is_coercible else {name, broken.breach.constraint}
                yield broken
        for broken in self._covered_violations(operation):
            if broken.breach is not None and broken.breach.constraint not in seen:
                seen.add(broken.breach.constraint)
                yield broken

    def _covered_violations(self, operation: Operation) -> Iterator[RequestCase]:
        for case in self.coverage_violations(operation):
            broken = with_sole_violation(self.contract, case)
            if broken is not None and not broken.is_coercible:
                yield broken

    def drawn_breaches(self, operation: Operation) -> Iterator[RequestCase]:
        """Return drawn requests that break exactly one constraint."""
        for case in self._cases(operation, GenerationMode.NEGATIVE):
            broken = with_sole_violation(self.contract, case)
            if broken is not None:
                yield replace(broken, is_drawn=True)

    def broken_requests(self, operation: Operation) -> Iterator[RequestCase]:
        """Give requests that break exactly one constraint: with more, another one could be the reason of a refusal."""
        yield from self.breaches(operation)
        yield from self.drawn_breaches(operation)

    def smallest_request(
        self, operation: Operation, fails: Callable[[RequestCase], bool], batch: DrawnBatch | None = None
    ) -> RequestCase | None:
        """
        Draw requests, and return the smallest one that fails; None if none does.

        Args:
            operation: What the requests are for.
            fails: Whether one fails. It is shown what breaks the contract in any way, too.
            batch: What is drawn; by default the legal requests that :meth:`requests` begins with.
        """
        one = batch or DrawnBatch(next(self.budget.batches(0)))
        mode = GenerationMode.NEGATIVE if one.is_broken else GenerationMode.POSITIVE
        read = partial(self._request, operation)
        random_seed = self._seed_of(f"{operation.id} {mode}", one.number)
        requests = self._drawn_requests(operation, mode)
        found = smallest(requests, one.size, random_seed, fails, read=read, most_tries=one.most_tries)
        return None if found is None else with_fewest_parts(found, fails)

    def smallest_value(self, schema: str, fails: Callable[[Any], bool]) -> Any | None:
        """Return the smallest of the values drawn for the schema at a pointer that fail; None if none does."""
        mode = GenerationMode.POSITIVE
        described = self._body_schema(self.contract.at(self.contract.follow(schema)))[VALUES_PATH]["POST"]
        random_seed, count = self._seed_of(f"{schema} {mode}", 0), next(self.budget.batches(0))
        cases = described.as_strategy(generation_mode=mode)
        return smallest(cases, count, random_seed, fails, read=lambda drawn: drawn.body)

    def values(self, schema: str) -> Iterator[Any]:
        """Give values that fit the schema at a pointer."""
        for value in self._values(schema, GenerationMode.POSITIVE):
            if self.contract.is_valid(value, schema):
                yield value

    def broken_values(self, schema: str) -> list[Any]:
        """Return values in which schemathesis' coverage phase means to break the schema at a pointer."""
        pointer = self.contract.follow(schema)
        described = self._body_schema(self.contract.at(pointer))
        # A value has no other parts.
        cases = self._iter_coverage(described[VALUES_PATH]["POST"], described, GenerationMode.NEGATIVE)
        bodies = [case.body for case in cases if case.meta.generation.mode is GenerationMode.NEGATIVE]
        return [body for body in bodies if not isinstance(body, NotSet)]

    def _cases(self, operation: Operation, mode: GenerationMode) -> Iterator[RequestCase]:
        for drawn in self._draw(self._drawn_requests(operation, mode), f"{operation.id} {mode}"):
            yield self._request(operation, drawn)

    def _drawn_requests(self, operation: Operation, mode: GenerationMode) -> Any:
        return self._schema[operation.path][operation.method].as_strategy(generation_mode=mode)

    def forget(self, operation: Operation) -> None:
        """Let go of the requests that were made for an operation."""
        forget(self, operation.id.__eq__)

    @once
    def _covered(self, operation_id: str) -> dict[GenerationMode, list[RequestCase]]:
        operation = self.contract.operation(operation_id)
        found: dict[GenerationMode, list[RequestCase]] = {mode: [] for mode in GenerationMode}
        for case in self._iter_coverage(self._schema[operation.path][operation.method], self._schema):
            # It also tries other methods, which are other operations and may do anything on a live target.
            if case.method.upper() == operation.method:
                found[case.meta.generation.mode].append(self._request(operation, case))
        return found

    def _iter_coverage(self, described: Any, schema: Any, *modes: GenerationMode) -> Iterator[Any]:
        # Asked for negative cases alone, it makes every other part of a request negative too.
        config = schema.config.generation_for(operation=described)
        cases: Iterator[Any] = schema.iter_coverage_cases(
            described, generation_modes=list(modes or GenerationMode), generation_config=config
        )
        # Their number grows with the alternatives within alternatives, the work on each with the size of the schema.
        return islice(cases, MOST_COVERED)

    def drawn_from(self, schema: Any) -> Iterator[Any]:
        """Give one batch of values for a schema that may refer to the contract; they are not checked again."""
        return self._drawn_values(schema, json.dumps(schema, sort_keys=True), GenerationMode.POSITIVE, rows=0)

    def _values(self, schema: str, mode: GenerationMode) -> Iterator[Any]:
        return self._drawn_values(self.contract.at(self.contract.follow(schema)), schema, mode)

    def _drawn_values(self, schema: Any, name: str, mode: GenerationMode, rows: int = 1) -> Iterator[Any]:
        strategy = self._body_schema(schema)[VALUES_PATH]["POST"].as_strategy(generation_mode=mode)
        for drawn in self._draw(strategy, f"{name} {mode}", rows):
            if not isinstance(drawn.body, NotSet):
                yield drawn.body

    def _body_schema(self, schema: Any) -> Any:
        _use_scratch_directory()
        # schemathesis makes requests only, so the schema becomes the body of an operation that exists for this alone.
        document = {**self._document, "paths": {**self._document.get("paths", {}), **_body_operation(schema)}}
        return schemathesis.openapi.from_dict(document)

    def _draw(self, strategy: Any, purpose: str, rows: int = 1) -> Iterator[Any]:
        for number, size in enumerate(self.budget.batches(rows)):
            yield from draw(strategy, size, self._seed_of(purpose, number))

    def _seed_of(self, purpose: str, number: int) -> int:
        digest = hashlib.sha256(f"{self.seed} {purpose} {number}".encode()).digest()
        return int.from_bytes(digest[:8])

    def _request(self, operation: Operation, drawn: Any) -> RequestCase:
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        sources = {
            "path": drawn.path_parameters,
            "query": drawn.query,
            "header": drawn.headers,
            "cookie": drawn.cookies,
        }
        for parameter in operation.parameters:
            source = sources[parameter.location] or {}
            if parameter.name in source:
                values[parameter.location][parameter.name] = self._typed(parameter, source[parameter.name])
        case = parameters_only(operation, values)
        if operation.body is None or isinstance(drawn.body, NotSet):
            return case
        return replace(case, body=drawn.body, media_type=drawn.media_type or "")

    def _typed(self, parameter: Parameter, value: Any) -> Any:
        # schemathesis hands out what stands on the wire: %-encoded in paths, and `true` for a boolean.
        if parameter.location == "path" and isinstance(value, str):
            value = unquote(value)
        if not isinstance(value, str) or parameter.schema is None or self.contract.is_valid(value, parameter.schema):
            return value
        try:
            typed = read_json(value)
        except ValueError:
            return value
        is_typed = all(
            problem.keyword not in {"type", "format"} for problem in self.contract.problems(typed, parameter.schema)
        )
        return typed if is_typed else value


@cache
def _use_scratch_directory() -> None:
    # Otherwise hypothesis would leave its caches in the user's current directory.
    hypothesis.configuration.set_hypothesis_home_dir(scratch_folder() / "hypothesis")
    _keep_what_utf_8_encodes()


def _keep_what_utf_8_encodes() -> None:
    # In a new directory hypothesis finds it out by encoding every character there is, which takes a second or two.
    path = charmap_file("codec-v2-utf-8")
    path.parent.mkdir(parents=True)
    lost_in_a_round_trip: list[Any] = []
    path.write_bytes(gzip.compress(json.dumps([ALL_BUT_SURROGATES, lost_in_a_round_trip]).encode()))


def example_requests(operation: Operation) -> Iterator[RequestCase]:
    """Give the requests that the contract's own examples make up; none if a required part has no example."""
    first: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    for parameter in operation.parameters:
        if parameter.examples:
            first[parameter.location][parameter.name] = parameter.examples[0].value
        elif parameter.required:
            return
    bodies = [(media.media_type, example) for media in _media_of(operation) for example in media.examples]
    if operation.body is None or not operation.body.required:
        yield parameters_only(operation, first)
    for media_type, example in bodies:
        yield replace(parameters_only(operation, first), body=example.value, media_type=media_type)


def _part(breach: Problem) -> str:
    # Names within a map are anybody's, so a part is known by the member that it lies in, and how deep.
    tokens = breach.at.split("/")
    return f"{tokens[:2]} {len(tokens)}"


def has_path(case: RequestCase) -> bool:
    """Whether the path of a request can be written."""
    return all(item.name in case.path for item in case.operation.parameters if item.location == "path")


def parameters_only(operation: Operation, values: dict[str, dict[str, Any]]) -> RequestCase:
    """Make a request without a body from parameters by location and name."""
    path, query, headers, cookies = (values[location] for location in ("path", "query", "header", "cookie"))
    return RequestCase(operation, path, query, headers, cookies)


def _media_of(operation: Operation) -> list[Media]:
    return list(operation.body.media.values()) if operation.body else []


def draw(strategy: Any, count: int, random_seed: int) -> list[Any]:
    """Draw up to ``count`` values from a hypothesis strategy, the same ones for the same seed."""
    drawn: list[Any] = []

    @seed(random_seed)
    @quiet_settings(count, Phase.generate, suppress_health_check=UNHEALTHY)
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    run: Callable[[], None] = collect
    # Where next to nothing fits (of two alternatives that may both be true, say), it would try for many seconds.
    with contextlib.suppress(Unsatisfiable, FailedHealthCheck):
        run()
    return drawn


def _without_security(document: Any) -> dict[str, Any]:
    # Keys are the harness's business: generated ones would only make every request fail for the wrong reason.
    plain = offline(document)
    for item in plain.get("paths", {}).values():
        for operation in (one for one in item.values() if isinstance(one, dict)):
            for holder in (item, operation):
                if "parameters" in holder:
                    holder["parameters"] = arguments(document, operation, holder["parameters"])
            operation.pop("security", None)
    plain.pop("security", None)
    plain.get("components", {}).pop("securitySchemes", None)
    return plain


def _body_operation(schema: Any) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {VALUES_PATH: {"post": {"requestBody": body, "responses": {"200": {"description": "never sent"}}}}}
