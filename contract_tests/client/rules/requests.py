"""Requests: what the client sends for legal arguments."""

from collections.abc import Iterator

from contract_tests.client.credentials import credentials_for, credentials_of
from contract_tests.client.findings import Findings
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Lost, Raised, told
from contract_tests.client.trials import RequestTrial, Trials
from contract_tests.http import expected_parameters as wire
from contract_tests.http.bodies import body_problems
from contract_tests.http.body_comparison import body_differences, read_body
from contract_tests.http.body_kinds import is_json, request_media
from contract_tests.http.recording_server import RecordedRequest
from contract_tests.openapi.document import Contract, Operation, Parameter
from contract_tests.openapi.schema_locations import closest_schema
from contract_tests.rules import EVERY_OPERATION, NotApplicable, NotExercised, Violation, rule

OPENAPI = "https://spec.openapis.org/oas/v3.1.1.html"
RFC_3986 = "https://www.rfc-editor.org/rfc/rfc3986#section-3.3"
STEPS = frozenset({None, "", ".", ".."})


def sent(trials: Trials, operation: Operation) -> Iterator[tuple[RequestTrial, RecordedRequest]]:
    """Give the trials whose request reached the wire as HTTP, with that request."""
    found = [(trial, seen) for trial in trials.legal_requests(operation) for seen in trial.played.seen[:1]]
    if not any(not seen.broken for _, seen in found):
        raise NotExercised("no legal request reached the wire, see CL-REQ-01")
    return ((trial, seen) for trial, seen in found if not seen.broken)


def parameters_in(operation: Operation, place: str) -> dict[str, Parameter]:
    """Give the declared parameters of a place by name."""
    return {item.name: item for item in operation.parameters if item.location == place}


