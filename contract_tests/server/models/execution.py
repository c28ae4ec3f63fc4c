"""
The life of a PromptLayer execution as a model: it is fed with what happens, in order, and says which law is broken.

An execution runs, and the results operation answers 202; once every node has ended it answers 200, with the same value
for as long as anybody asks; the form of a reply follows the request for it. A run with a callback URL is told of once,
when it has ended, with its own id and the output that the results operation gives.

Each law is a rule of the chapters about results and callbacks, and bears its id.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from contract_tests.openapi.document import Contract
from contract_tests.openapi.json_text import same, whole
from contract_tests.rules import NotExercised, Violation, report_all
from contract_tests.server.exchange import Exchange

RUNNING: Final = frozenset({"QUEUED", "RUNNING"})
ENDED: Final = frozenset({"SUCCESS", "FAILED", "SKIPPED"})
WORDS: Final = RUNNING | ENDED | {"FAILURE"}
ORDER: Final = {"QUEUED": 0, "RUNNING": 1, **dict.fromkeys(ENDED, 2)}
OK, PENDING, FAILED = 200, 202, 500
GONE: Final = (403, 404, 410)
NODE_OUTPUT: Final = "#/components/schemas/NodeOutput"
CASE_OF_STATUS: Final = f"{NODE_OUTPUT}/properties/status in capitals"


class Checks:
    """How often each law was tried, and what broke it."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.tried: Counter[str] = Counter()
        self.found: dict[str, list[Violation]] = {}

    def check(self, law: str, holds: bool, constraint: str, exchange: Exchange, received: str = "") -> None:  # noqa: FBT001
        """Take down whether a law was kept."""
        self.tried[law] += 1
        if not holds:
            self.add(law, exchange.violation(constraint, received, explains=exchange.status_keys), exchange.number)

    def add(self, law: str, violation: Violation, number: int) -> None:
        """Take down that a law was broken, seen after so many requests."""
        self.found.setdefault(law, []).append(replace(violation, found_after=number))

    def must_be_kept(self, law: str, otherwise: str = "the execution never came to that") -> None:
        """
        Give the verdict on a law.

        Raises:
            Violations: If it was broken.
            NotExercised: If nothing that happened concerned it.
        """
        report_all(self.found.get(law, ()))
        if not self.tried[law]:
            raise NotExercised(otherwise)


@dataclass(frozen=True)
class Poll:
    """
    One request for results and its reply.

    Attributes:
        all_outputs: The flag as it was sent; None if it was not.
    """

    all_outputs: bool | None
    exchange: Exchange
    body: Any

    @property
    def is_done(self) -> bool:
        """Whether the reply says that the execution has ended."""
        return self.exchange.status != PENDING

    @cached_property
    def entries(self) -> dict[str, dict[str, Any]]:
        """The entries of the nodes that the reply shows."""
        return entries_of(self.body)

    @cached_property
    def words(self) -> set[str]:
        """The statuses of the nodes that the reply shows."""
        return {entry["status"] for entry in self.entries.values()}

    @property
    def ended(self) -> set[str]:
        """The nodes that have ended, by the reply."""
        return {name for name, entry in self.entries.items() if entry["status"] in ENDED}


