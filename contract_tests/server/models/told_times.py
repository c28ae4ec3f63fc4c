"""When runs were started and changed, as their records tell it, and what can't be so."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from contract_tests.openapi.text_equality import time_with_offset
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.told_facts import shown_runs

if TYPE_CHECKING:
    from contract_tests.rules import Violation

CLOSE: Final = timedelta(minutes=10)  # less than any two time zones differ by


def start_and_change(record: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """Return when a run was started and changed last, if its record tells both with an offset."""
    started, changed = (time_with_offset(record.get(name)) for name in ("created_at", "updated_at"))
    return None if started is None or changed is None else (started, changed)


def date_of(exchange: Exchange) -> datetime | None:
    """Return when a response was made, by the clock of who made it."""
    try:
        found = parsedate_to_datetime(exchange.reply_headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def checks_of_times(exchanges: Iterable[Exchange], runs: set[str]) -> Iterator["Violation | None"]:
    """Yield what each record of some runs comes to: none was changed before it was started, or after that is told."""
    for exchange in exchanges:
        if exchange.access is Access.OWN and not exchange.is_cut:
            for id_, _, record in shown_runs(exchange):
                times = start_and_change(record)
                if id_ in runs and times is not None:
                    yield _check(exchange, *times)


def _check(exchange: Exchange, started: datetime, changed: datetime) -> "Violation | None":
    told = date_of(exchange)
    is_early, is_late = started - changed > CLOSE, told is not None and max(started, changed) - told > CLOSE
    name = "created_at" if told is not None and started - told > CLOSE else "updated_at"
    received = f"created_at is {started}, updated_at {changed}, and Date of the response {told}"
    return exchange.check(not (is_early or is_late), name, received)
