"""Every operation of a server: one connection."""

from functools import partial
from typing import Final

import pytest

from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, Checks, Violation
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import LATER, REFUSED
from contract_tests.server.relations.one_connection import READING, OneConnection, Step, one_connection
from contract_tests.server.server import ServerUnderTest

HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
FRAMING: Final = "https://www.rfc-editor.org/rfc/rfc9112#section-6"
ACCEPTED, ENDED, FIRST_ERROR = 202, {200, 500}, 400
PAIRS: Final = (
    ("the first request", "the first request again"),
    ("a refused one with a large body", "another refused one"),
)
CODED: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress"})
rule: Final = partial(
    card, source=HTTP, operations=EVERY_OPERATION, side="server", requests=4, otherwise="nothing was answered"
)


@pytest.fixture(scope="session")
def all_connections() -> dict[tuple[ServerUnderTest, str], OneConnection]:
    """Keep what came on a connection, so that every rule looks at the same."""
    return {}


@pytest.fixture
def connection(
    server: ServerUnderTest, operation: Operation, all_connections: dict[tuple[ServerUnderTest, str], OneConnection]
) -> OneConnection:
    """Return what came of the operation's requests on one connection."""
    key = (server, operation.id)
    if key not in all_connections:
        all_connections[key] = one_connection(server, operation)
    return all_connections[key]


@rule(
    "REL-HTTP-01",
    "What was sent on a connection before changes no response.",
    says="HTTP is stateless: a request is understood by itself, after an error, HEAD or a body that was not read, too. "
    "A server that has had enough closes the connection.",
    basis="documented",
)
def test_connection_has_no_memory(connection: OneConnection) -> Checks:
    if connection.problem and connection.steps:
        after = connection.steps[-1].what
        yield connection.violation(f"response after {after}", f"after {after}: {connection.problem}")
    responses = {step.what: step for step in connection.steps}
    needs_key = bool(security := connection.taken.case.operation.security) and all(security)
    for one, other in PAIRS:
        # Where no key is asked for, what is sent without one is refused for its body alone, if at all.
        if one in responses and other in responses and (needs_key or "refused" not in one):
            yield _differs(connection, responses[one], responses[other])
    read = responses.get(READING)
    if read is not None and read.response.status >= FIRST_ERROR and read.response.status not in LATER:
        received = f"{READING}, which is taken alone, is answered {read.response.status} after what was refused"
        yield connection.violation("response after a refusal", received)
    for what, step in responses.items():
        if needs_key and "refused" in what and step.response.status < FIRST_ERROR:
            yield connection.violation("key", f"{what}, which has no key, is answered {step.response.status}")


@rule(
    "REL-HTTP-02",
    "A response has one content type, and ends where it says.",
    says="Content-Length counts bytes, and nothing comes behind them. Content-Type is a header that stands once. A "
    "response to HEAD has no body.",
    source=f"{FRAMING}; {HTTP}#section-8.3",
    basis="documented",
)
def test_response_ends_where_it_says(connection: OneConnection) -> Checks:
    for step in connection.steps:
        types, beyond = step.response.all("content-type"), step.response.beyond
        yield connection.violation("Content-Type", f"{step.what} has {types}") if len(types) > 1 else None
        yield connection.violation("end", f"behind {step.what} came {beyond[:100]!r}") if beyond else None


@rule(
    "REL-HTTP-03",
    "A body is not compressed if that is not asked for.",
    says="Accept-Encoding: identity asks for a body as it is; what is not acceptable a server should not send.",
    source=f"{HTTP}#section-12.5.3",
    basis="inferred",
)
def test_body_is_not_compressed(connection: OneConnection) -> Checks:
    for step in connection.steps:
        codings = {one.strip().lower() for value in step.response.all("content-encoding") for one in value.split(",")}
        found = sorted(codings & CODED)
        coded = f"the response to {step.what}, which asks for a body as it is, comes as {', '.join(found)}"
        yield connection.violation("Content-Encoding", coded) if found else None


def _differs(connection: OneConnection, one: Step, other: Step) -> Violation | None:
    first, second = one.response.status, other.response.status
    # A limit may be met in the midst of refusals, and a run may end in the midst of polls.
    if {first, second} & {*LATER}:
        return None
    are_alike = first == second or {first, second} <= {*REFUSED} or (first == ACCEPTED and second in ENDED)
    received = f"{one.what} is answered {first}, {other.what} {second}"
    return None if are_alike else connection.violation("status", received)
