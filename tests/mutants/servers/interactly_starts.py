"""Faults of what Interactly's runs are started with: no command, variables of several kinds, versions, times."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from contract_tests.openapi.text_equality import time_with_offset
from mutants.servers.fault import Fault
from mutants.servers.interactly_faults import commanded, input_of, is_start, put_input, run_in
from mutants.servers.messages import EXECUTE, LIST_RUNS, OK, READ_RUN, Reply, Request


@dataclass
class CommandGuessed(Fault):
    """Takes what has no command for data, where it looks like that."""

    when: Callable[[Request], bool]

    def change_request(self, request: Request) -> None:
        """Put the command."""
        if request.operation == EXECUTE and input_of(request).get("command") is None and self.when(request):
            put_input(request, {"command": "data"})


def has_node_inputs(request: Request) -> bool:
    """Whether there is input for a node."""
    threads = input_of(request).get("thread_to_node_inputs")
    found = [*threads.values()] if isinstance(threads, dict) else []
    return any(one.get("node_run_inputs") for one in found if isinstance(one, dict))


@dataclass
class FilledBy(Fault):
    """Has variables of one kind fill the placeholders of another one as well."""

    kind: str
    by: str
    is_first: bool = False

    def change_request(self, request: Request) -> None:
        """Put them there; those of its own come first, or not."""
        own, other = (input_of(request).get(name, {}) for name in (self.kind, self.by))
        if is_start(request) and isinstance(own, dict) and isinstance(other, dict) and other:
            put_input(request, {self.kind: {**own, **other} if self.is_first else {**other, **own}})


class ZeroIsNone(Fault):
    """Asks whether there is a version by whether it is true, which 0 is not."""

    def change_request(self, request: Request) -> None:
        """Leave it out."""
        if request.operation == EXECUTE and request.query.get("version") == "0":
            request.query_string = urlencode({name: text for name, text in request.query.items() if name != "version"})


@dataclass
class VersionOfBody(Fault):
    """Goes on with the version that a further command has in its body."""

    _versions: dict[str, int] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Keep it, and show it."""
        run, number = commanded(request), input_of(request).get("version_number")
        if run and reply.status == OK and isinstance(number, int):
            self._versions[run] = number
        read = run_in(reply) if request.operation == READ_RUN else {}
        if read.get("workflow_run_id") in self._versions:
            shown = {**read, "version_number": self._versions[read["workflow_run_id"]]}
            reply.put({"workflow_run": {**reply.members["workflow_run"], "workflow_run": shown}})


@dataclass
class ChangedAt(Fault):
    """Tells the time of the last change by a clock that is off by some hours, where runs are read or where listed."""

    operation: str
    hours: int

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put it."""
        if request.operation != self.operation or reply.status != OK:
            return
        if self.operation == READ_RUN:
            reply.put({"workflow_run": self._shifted(reply.members["workflow_run"])})
        else:
            reply.put({**reply.members, "workflow_runs": [*map(self._shifted, reply.members["workflow_runs"])]})

    def _shifted(self, record: dict[str, Any]) -> dict[str, Any]:
        told = datetime.fromisoformat(record["updated_at"]) + timedelta(hours=self.hours)
        return {**record, "updated_at": told.isoformat()}


@dataclass
class BoundsMoved(Fault):
    """Takes bounds of the list for other times."""

    names: Iterable[str]
    change: Callable[[datetime], datetime]

    def change_request(self, request: Request) -> None:
        """Put them."""
        told = {name: time_with_offset(request.query.get(name)) for name in self.names}
        times = {name: self.change(time).isoformat() for name, time in told.items() if time is not None}
        if request.operation == LIST_RUNS and times:
            request.query_string = urlencode({**request.query, **times})


def to_its_day(time: datetime) -> datetime:
    """Give the beginning of its day."""
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def to_the_end_of_its_day(time: datetime) -> datetime:
    """Give the end of its day."""
    return time.replace(hour=23, minute=59, second=59, microsecond=0)