class Execution:
    """
    One execution, from its start to its end.

    Attributes:
        asked_for_all: The flag with which it was started.
        strays: Replies that were no results at all, with the form that was asked for.
    """

    def __init__(self, ledger: Checks, started: Exchange, id_: int, *, asked_for_all: bool) -> None:
        self.ledger = ledger
        self.started = started
        self.id = id_
        self.asked_for_all = asked_for_all
        self.polls: list[Poll] = []
        self.strays: list[tuple[bool | None, Exchange]] = []

    def polled(self, all_outputs: bool | None, exchange: Exchange) -> None:  # noqa: FBT001
        """Take a reply of the results operation."""
        try:
            poll = Poll(all_outputs, exchange, exchange.json)
        except NotExercised:
            self.strays.append((all_outputs, exchange))
            return
        if not exchange.has_succeeded and exchange.status != FAILED:
            self.strays.append((all_outputs, exchange))
            if exchange.status in GONE:
                self._stays(poll)
            return
        if all_outputs:
            self._shows_nodes(poll)
        elif any(earlier.words and earlier.words <= ENDED for earlier in self.polls if earlier.all_outputs):
            self._check("PL-RES-24", poll.is_done, "status of the main output", poll)
        self._stays(poll)
        self.polls.append(poll)

    def last(self, *, all_outputs: bool) -> Poll | None:
        """Give the last reply in one form that says that the execution has ended."""
        return next((poll for poll in reversed(self.polls) if poll.is_done and poll.all_outputs is all_outputs), None)

    @property
    def size(self) -> int:
        """Bytes of all replies."""
        return sum(len(poll.exchange.reply) for poll in self.polls)

    @property
    def has_ended(self) -> bool:
        """Whether the last reply has said that it has ended."""
        return bool(self.polls) and self.polls[-1].is_done

    @property
    def has_moved(self) -> bool:
        """Whether the last reply, of a running execution, shows a node as ended that had not ended before."""
        shown = [poll for poll in self.polls if poll.all_outputs]
        if not shown or shown[-1] is not self.polls[-1] or shown[-1].is_done:
            return False
        return shown[-1].ended > (shown[-2].ended if shown[1:] else set())

    @property
    def is_over(self) -> bool:
        """Whether both forms have said that it has ended."""
        return self.last(all_outputs=True) is not None and self.last(all_outputs=False) is not None

    @property
    def outputs(self) -> list[Any] | None:
        """What the bare output may be; empty if no output node succeeded, None if the entries cannot be read."""
        shown = self.last(all_outputs=True)
        entries = shown.entries if shown else {}
        if not entries or any("is_output_node" not in entry or "value" not in entry for entry in entries.values()):
            return None
        output_nodes = {name: entry for name, entry in entries.items() if entry["is_output_node"]}
        values = [entry["value"] for entry in output_nodes.values() if entry["status"] == "SUCCESS"]
        # With several output nodes it is open which one wins, and whether they come together by name.
        by_name = {name: entry["value"] for name, entry in output_nodes.items()}
        return [*values, by_name] if len(values) > 1 else values

    def closed(self) -> None:
        """Compare the two forms, once nothing more will be asked."""
        outputs = self.outputs
        if outputs and self.last(all_outputs=False) is None:
            for form, exchange in self.strays:
                if not form and exchange.status in GONE:
                    self.ledger.check("PL-RES-27", False, "value", exchange)  # noqa: FBT003 - it does not hold
        for poll in self.polls if outputs is not None else ():
            if poll.is_done and not poll.all_outputs:
                self._is_main_output(poll, outputs or [])

    def _shows_nodes(self, poll: Poll) -> None:
        status, words = poll.exchange.status, poll.words
        if status == FAILED:
            return
        if words & RUNNING:
            self._check("PL-RES-23", status == PENDING, "status", poll)
            early = next((one for one in self.polls if one.is_done and not one.all_outputs), None)
            if early is not None:
                self._broken("PL-RES-23", "status of the main output", early)
        elif words and words <= ENDED:
            self._check("PL-RES-24", status == OK, "status", poll)
        if status != PENDING:
            self._are_entries("PL-RES-26", poll)
        else:
            self._are_entries("PL-RES-67", poll)
            for entry in poll.entries.values():
                if entry["status"] in RUNNING:
                    self._check("PL-RES-29", entry.get("value") is None, "value", poll)
        self._nodes_go_on(poll)

    def _are_entries(self, law: str, poll: Poll) -> None:
        body = poll.body
        self._check(law, isinstance(body, dict) and bool(body), "object of entries", poll)
        for entry in body.values() if isinstance(body, dict) else ():
            for problem in self.ledger.contract.problems(entry, NODE_OUTPUT):
                received = poll.exchange.bounded(f"at {problem.at or '/'}: {problem.message}", 160)
                self._broken(law, problem.constraint, poll, received)
            if wrong := misspelt(entry):
                self._broken(law, CASE_OF_STATUS, poll, wrong)

    def _nodes_go_on(self, poll: Poll) -> None:
        earlier = next((one for one in reversed(self.polls) if one.all_outputs and one.entries), None)
        before = earlier.entries if earlier else {}
        for name, entry in poll.entries.items():
            if name in before and {entry["status"], before[name]["status"]} <= ORDER.keys():
                old, new = before[name]["status"], entry["status"]
                goes_on = ORDER[new] > ORDER[old] or new == old
                self._check("PL-RES-66", goes_on, "status of a node", poll, f"{old} became {new}")
            if entry["status"] in ("FAILED", "FAILURE"):
                self._check("PL-RES-33", entry.get("error_message") is not None, "member error_message", poll)

    def _stays(self, poll: Poll) -> None:
        first = next(
            (one for one in self.polls if one.is_done and bool(one.all_outputs) == bool(poll.all_outputs)), None
        )
        if first is None:
            return
        same_status = poll.exchange.status == first.exchange.status
        self._check("PL-RES-25", same_status, "status", poll, f"it was {first.exchange.status} before")
        if same_status:
            self._check("PL-RES-25", same(poll.body, first.body), "body", poll, "it was another one before")

    def _is_main_output(self, poll: Poll, outputs: list[Any]) -> None:
        if not outputs:
            told = poll.exchange.status == FAILED or bool(poll.entries)
            self._check("PL-RES-34", told, "form", poll)
            return
        law = "PL-RES-28" if self.asked_for_all else "PL-RES-27"
        self._check("PL-RES-24", poll.exchange.status == OK, "status of the main output", poll)
        if poll.exchange.status == OK:
            constraint = "value" if poll.all_outputs is False else "value without the flag"
            self._check(law, any(same(poll.body, output) for output in outputs), constraint, poll)

    def _broken(self, law: str, constraint: str, poll: Poll, received: str = "") -> None:
        self._check(law, False, constraint, poll, received)  # noqa: FBT003 - it does not hold

    def _check(self, law: str, holds: bool, constraint: str, poll: Poll, received: str = "") -> None:  # noqa: FBT001
        self.ledger.check(law, holds, constraint, poll.exchange, received)


