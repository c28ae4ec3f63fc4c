"""Requests: what the client sends for legal arguments."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.client.cards import operation_rule
from contract_tests.client.credentials import credentials_for, credentials_of
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Lost, Raised, describe
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http import expected_parameters as wire
from contract_tests.http.bodies import body_problems
from contract_tests.http.body_comparison import body_differences
from contract_tests.http.body_kinds import request_media
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Contract, Operation, Parameter
from contract_tests.openapi.json_text import is_json, json_or
from contract_tests.openapi.schema import closest_schema
from contract_tests.rules import NotApplicable, NotExercised, Violation

OPENAPI = "https://spec.openapis.org/oas/v3.1.1.html"
RFC_3986 = "https://www.rfc-editor.org/rfc/rfc3986#section-3.3"
STEPS = frozenset({None, "", ".", ".."})
rule: Final = partial(operation_rule, basis="documented")


def sent_requests(trials: Trials) -> Iterator[tuple[Trial[RequestCase], RecordedRequest]]:
    """Return the trials whose request reached the wire as HTTP, with that request."""
    found = [(trial, seen) for trial in trials.legal_requests() for seen in trial.seen[:1]]
    if all(seen.broken for _, seen in found):
        raise NotExercised("no legal request reached the wire, see CL-REQ-01")
    return ((trial, seen) for trial, seen in found if not seen.broken)


def parameters_in(operation: Operation, location: str) -> dict[str, Parameter]:
    """Return the declared parameters of a location by name."""
    return {item.name: item for item in operation.parameters if item.location == location}


def parameter_of(case: RequestCase) -> Parameter:
    """Return the parameter that a request was made for."""
    return next(item for item in case.operation.parameters if item.pointer == case.focus)


@rule(
    "CL-REQ-01",
    "Every legal request can be made.",
    says="Arguments that the contract allows are sent: none is refused, lost, or impossible to write.",
    source=f"{OPENAPI}#operation-object",
)
def test_legal_requests_are_sent(trials: Trials) -> Iterator[Violation]:
    for trial in trials.legal_requests():
        outcome = trial.outcome
        if trial.seen and trial.seen[0].broken:
            yield trial.violation("is HTTP", f"no HTTP request: {trial.seen[0].broken}")
        elif isinstance(outcome, Lost) or not trial.seen:
            kind = outcome.type_name if isinstance(outcome, Raised) else type(outcome).__name__.lower()
            yield trial.violation(trial.case.focus or kind, describe(outcome))


@rule(
    "CL-REQ-02",
    "A call sends exactly one request.",
    says="One call is one request: a legal answer leaves no reason for another.",
    source=f"{OPENAPI}#operation-object",
)
def test_one_request_per_call(trials: Trials) -> Iterator[Violation]:
    for trial, _ in sent_requests(trials):
        if len(trial.seen) > 1:
            yield trial.violation("count", f"{len(trial.seen)} requests")


@rule(
    "CL-REQ-03",
    "A request has the operation's method and path.",
    says="The path is the server's path and the operation's template, with each value percent-encoded.",
    source=f"{OPENAPI}#path-templating",
)
def test_method_and_path(trials: Trials) -> Iterator[Violation]:
    operation, base = trials.operation, base_path(trials.operation)
    declared = parameters_in(operation, "path")
    for trial, seen in sent_requests(trials):
        if seen.method != operation.method:
            yield trial.violation("method", seen.method, operation.method)
        values = wire.path_values(operation, base, seen.target)
        if values is None:
            yield trial.violation("path", wire.path_of(seen.target), base + operation.path)
            continue
        for name, value in trial.case.path.items():
            if not wire.matches_value(values[name], value, declared[name]):
                yield trial.violation(declared[name].pointer, wire.path_of(seen.target), f"{name} {value!r}")


@rule(
    "CL-REQ-04",
    "A path value that is a dot, two dots or empty never leads to another path.",
    says="Such a value is refused before anything is sent, or its dots arrive percent-encoded in their own segment.",
    source=RFC_3986,
)
def test_path_steps(trials: Trials) -> Iterator[Violation]:
    operation, base = trials.operation, base_path(trials.operation)
    tried = trials.probes()
    if not tried:
        raise NotApplicable("no path segment of this operation begins with a parameter")
    for trial in tried:
        name = parameter_of(trial.case).name
        for seen in trial.seen[:1]:
            values = wire.path_values(operation, base, seen.target)
            segment = wire.segment_of(operation, base, seen.target, name)
            # With more in its segment than the value it is no step, as in `...1` for `{first}..{last}`.
            if values is None or segment in STEPS or wire.decode(values[name]) != trial.case.path[name]:
                received = f"{trial.case.path[name]!r} went out as {seen.method} {wire.path_of(seen.target)}"
                yield trial.violation(trial.case.focus, received)


@rule(
    "CL-REQ-05",
    "The query holds the caller's arguments, in their style, and nothing else.",
    says="Each query parameter has the contract's name and style. Nothing is added.",
    source=f"{OPENAPI}#style-values",
)
def test_query(trials: Trials) -> Iterator[Violation]:
    declared = parameters_in(trials.operation, "query")
    scheme = trials.scheme
    secret = scheme.name if scheme and scheme.location == "query" else None
    for trial, seen in sent_requests(trials):
        pairs = [pair for pair in wire.query_pairs(seen.target) if wire.decode(pair[0]) != secret]
        pairs, missing = wire.without_fixed(trials.operation, pairs)
        given = trial.case.query
        for pair in missing:
            yield trial.violation("the path's own query", f"{pair} was not sent")
        for name, problem in wire.query_problems(declared, given, pairs):
            if name and name not in given and is_default(trials.contract, declared[name], pairs):
                continue
            constraint = declared[name].pointer if name else "nothing is added"
            yield trial.violation(constraint, problem, f"{name}={given[name]!r}" if name in given else "")


def is_default(contract: Contract, parameter: Parameter, pairs: list[tuple[str, str]]) -> bool:
    """Whether the pairs of a parameter are its default."""
    schema = contract.at(contract.follow(parameter.schema)) if parameter.schema else {}
    if not isinstance(schema, dict) or "default" not in schema:
        return False
    own = [pair for pair in pairs if wire.decode(pair[0]) == parameter.name]
    return not list(wire.query_problems({parameter.name: parameter}, {parameter.name: schema["default"]}, own))


@rule(
    "CL-REQ-06",
    "Header and cookie parameters arrive as the caller passed them.",
    says="Each declared header and cookie has its name and its value; no cookie is added.",
    source=f"{OPENAPI}#parameter-locations",
)
def test_headers_and_cookies(trials: Trials) -> Iterator[Violation]:
    headers, cookies = parameters_in(trials.operation, "header"), parameters_in(trials.operation, "cookie")
    if not headers and not cookies:
        raise NotApplicable("the operation has no header and no cookie parameters")
    scheme = trials.scheme
    secret = scheme.name if scheme and scheme.location == "cookie" else ""
    for trial, seen in sent_requests(trials):
        for name, parameter in headers.items():
            got, given = seen.all(name), trial.case.headers
            holds = len(got) == 1 and wire.header_reads(got[0], given[name], parameter) if name in given else not got
            if not holds:
                yield trial.violation(parameter.pointer, f"{name}: {got}")
        got_cookies = {name: value for name, value in wire.cookies_of(seen).items() if name != secret}
        for name in sorted({*got_cookies, *trial.case.cookies}):
            given = trial.case.cookies
            holds = name in got_cookies and name in given and name in cookies
            if not (holds and wire.header_reads(got_cookies[name], given[name], cookies[name])):
                constraint = cookies[name].pointer if name in cookies else "no cookie is added"
                yield trial.violation(constraint, f"cookie {name}={got_cookies.get(name)}")


@rule(
    "CL-REQ-07",
    "The credentials stand where the contract wants them, and nowhere else.",
    says="The operation's security scheme says in which header, query parameter or cookie the key goes.",
    source=f"{OPENAPI}#security-scheme-object",
)
def test_credentials(trials: Trials) -> Iterator[Violation]:
    key, scheme = trials.session.key, trials.scheme
    for trial, seen in sent_requests(trials):
        everywhere = [seen.target, seen.body.decode("utf-8", "replace"), *(value for _, value in seen.headers)]
        count = sum(text.count(key) for text in everywhere)
        if scheme is None:
            if count:
                yield trial.violation("security", f"the key was sent {count} times", "no credentials")
            continue
        needed = (scheme, *scheme.others)
        for each in needed:
            got, wanted = credentials_of(seen, each), credentials_for(each, key)
            if [_spelled(text) for text in got] != [_spelled(wanted)]:
                place = f"{each.scheme or each.name} in {each.location or 'the Authorization header'}"
                yield trial.violation("security", f"{got}", place)
        plain = sum(each.scheme != "basic" for each in needed)  # there the key is encoded
        if count > plain:
            yield trial.violation("security", f"the key was sent {count} times", "once")


def _spelled(credentials: str) -> str:
    scheme, space, rest = credentials.partition(" ")  # the name of a scheme may be written in any case
    return f"{scheme.lower()}{space}{rest}" if space else credentials


@rule(
    "CL-REQ-08",
    "The body is what the caller passed, in the contract's media type.",
    says="Every type and every property is kept: null is not absent, 1 is not 1.0, nothing is dropped or added.",
    source=f"{OPENAPI}#request-body-object",
)
def test_body(trials: Trials) -> Iterator[Violation]:
    media = request_media(trials.operation)
    for trial, seen in sent_requests(trials):
        if trial.case.has_body and media is not None:
            for problem in body_problems(trials.outgoing, media, trial.case.body, seen):
                yield trial.violation(*problem)
        elif seen.body or seen.all("Content-Type"):
            yield trial.violation("no body", f"{len(seen.body)} bytes, Content-Type {seen.all('Content-Type')}")


@rule(
    "CL-REQ-09",
    "A default is not sent unless the caller passed it.",
    says="A default says what the server does if the value is absent. A client that sends it overrides the server.",
    source="https://json-schema.org/draft/2020-12/json-schema-validation#section-9.2",
    basis="inferred",
)
def test_defaults_stay_at_home(trials: Trials) -> Iterator[Violation]:
    media, declared = request_media(trials.operation), parameters_in(trials.operation, "query")
    for trial, seen in sent_requests(trials):
        pairs, _ = wire.without_fixed(trials.operation, wire.query_pairs(seen.target))
        for name in {name for name, _ in wire.query_problems(declared, trial.case.query, pairs)}:
            if name and name not in trial.case.query and is_default(trials.contract, declared[name], pairs):
                yield trial.violation(declared[name].pointer, f"the query holds {name}, its default")
        body = json_or(seen.body, ABSENT) if trial.case.has_body and media and is_json(media.media_type) else ABSENT
        if body is ABSENT or media is None:
            continue
        for found in body_differences(trials.contract, media.schema, trial.case.body, body):
            if found.is_default and media.schema:
                constraint = closest_schema(trials.contract, media.schema, found.place)
                yield trial.violation(constraint, found.received, found.documented)


@rule(
    "CL-REQ-10",
    "A text in a header or a cookie stays in it.",
    says="A line feed ends a header and a semicolon a cookie: a text with such is encoded or refused, never sent raw.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
)
def test_nothing_is_smuggled(trials: Trials) -> Iterator[Violation]:
    tried = trials.smuggled()
    if not tried:
        raise NotApplicable("no header and no cookie of this operation holds any text")
    for trial in tried:
        item = parameter_of(trial.case)
        given = trial.case.values(item.location)[item.name]
        for seen in trial.seen[:1]:
            cookies = wire.cookies_of(seen)
            got = [cookies[item.name]] if item.location == "cookie" and item.name in cookies else seen.all(item.name)
            if len(got) != 1 or not wire.holds_text(got[0], given) or _is_smuggled(seen):
                yield trial.violation(item.pointer, f"{given!r} went out as {got}")


def _is_smuggled(seen: RecordedRequest) -> bool:
    return bool(seen.broken or seen.all("X-Smuggled") or "smuggled" in wire.cookies_of(seen))


@rule(
    "CL-REQ-11",
    "A request does not ask for other media types than the contract brings.",
    says="Where Accept is sent, it lets come what is documented for each status of success: a service may refuse else.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1",
)
def test_accept(trials: Trials) -> Iterator[Violation]:
    responses = trials.operation.responses
    successes = [list(item.media) for status, item in responses.items() if status[0] == "2" and item.media]
    if not successes:
        raise NotApplicable("no success of this operation has a body")
    for trial, seen in sent_requests(trials):
        accept = ", ".join(seen.all("Accept"))
        for media_types in successes if accept else ():
            if not any(wire.admits(accept, media_type) for media_type in media_types):
                yield trial.violation("Accept", accept, " or ".join(media_types))
