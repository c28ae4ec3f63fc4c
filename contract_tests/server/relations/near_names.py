"""Names that are nearly those of something that exists: what each of them is looked up as."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.relations.near_texts import other_spellings, parts_and_more
from contract_tests.server.server import ServerUnderTest

REQUESTS: Final = 15


@dataclass(frozen=True)
class NearName:
    """
    What came of a request for what does not exist.

    Attributes:
        what: What is named, and in which way that is not its name.
        given: The name that was sent.
        is_spelling: Whether some take it for the same name.
    """

    what: str
    given: str
    exchange: Exchange
    is_spelling: bool


class NearNames:
    """The requests of one PromptLayer target, sent when a rule first asks for them."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server = server

    @cached_property
    def tried(self) -> list[NearName]:
        """
        All of them.

        Raises:
            NotExercised: If too few requests are left, or no run can be started.
        """
        if self.server.wire.left < REQUESTS:
            raise NotExercised(f"names that are nearly right take {REQUESTS} requests of max_requests")
        if self.server.known_execution is None:
            raise NotExercised("no run can be started")
        return [*self._labels(), *self._empty(), *self._workflows(), *self._executions()]

    def _labels(self) -> Iterator[NearName]:
        label = self.server.target.label
        if label is None:
            return
        known = self._known_labels() | {label}
        for what, given, is_spelling in _near(label):
            if given not in known:
                yield NearName(f"a label {what}", given, self.server.run(workflow_label_name=given), is_spelling)

    def _empty(self) -> Iterator[NearName]:
        """Ask for what is empty, which is not the same as nothing."""
        label = self.server.run(workflow_label_name="")
        yield NearName("a label without characters", "", label, is_spelling=True)
        number = self.server.run(workflow_version_number=0)
        yield NearName("version 0", "0", number, is_spelling=True)

    def _known_labels(self) -> set[str]:
        path = {"workflow_id_or_name": self.server.target.workflow}
        with suppress(NotExercised, KeyError):
            labels = self.server.call("getWorkflowLabels", path=path).result.get("release_labels")
            listed = labels if isinstance(labels, list) else []
            return {str(one.get("release_label")) for one in listed if isinstance(one, dict)}
        return set()

    def _workflows(self) -> Iterator[NearName]:
        # Elsewhere there may be another workflow of such a name, which is not to be run.
        if not self.server.target.is_local:
            return
        name = self.server.target.workflow
        for what, given, is_spelling in _near(name):
            exchange = self.server.run(workflow=given)
            if not (exchange.has_succeeded and self._exists(given)):
                yield NearName(f"a workflow {what}", given, exchange, is_spelling)

    def _exists(self, name: str) -> bool:
        with suppress(NotExercised, KeyError):
            read = self.server.call("getWorkflow", path={"workflow_id_or_name": name})
            return bool(read.result.get("workflow_name") == name)
        return False

    def _executions(self) -> Iterator[NearName]:
        known = self.server.known_execution
        started = {one.result.get("workflow_version_execution_id") for one in self.server.watch.of("runWorkflow")}
        id_ = known or 0
        for what, given in (
            ("without its last digit", id_ // 10),
            ("with another digit", id_ * 10),
            ("with a digit before it", id_ + 10 ** len(str(id_))),
        ):
            # Of a small id the near ones are somebody's.
            if known and known > 10**6 and given not in started and given < 2**63:
                yield NearName(f"an execution {what}", str(given), self.server.results(given), is_spelling=False)


def _near(name: str) -> Iterator[tuple[str, str, bool]]:
    """Yield a few texts that nearly are a name, and whether each is a spelling of it."""
    yield from ((what, given, False) for what, given in parts_and_more(name).items())
    yield from ((what, given, True) for what, given in [*other_spellings(name).items()][:2])