def entries_of(body: Any) -> dict[str, dict[str, Any]]:
    """Give the entries of all nodes, none if that is not what a body holds; statuses as they are documented."""
    if not isinstance(body, dict):
        return {}
    are_entries = all(isinstance(entry, dict) and isinstance(entry.get("status"), str) for entry in body.values())
    if not are_entries:
        return {}
    return {name: {**entry, "status": documented_word(entry["status"])} for name, entry in body.items()}


def documented_word(status: str) -> str:
    """Give a status as the documentation spells it: what differs in its case alone is told as that, and once."""
    return status.upper() if status.upper() in WORDS else status


def misspelt(entry: Any) -> str:
    """Say how the status of an entry differs from the documented one in its case alone; empty if it does not."""
    status = entry.get("status") if isinstance(entry, Mapping) else None
    if not isinstance(status, str) or documented_word(status) == status:
        return ""
    return f"the status is {status!r}, documented is {documented_word(status)!r}"


def id_of(started: Exchange) -> int:
    """
    Give the execution id of a run's reply.

    Raises:
        NotExercised: If the reply has none; the rules about runs say so on their own.
    """
    body = started.json if started.has_succeeded else None
    found = body.get("workflow_version_execution_id") if isinstance(body, Mapping) else None
    id_ = whole(found)
    if id_ is None:
        raise NotExercised(f"no execution could be started: {started.shown}")
    return id_