@rule(
    "CL-REQ-01",
    "Every legal request can be made.",
    says="Arguments that the contract allows are sent: none is refused, lost, or impossible to write.",
    source=f"{OPENAPI}#operation-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_legal_requests_are_sent(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Each trial has put an HTTP request on the wire."""
    for trial in trials.legal_requests(operation):
        played, outcome = trial.played, trial.played.outcome
        if played.seen and played.seen[0].broken:
            yield findings.of("is HTTP", f"no HTTP request: {played.seen[0].broken}", played=played)
        elif isinstance(outcome, Lost) or not played.seen:
            kind = outcome.type_name if isinstance(outcome, Raised) else type(outcome).__name__.lower()
            yield findings.of(trial.focus or kind, told(outcome), played=played)


@rule(
    "CL-REQ-02",
    "A call sends exactly one request.",
    says="One call is one request: a legal answer leaves no reason for another.",
    source=f"{OPENAPI}#operation-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_one_request_per_call(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No trial has put more than one request on the wire."""
    for trial, _ in sent(trials, operation):
        if len(trial.played.seen) > 1:
            yield findings.of("count", f"{len(trial.played.seen)} requests", played=trial.played)


@rule(
    "CL-REQ-03",
    "A request has the operation's method and path.",
    says="The path is the server's path and the operation's template, with each value percent-encoded.",
    source=f"{OPENAPI}#path-templating",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_method_and_path(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Method and path of each request are what the arguments make of the template."""
    declared = parameters_in(operation, "path")
    for trial, seen in sent(trials, operation):
        if seen.method != operation.method:
            yield findings.of("method", seen.method, played=trial.played, documented=operation.method)
        values = wire.path_values(operation, base_path(operation), seen.target)
        if values is None:
            documented = base_path(operation) + operation.path
            yield findings.of("path", wire.path_of(seen.target), played=trial.played, documented=documented)
            continue
        for name, value in trial.case.path.items():
            if not wire.matches_value(values[name], value, declared[name]):
                said = f"{name} {value!r}"
                yield findings.of(
                    declared[name].pointer, wire.path_of(seen.target), played=trial.played, documented=said
                )


@rule(
    "CL-REQ-04",
    "A path value that is a dot, two dots or empty never leads to another path.",
    says="Such a value is refused before anything is sent, or its dots arrive percent-encoded in their own segment.",
    source=RFC_3986,
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_path_steps(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A probe that was sent has its value, encoded, where it belongs."""
    tried = trials.probes(operation)
    if not tried:
        raise NotApplicable("no path segment of this operation begins with a parameter")
    for trial in tried:
        for seen in trial.played.seen[:1]:
            name = next(item.name for item in operation.parameters if item.pointer == trial.about)
            values = wire.path_values(operation, base_path(operation), seen.target)
            segment = wire.segment_of(operation, base_path(operation), seen.target, name)
            # With more in its segment than the value it is no step, as in `...1` for `{first}..{last}`.
            if values is None or segment in STEPS or wire.decode(values[name]) != trial.case.path[name]:
                received = f"{trial.case.path[name]!r} went out as {seen.method} {wire.path_of(seen.target)}"
                yield findings.of(trial.about, received, played=trial.played)


@rule(
    "CL-REQ-05",
    "The query holds the caller's arguments, in their style, and nothing else.",
    says="Each query parameter has the contract's name and style. Nothing is added.",
    source=f"{OPENAPI}#style-values",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_query(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The query of each request reads as the arguments; a default that was added has a rule of its own."""
    declared = parameters_in(operation, "query")
    scheme = trials.stage.scheme(operation)
    secret = scheme.name if scheme and scheme.location == "query" else None
    for trial, seen in sent(trials, operation):
        pairs = [pair for pair in wire.query_pairs(seen.target) if pair[0] != secret]
        pairs, missing = wire.without_fixed(operation, pairs)
        for pair in missing:
            yield findings.of("the path's own query", f"{pair} was not sent", played=trial.played)
        for name, problem in wire.query_problems(declared, trial.case.query, pairs):
            if name and name not in trial.case.query and is_default(trials.contract, declared[name], pairs):
                continue
            constraint = declared[name].pointer if name else "nothing is added"
            documented = f"{name}={trial.case.query[name]!r}" if name in trial.case.query else ""
            yield findings.of(constraint, problem, played=trial.played, documented=documented)


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
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_headers_and_cookies(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Headers and cookies of each request read as the arguments."""
    headers, cookies = parameters_in(operation, "header"), parameters_in(operation, "cookie")
    if not headers and not cookies:
        raise NotApplicable("the operation has no header and no cookie parameters")
    scheme = trials.stage.scheme(operation)
    secret = scheme.name if scheme and scheme.location == "cookie" else ""
    for trial, seen in sent(trials, operation):
        for name, parameter in headers.items():
            got, given = seen.all(name), trial.case.headers
            holds = len(got) == 1 and wire.header_reads(got[0], given[name]) if name in given else not got
            if not holds:
                yield findings.of(parameter.pointer, f"{name}: {got}", played=trial.played)
        got_cookies = {name: value for name, value in wire.cookies_of(seen).items() if name != secret}
        for name in sorted({*got_cookies, *trial.case.cookies}):
            holds = name in got_cookies and name in trial.case.cookies
            if not (holds and wire.header_reads(got_cookies[name], trial.case.cookies[name])):
                constraint = cookies[name].pointer if name in cookies else "no cookie is added"
                yield findings.of(constraint, f"cookie {name}={got_cookies.get(name)}", played=trial.played)


@rule(
    "CL-REQ-07",
    "The credentials stand where the contract wants them, and nowhere else.",
    says="The operation's security scheme says in which header, query parameter or cookie the key goes.",
    source=f"{OPENAPI}#security-scheme-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_credentials(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The key stands once in each request, in its place; not at all for an operation without security."""
    key, scheme = trials.stage.key, trials.stage.scheme(operation)
    for trial, seen in sent(trials, operation):
        everywhere = [seen.target, seen.body.decode("utf-8", "replace"), *(value for _, value in seen.headers)]
        count = sum(text.count(key) for text in everywhere)
        if scheme is None:
            if count:
                yield findings.of("security", f"the key was sent {count} times", documented="no credentials")
            continue
        needed = (scheme, *scheme.others)
        for each in needed:
            got, wanted = credentials_of(seen, each), credentials_for(each, key)
            place = f"{each.scheme or each.name} in {each.location or 'the Authorization header'}"
            if [_spelled(text) for text in got] != [_spelled(wanted)]:
                yield findings.of("security", f"{got}", played=trial.played, documented=place)
        plain = sum(each.scheme != "basic" for each in needed)  # there the key is encoded
        if count > plain:
            yield findings.of("security", f"the key was sent {count} times", played=trial.played, documented="once")


def _spelled(credentials: str) -> str:
    scheme, space, rest = credentials.partition(" ")  # the name of a scheme may be written in any case
    return f"{scheme.lower()}{space}{rest}" if space else credentials


@rule(
    "CL-REQ-08",
    "The body is what the caller passed, in the contract's media type.",
    says="Every type and every property is kept: null is not absent, 1 is not 1.0, nothing is dropped or added.",
    source=f"{OPENAPI}#request-body-object",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_body(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """The body of each request equals the argument; a default that was added has a rule of its own."""
    media = request_media(operation)
    for trial, seen in sent(trials, operation):
        if trial.case.has_body and media is not None:
            for constraint, received, documented in body_problems(trials.outgoing, media, trial.case.body, seen):
                yield findings.of(constraint, received, played=trial.played, documented=documented)
        elif seen.body or seen.all("Content-Type"):
            kinds = seen.all("Content-Type")
            yield findings.of("no body", f"{len(seen.body)} bytes, Content-Type {kinds}", played=trial.played)


@rule(
    "CL-REQ-09",
    "A default is not sent unless the caller passed it.",
    says="A default says what the server does if the value is absent. A client that sends it overrides the server.",
    source="https://json-schema.org/draft/2020-12/json-schema-validation#section-9.2",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_defaults_stay_at_home(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No request holds a default that the caller did not give."""
    media, declared = request_media(operation), parameters_in(operation, "query")
    for trial, seen in sent(trials, operation):
        pairs, _ = wire.without_fixed(operation, wire.query_pairs(seen.target))
        for name in {name for name, _ in wire.query_problems(declared, trial.case.query, pairs)}:
            if name and name not in trial.case.query and is_default(trials.contract, declared[name], pairs):
                yield findings.of(declared[name].pointer, f"the query holds {name}, its default", played=trial.played)
        body = read_body(seen) if trial.case.has_body and media and is_json(media.media_type) else None
        if body is None or media is None:
            continue
        for difference in body_differences(trials.contract, media.schema, trial.case.body, body.value):
            if difference.is_default and media.schema:
                constraint = closest_schema(trials.contract, media.schema, difference.place)
                yield findings.of(
                    constraint, difference.received, played=trial.played, documented=difference.documented
                )


@rule(
    "CL-REQ-10",
    "A text in a header or a cookie stays in it.",
    says="A line feed ends a header and a semicolon a cookie: a text with such is encoded or refused, never sent raw.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_nothing_is_smuggled(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """What was sent for a treacherous text is that text, and no other header or cookie."""
    tried = trials.smuggled(operation)
    if not tried:
        raise NotApplicable("no header and no cookie of this operation holds any text")
    for trial in tried:
        item = trial.parameter
        assert item is not None
        given = trial.case.values(item.location)[item.name]
        for seen in trial.played.seen[:1]:
            cookies = wire.cookies_of(seen)
            got = [cookies[item.name]] if item.location == "cookie" and item.name in cookies else seen.all(item.name)
            if len(got) != 1 or not wire.holds_text(got[0], given) or _is_smuggled(seen):
                yield findings.of(item.pointer, f"{given!r} went out as {got}", played=trial.played)


def _is_smuggled(seen: RecordedRequest) -> bool:
    return bool(seen.broken or seen.all("X-Smuggled") or "smuggled" in wire.cookies_of(seen))


@rule(
    "CL-REQ-11",
    "A request does not ask for other media types than the contract brings.",
    says="Where Accept is sent, it lets come what is documented for each status of success: a service may refuse else.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1",
    basis="documented",
    operations=EVERY_OPERATION,
    side="client",
)
def test_accept(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Of the media types of each success, the header lets at least one come; without it anything may."""
    successes = [list(item.media) for status, item in operation.responses.items() if status[0] == "2" and item.media]
    if not successes:
        raise NotApplicable("no success of this operation has a body")
    for trial, seen in sent(trials, operation):
        accept = ", ".join(seen.all("Accept"))
        for media_types in successes if accept else ():
            if not any(wire.admits(accept, media_type) for media_type in media_types):
                yield findings.of("Accept", accept, played=trial.played, documented=" or ".join(media_types))
