"""
The life of a PromptLayer execution as a trace: each request for its results with the response, in order.

What has to hold of it is said by the rules of the chapters about results and callbacks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from contract_tests.openapi.json_text import whole
from contract_tests.rules import NotExercised, Violation
from contract_tests.server.models.exchange import Exchange

RUNNING: Final = frozenset({"QUEUED", "RUNNING"})
ENDED: Final = frozenset({"SUCCESS", "FAILED", "SKIPPED"})
WORDS: Final = RUNNING | ENDED | {"FAILURE"}
OK, PENDING, FAILED = 200, 202, 500
GONE: Final = (403, 404, 410)
NODE_OUTPUT: Final = "#/components/schemas/NodeOutput"
CASE_OF_STATUS: Final = f"{NODE_OUTPUT}/properties/status in capitals"


@dataclass(frozen=True)
class Poll:
    """
    One request for results and its response.

    Attributes:
        all_outputs: The flag as it was sent; None if it was not.
        is_result: Whether the response is about the execution: JSON, under the status of a success or of a failed run.
    """

    all_outputs: bool | None
    exchange: Exchange
    body: Any
    is_result: bool = True

    @property
    def status(self) -> int:
        """Of the response."""
        return self.exchange.status

    @property
    def is_done(self) -> bool:
        """Whether the response says that the execution has ended."""
        return self.status != PENDING

    @property
    def is_gone(self) -> bool:
        """Whether the response says that there is no such execution."""
        return self.status in GONE

    @property
    def shows_nodes(self) -> bool:
        """Whether the response has to show the entries of all nodes."""
        return self.is_result and bool(self.all_outputs) and self.status != FAILED

    @cached_property
    def entries(self) -> dict[str, dict[str, Any]]:
        """The entries of the nodes that the response shows."""
        return entries_of(self.body)

    @cached_property
    def words(self) -> set[str]:
        """The statuses of the nodes that the response shows."""
        return {entry["status"] for entry in self.entries.values()}

    @property
    def shows_end(self) -> bool:
        """Whether the response shows nodes, all of which have ended."""
        return bool(self.all_outputs) and bool(self.words) and self.words <= ENDED

    @property
    def ended(self) -> set[str]:
        """The nodes that have ended, by the response."""
        return {name for name, entry in self.entries.items() if entry["status"] in ENDED}

    def check(self, holds: bool, constraint: str, received: str = "") -> Violation | None:  # noqa: FBT001
        """Return a finding if something does not hold of the response."""
        return self.exchange.check(holds, constraint, received)


class Execution:
    """One execution, from its start to its end."""

    def __init__(self, started: Exchange, *, asked_for_all: bool) -> None:
        self.started = started
        self.id = id_of(started)
        self.asked_for_all = asked_for_all  # the flag with which it was started
        self.replies: list[Poll] = []  # to all requests for its results, in order
        self.is_watched = False  # whether its end was waited for, until it came or nothing more was expected
        self.given_up = ""  # why its end was waited for no longer, though it had not come; empty if it was not

    def polled(self, all_outputs: bool | None, exchange: Exchange) -> None:  # noqa: FBT001
        """Take a response of the results operation."""
        try:
            body = exchange.json
        except NotExercised:
            self.replies.append(Poll(all_outputs, exchange, None, is_result=False))
            return
        is_result = exchange.has_succeeded or exchange.status == FAILED
        self.replies.append(Poll(all_outputs, exchange, body, is_result))

    @property
    def polls(self) -> list[Poll]:
        """The responses that are results."""
        return [poll for poll in self.replies if poll.is_result]

    @property
    def strays(self) -> list[Poll]:
        """The responses that are no results at all."""
        return [poll for poll in self.replies if not poll.is_result]

    @property
    def steps(self) -> Iterator[tuple[Poll, list[Poll]]]:
        """Each response with the results that came before it."""
        for number, poll in enumerate(self.replies):
            yield poll, [earlier for earlier in self.replies[:number] if earlier.is_result]

    def last(self, *, all_outputs: bool) -> Poll | None:
        """Return the last response in one form that says that the execution has ended."""
        return next((poll for poll in reversed(self.polls) if poll.is_done and poll.all_outputs is all_outputs), None)

    @property
    def last_exchange(self) -> Exchange:
        """The last request for results; that of the start if none was made."""
        return self.replies[-1].exchange if self.replies else self.started

    @property
    def size(self) -> int:
        """Bytes of all results."""
        return sum(len(poll.exchange.reply) for poll in self.polls)

    @property
    def has_ended(self) -> bool:
        """Whether the last result has said that it has ended."""
        return bool(self.polls) and self.polls[-1].is_done

    @property
    def has_moved(self) -> bool:
        """Whether the last result, of a running execution, shows a node as ended that had not ended before."""
        polls = self.polls
        shown = [poll for poll in polls if poll.all_outputs]
        if not shown or shown[-1] is not polls[-1] or shown[-1].is_done:
            return False
        return shown[-1].ended > (shown[-2].ended if shown[1:] else set())

    @property
    def is_over(self) -> bool:
        """Whether both forms have said that it has ended."""
        return self.last(all_outputs=True) is not None and self.last(all_outputs=False) is not None

    @property
    def is_endless(self) -> bool:
        """Whether its end will hardly be told: all its nodes have ended, and the status is that of a running one."""
        shows_end = False
        for poll in self.polls:
            shows_end = shows_end or poll.shows_end
            if shows_end and not poll.is_done and (poll.shows_end or not poll.all_outputs):
                return True
        return bool(self.given_up)

    @property
    def outputs(self) -> list[Any] | None:
        """What the bare output may be; empty if no output node succeeded, None if the entries cannot be read."""
        shown = self.last(all_outputs=True)
        entries = shown.entries if shown else {}
        if not entries or any("is_output_node" not in entry or "value" not in entry for entry in entries.values()):
            return None
        output_nodes = {name: entry for name, entry in entries.items() if entry["is_output_node"]}
        succeeded = {name: entry["value"] for name, entry in output_nodes.items() if entry["status"] == "SUCCESS"}
        # Of several it is open here which was first, and whether they come together by name, with or without others.
        by_name = {name: entry["value"] for name, entry in output_nodes.items()}
        return [*succeeded.values(), *([by_name, succeeded] if len(succeeded) > 1 else [])]

    @property
    def main_outputs(self) -> list[Poll]:
        """The responses in the bare form that say that it has ended."""
        return [poll for poll in self.polls if poll.is_done and not poll.all_outputs]


def checks_of_pending(steps: Iterable[tuple[Poll, list[Poll]]]) -> Iterator[Violation | None]:
    """Yield what is wrong with a status where a node is shown that has not ended: there, and in either form before."""
    for poll, earlier in steps:
        if poll.shows_nodes and poll.words & RUNNING:
            yield poll.exchange.check_status(PENDING)
            for one in (each for each in earlier if each.is_done and not each.all_outputs):
                yield one.exchange.check_status(PENDING, constraint="status of the main output")


def entries_of(body: Any) -> dict[str, dict[str, Any]]:
    """Return the entries of all nodes, none if that is not what a body holds; statuses as they are documented."""
    if not isinstance(body, dict):
        return {}
    are_entries = all(isinstance(entry, dict) and isinstance(entry.get("status"), str) for entry in body.values())
    if not are_entries:
        return {}
    return {name: {**entry, "status": documented_word(entry["status"])} for name, entry in body.items()}


def documented_word(status: str) -> str:
    """Return a status as the documentation spells it: what differs in its case alone is told as that, and once."""
    return status.upper() if status.upper() in WORDS else status


def misspelt(entry: Any) -> str:
    """Return how the status of an entry differs from the documented one in its case alone; empty if it does not."""
    status = entry.get("status") if isinstance(entry, Mapping) else None
    if not isinstance(status, str) or documented_word(status) == status:
        return ""
    return f"the status is {status!r}, documented is {documented_word(status)!r}"


def id_of(started: Exchange) -> int:
    """
    Return the execution id of a run's response.

    Raises NotExercised if the response has none; the rules about runs say so on their own.
    """
    body = started.json if started.has_succeeded else None
    found = body.get("workflow_version_execution_id") if isinstance(body, Mapping) else None
    id_ = whole(found)
    if id_ is None:
        raise NotExercised(f"no execution could be started: {started.shown}")
    return id_
