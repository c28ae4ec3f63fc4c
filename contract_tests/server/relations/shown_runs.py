"""What a response shows of an Interactly run, in whatever form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server.models.exchange import Exchange

PAIRS: Final = "input_output_pairs"


def changed_at(exchange: Exchange) -> datetime | None:
    """Return when a run that is read was changed last, if that is told to more than a second."""
    told = record_in(exchange).get("updated_at")
    return time_with_offset(told) if isinstance(told, str) and "." in told else None


def record_in(exchange: Exchange) -> Mapping[str, Any]:
    """Return the record of a run that is read; empty if a response has none."""
    record = exchange.result.get("workflow_run")
    return record if isinstance(record, Mapping) else {}


def run_in(exchange: Exchange) -> Mapping[str, Any]:
    """Return the run that a response shows, as it was read or commanded."""
    record = record_in(exchange)
    run = record.get("workflow_run") if record else exchange.result
    return run if isinstance(run, Mapping) else {}


def pairs_in(exchange: Exchange) -> list[Mapping[str, Any]]:
    """Return the pairs of the run that a response shows."""
    pairs = run_in(exchange).get(PAIRS)
    return [one for one in pairs if isinstance(one, Mapping)] if isinstance(pairs, list) else []


def said_in(exchange: Exchange) -> list[tuple[Any, Any]]:
    """Return the input and the output of each stretch of execution that a response shows."""
    return [(one.get("run_input"), one.get("run_output")) for one in pairs_in(exchange)]


def stays_in(earlier: tuple[Any, Any], now: tuple[Any, Any]) -> bool:
    """Whether a stretch of execution has the input that it had, and at least the events."""
    return same(earlier[0], now[0]) and goes_on(events_in(earlier[1]), events_in(now[1]))


def events_in(shown: Any) -> list[Any]:
    """Return the events of a turn, or of the output of a stretch of execution."""
    events = shown.get("events") if isinstance(shown, Mapping) else None
    return events if isinstance(events, list) else []


def goes_on(earlier: Any, now: Any) -> bool:
    """Whether a list begins with all of an earlier one, as far as both are lists."""
    are_known = isinstance(earlier, list) and isinstance(now, list)
    return not are_known or same(now[: len(earlier)], earlier)


def says(exchange: Exchange) -> bool:
    """Whether a command tells a run something, in either form."""
    body = exchange.case.body if isinstance(exchange.case.body, Mapping) else {}
    run_input = body.get("run_input", body)
    return isinstance(run_input, Mapping) and run_input.get("command") == "data"
