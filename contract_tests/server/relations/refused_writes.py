"""Writes that are refused, and whether something has come of them all the same."""

import time
from collections.abc import Callable, Iterator
from enum import StrEnum, auto
from typing import Any, ClassVar, Final

from contract_tests.cases.case import ABSENT
from contract_tests.openapi.json_text import whole
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.workflow import Pair
from contract_tests.server.relations.workflow_history import AfterHistory
from contract_tests.server.relations.workflow_reads import LABEL, SOURCE
from contract_tests.server.relations.workflow_writes import as_member
from contract_tests.server.transport import case_of

STRANGERS: Final = (401, 403)
CONFLICT: Final = 409
QUIET_SECONDS: Final = {True: 0.5, False: 5.0}  # in which what was started in secret would be told of
Look = Callable[[], tuple[bool, str]]


class RefusedTopic(StrEnum):
    """What is looked at."""

    STRANGER = auto()
    CONFLICT = auto()


class RefusedWrites(AfterHistory):
    """Sends each write with a wrong key, to the workflows of a history, and then looks at them."""

    requests: ClassVar[int] = 11
    what: ClassVar[str] = "writes with a wrong key"

    def play(self) -> None:
        """Send them all, wait, and look."""
        refused = [(exchange, look) for exchange, look in self._sent() if exchange.status in STRANGERS]
        conflict = self._conflict()
        time.sleep(QUIET_SECONDS[self.server.target.is_local])
        for exchange, look in refused:
            is_done, received = look()
            self.judge(RefusedTopic.STRANGER, exchange, not is_done, "effect", f"it was refused, and {received}")
        if conflict is not None:
            name = conflict.case.body["name"]
            is_done = self._read(name).has_succeeded
            self.judge(RefusedTopic.CONFLICT, conflict, not is_done, "effect", f"refused, and {name!r} is there")

    def _sent(self) -> Iterator[tuple[Exchange, Look]]:
        """Yield what came of each write, with what shows whether it was carried out."""
        first, second, shapes = self.history.first, self.history.second, self.history.shapes
        name, pair, url = f"{self.history.name} 4", (SOURCE, f"{self.server.tag} W"), self.server.callback_url()
        run = {"metadata": self.server.metadata} | ({"callback_url": url} if url else {})
        started = self._send("runWorkflow", {"workflow_name": first.name}, run)
        if url:
            yield started, lambda: (bool(self.server.listener.deliveries(url)), "its callback came")
        yield (
            self._send("createWorkflow", {}, {"name": name, **shapes.plain()}),
            lambda: (self._read(name).has_succeeded, f"a workflow of the name {name!r} is there"),
        )
        patch = {"commit_message": "refused", "release_labels": [LABEL]}
        latest = first.latest
        yield (
            self._send("patchWorkflow", {"workflow_id_or_name": first.name}, patch),
            lambda: (
                (whole(self._read(first.name).result.get("version")) or latest) > latest,
                f"there is a version after {latest}",
            ),
        )
        yield (
            self._send("attachWorkflowExternalId", {"workflow_id": second.id}, as_member(pair)),
            lambda: (pair in self._pairs(second.id, set()), f"{pair} is attached"),
        )
        if first.pairs:
            its = min(first.pairs)
            path = {"workflow_id": first.id, "source": its[0], "external_id": its[1]}
            yield (
                self._send("detachWorkflowExternalId", path),
                lambda: (its not in self._pairs(first.id, first.pairs), f"{its} is detached"),
            )

    def _send(self, name: str, path: dict[str, Any], body: Any = ABSENT) -> Exchange:
        case = case_of(self.server.contract.operation(name), path, body=body)
        return self.server.wire.send(case, Access.WRONG_KEY)

    def _conflict(self) -> Exchange | None:
        """Return a request for a workflow whose name was nobody's, refused for its external id alone."""
        sent = self.server.watch.of("createWorkflow")
        name = f"{self.history.name} 3"
        found = (one for one in sent if isinstance(one.case.body, dict) and one.case.body.get("name") == name)
        return next((one for one in found if one.status == CONFLICT), None)

    def _read(self, name: str) -> Exchange:
        return self.server.call("getWorkflow", path={"workflow_id_or_name": name})

    def _pairs(self, id_: int, otherwise: set[Pair]) -> set[Pair]:
        """Return the external ids of a workflow; ``otherwise`` where no list of them comes."""
        listed = self.server.call("listWorkflowExternalIds", path={"workflow_id": id_}).result.get("external_ids")
        if not isinstance(listed, list):
            return otherwise
        return {(str(one.get("source")), str(one.get("external_id"))) for one in listed if isinstance(one, dict)}
