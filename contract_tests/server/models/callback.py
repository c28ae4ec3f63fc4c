"""The callback of an execution as a model: it comes once, in time, after the end, and says what the results say."""

import time
from typing import Any, Final

from contract_tests.http.callback_listener import Delivery, Listener
from contract_tests.openapi.document import Contract, Operation
from contract_tests.openapi.json_text import read_json, same
from contract_tests.rules import Violation
from contract_tests.server.exchange import Exchange
from contract_tests.server.models.execution import (
    CASE_OF_STATUS,
    ENDED,
    PENDING,
    RUNNING,
    Checks,
    Execution,
    entries_of,
    id_of,
    misspelt,
)

SECONDS_WITHOUT_POLLS: Final = 2.0
WORDS: Final = {"FAILURE": "FAILED"}  # one and the same status, as two pages of the documentation spell it
MISSING: Final = object()


class Callback:
    """
    One execution with a callback URL, and what was posted there.

    Attributes:
        delivery: The first post; None if none has come.
    """

    def __init__(
        self, ledger: Checks, listener: Listener, started: Exchange, url: str, *, asked_for_all: bool = True
    ) -> None:
        self.ledger = ledger
        self.listener = listener
        self.started = started
        self.url = url
        self.execution = Execution(ledger, started, id_of(started), asked_for_all=asked_for_all)
        self.delivery: Delivery | None = None

    def arrived(self, seconds: float) -> None:
        """Wait a little for the callback, without asking for results: what is asked next tells whether it was early."""
        self.delivery = self.listener.wait(self.url, min(seconds, SECONDS_WITHOUT_POLLS))

    def compare(self, seconds: float) -> None:
        """Judge the callback once the execution has ended; what has not come by then has these seconds left."""
        ended_at = time.monotonic()
        self.delivery = self.delivery or self.listener.wait(self.url, 2 * seconds)
        self._expect("PL-CB-37", self.delivery is not None, "delivery", self._lost(2 * seconds))
        if self.delivery is None:
            return
        late = self.delivery.at - ended_at
        self._expect("PL-CB-68", late <= seconds, "time", f"the callback came {late:.1f} seconds after the end")
        self._expect("PL-CB-37", self.delivery.is_exact, "address", f"it was posted to {self.delivery.path}")
        self._is_not_early(self.delivery)
        body = _json(self.delivery)
        if isinstance(body, dict):
            self._says_the_same(body)

    def repeated(self, seconds: float) -> None:
        """Judge, after these seconds without anything, whether the callback came once."""
        if self.delivery is None:
            return
        again = self.listener.wait(self.url, seconds, count=2)
        number = again.number if again else self.delivery.number
        self._expect("PL-CB-40", again is None, "second delivery", "the same callback came again", number)

    def _lost(self, seconds: float) -> str:
        return f"no callback within {seconds:g} seconds after the end of the execution"

    def _is_not_early(self, delivery: Delivery) -> None:
        later = [poll for poll in self.execution.polls if poll.exchange.number > delivery.number]
        running = [poll for poll in later if poll.exchange.status == PENDING and poll.words & RUNNING]
        self._expect("PL-CB-67", not running, "end", "the execution was still running when the callback had come")

    def _says_the_same(self, body: dict[str, Any]) -> None:
        id_, output = body.get("workflow_version_execution_id"), body.get("final_output", MISSING)
        self._expect("PL-CB-38", same(id_, self.execution.id), "workflow_version_execution_id", self._shown(id_))
        words = {entry["status"] for entry in entries_of(output).values()}
        wrong = next(filter(None, map(misspelt, output.values() if isinstance(output, dict) else ())), "")
        self._expect("PL-CB-37", not wrong, CASE_OF_STATUS, self.started.bounded(wrong))
        if words:
            self._expect("PL-CB-39", not words & RUNNING, "status of a node", self._shown(sorted(words)))
        polled = [poll.body for form in (True, False) if (poll := self.execution.last(all_outputs=form))]
        polled += [one["output"] for one in polled if isinstance(one, dict) and "output" in one]
        self._expect("PL-CB-69", output is not MISSING, "member final_output", "the callback has none")
        if output is not MISSING and polled:
            equal = any(same(_normal(output), _normal(one)) for one in polled)
            self._expect("PL-CB-66", equal, "final_output", self._shown(output))

    def _expect(self, law: str, holds: bool, constraint: str, received: str, number: int | None = None) -> None:  # noqa: FBT001
        self.ledger.tried[law] += 1
        if not holds:
            text = f"{received}; run: {self.started.shown}"
            last = self.execution.polls[-1].exchange.number if self.execution.polls else self.started.number
            self.ledger.add(law, Violation(text, constraint, "", self.started.curl), number or last)

    def _shown(self, value: Any) -> str:
        return self.started.bounded(f"the callback says {value!r}")


def posted_problems(
    contract: Contract, operation: Operation, delivery: Delivery, shown_by: Exchange
) -> list[Violation]:
    """Give what is wrong with a callback by the contract's description of the operation's callbacks."""
    described = [one for by_name in operation.callbacks.values() for ones in by_name.values() for one in ones]
    for_method = [one for one in described if one.method == delivery.method]
    if not for_method:
        methods = ", ".join(one.method for one in described)
        return [_broken(f"{operation.pointer}/callbacks", f"a {delivery.method}", f"It is a {methods}.", shown_by)]
    found: list[Violation] = []
    for one in for_method:
        found = list(_body_problems(contract, one, delivery, shown_by))
        if not found:
            break
    return found


def _body_problems(contract: Contract, posted: Operation, delivery: Delivery, shown_by: Exchange) -> list[Violation]:
    if posted.body is None:
        return []
    media = posted.body.media.get(delivery.media_type)
    if media is None:
        wanted = f"Its body is {', '.join(posted.body.media)}."
        sent = delivery.media_type or "a body without content type"
        return [_broken(f"{posted.body.pointer}/content", sent, wanted, shown_by)]
    if media.schema is None:
        return []
    body = _json(delivery)
    if body is MISSING:
        text = delivery.body.decode("utf-8", "replace") or "an empty body"
        return [_broken(media.schema, text, "Its body is JSON.", shown_by)]
    problems = contract.problems(body, media.schema)
    return [_broken(one.constraint, f"at {one.at or '/'}: {one.message}", "", shown_by) for one in problems]


def _broken(constraint: str, received: str, documented: str, shown_by: Exchange) -> Violation:
    return Violation(f"the callback is {shown_by.bounded(received)}", constraint, documented, shown_by.curl)


def _json(delivery: Delivery) -> Any:
    try:
        return read_json(delivery.body)
    except ValueError:
        return MISSING


def _normal(output: Any) -> Any:
    """Give an output with one word for each status."""
    entries = entries_of(output)
    if not entries:
        return output
    return {name: {**entry, "status": WORDS.get(entry["status"], entry["status"])} for name, entry in entries.items()}


__all__ = ["ENDED", "Callback", "posted_problems"]
