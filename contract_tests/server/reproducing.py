"""Commands that show a finding again where it is about a run: an id of this session would be used up, or be gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from contract_tests.rules import Violation
from contract_tests.server.models.exchange import Exchange

STARTS: Final = {  # operations that start a run, and the properties of their responses one of which tells its id
    "runWorkflow": ("workflow_version_execution_id",),
    "executeWorkflow": ("workflow_run_id", "run_id"),
}
SHORTEST: Final = 4  # a shorter id may stand in any command
UNIQUE: Final = 16  # a shorter one in any text
MOST: Final = 8  # commands for the run, without which it could not be told what the last one is about


def from_the_start(found: Violation, exchanges: Sequence[Exchange]) -> Violation:
    """Return a finding whose commands begin with the start of the run that its request or its text names, if any."""
    exchange = next((one for one in exchanges if found.evidence and one.number == found.evidence.exchange), None)
    if exchange is None or found.reproduce != exchange.curl:
        return found
    named, text = set(_named(exchange)), found.received.removesuffix(exchange.shown)
    for start in exchanges[: exchanges.index(exchange)]:
        names = [one for one in STARTS.get(start.case.operation.id, ()) if one in start.result]
        name, id_ = (names[0], str(start.result[names[0]])) if names else ("", "")
        if (id_ in named and len(id_) >= SHORTEST) or (id_ in text and len(id_) >= UNIQUE):
            between = [one for one in exchanges if start.number < one.number < exchange.number]
            commands = [one for one in between if one.case.operation.id in STARTS and id_ in set(_named(one))]
            told = [_with_variable(one.curl, id_) for one in (*commands[-MOST:], exchange)]
            return replace(found, reproduce="\n".join([f"{start.curl}  # RUN: the {name} that it tells", *told]))
    return found


def names_a_run(exchange: Exchange) -> bool:
    """Return whether a request names a run to go on with, so that it may be refused when it is sent again."""
    names, body = STARTS.get(exchange.case.operation.id, ()), exchange.case.body
    return isinstance(body, Mapping) and any(body.get(name) is not None for name in names)


def _named(exchange: Exchange) -> Iterator[str]:
    """Yield what a request names anywhere."""
    case = exchange.case
    yield from map(str, (*case.path.values(), *case.query.values()))
    yield from _texts(case.body)


def _texts(body: Any) -> Iterator[str]:
    yield from (str(value) for value in body.values() if isinstance(value, str)) if isinstance(body, Mapping) else ()


def _with_variable(command: str, id_: str) -> str:
    """Put the shell variable RUN in place of an id, outside of the quotes that it stands in."""
    parts = command.split(id_)
    written = parts[0]
    for part in parts[1:]:
        is_quoted = written.count("'") % 2 == 1
        written += ("'\"$RUN\"'" if is_quoted else "$RUN") + part
    return written
