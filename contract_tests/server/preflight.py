"""
One known-good run and one poll, before anything is judged and again when a target becomes doubtful.

What looks like a wrong set-up ends the run. A server that is merely broken is judged: where the sign may be a violation
as well, a smaller request, or one of another kind, decides.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from contract_tests.openapi.json_text import whole
from contract_tests.rules import NotExercised, Unanswered, Undecodable
from contract_tests.server import set_up
from contract_tests.server.connections import speaks_tls
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.execution import id_of
from contract_tests.server.server import NO_SUCH_ID, ServerUnderTest
from contract_tests.server.transport import TurnedAway
from contract_tests.targets import RUN_OPERATIONS

LOCAL_SECONDS: Final = 5.0
LIVE_SECONDS: Final = 15.0
LONGEST_WAIT: Final = 10.0
TRIES: Final = 2  # more, after which a run that could be started before can be started no more
OBJECT_ID: Final = "f" * 24  # of no workflow
POLL_SIGNS: Final = (set_up.is_redirect, set_up.is_page, lambda reply: reply.status in set_up.DENIED)


class Preflight:
    """The known-good request of one target."""

    def __init__(self, server: ServerUnderTest) -> None:
        self._server = server
        self._target = server.target
        self._operation = RUN_OPERATIONS.get(server.target.service, "")
        self._was_good = False

    @property
    def is_possible(self) -> bool:
        """Whether the contract has the operation by which the target's workflow is run."""
        return any(operation.id == self._operation for operation in self._server.contract.operations)

    def check(self, is_first: bool) -> None:  # noqa: FBT001
        """
        See whether the target's own workflow can be run, and its results be asked for.

        Raises SetUpError if that fails for a reason that lies in the set-up; the line names what to check.
        """
        since = "" if is_first else f"it went wrong by request {self._server.wire.sent}: "
        with impatient(self._server):
            try:
                started = self._server.once(self._server.KNOWN_GOOD, self._run) if is_first else self._run()
            except Undecodable:
                return  # somebody speaks HTTP there, and breaks it: a rule tells
            except Unanswered as reason:
                self._unanswered(str(reason), since)
                return
            except TurnedAway as reason:
                check = "come back later, or lower requests_per_second ({requests_per_second:g})"
                raise set_up.no_response_error(self._target, self._operation, str(reason), check, since) from reason
            except NotExercised:
                return  # max_requests is spent; the rows say so
            if self._server.has_no_room and started.is_refused and self._is_there():
                return
            self._look_at(started, since)
            self._look_at_run(started, since)

    def _run(self) -> Exchange:
        return self._server.known_good_run()

    def _unanswered(self, reason: str, since: str) -> None:
        if self._is_there():
            return
        check = set_up.TLS if speaks_tls(self._target) else set_up.UNANSWERED
        raise set_up.no_response_error(self._target, self._operation, reason, check, since)

    def _look_at(self, started: Exchange, since: str) -> None:
        sign = set_up.sign_of(started)
        if sign is None and self._is_of_other_form(started):
            raise set_up.refusal_error(self._target, started, set_up.OTHER_FORM, since)
        if sign is None:
            self._poll(started, since)
            if not since:
                self._look_at_names()
            return
        check = sign.check
        if sign.needs == "another" and self._is_there():
            return
        if sign.needs == "others":
            if any(other.has_succeeded for other in self._sent(self._smaller())):
                return
            if any(other.has_succeeded for other in self._sent(self._other_form())):
                check = set_up.OTHER_FORM
        raise set_up.refusal_error(self._target, started, check, since)

    def _look_at_run(self, started: Exchange, since: str) -> None:
        """See whether a run has been started; what is no longer so, or is answered like all else, is no breach."""
        if self._has_started(started):
            self._was_good = True
        elif self._was_good and any(map(self._has_started, self._sent([self._run] * TRIES))):
            return
        elif self._was_good and (started.is_refused or not self._refuses()):
            raise set_up.refusal_error(self._target, started, set_up.NO_MORE, since)
        elif not since and not self._refuses():
            raise set_up.refusal_error(self._target, started, set_up.OTHER_SERVICE, since)

    def _has_started(self, started: Exchange) -> bool:
        if self._target.service == "promptlayer":
            return whole(started.result.get("workflow_version_execution_id")) is not None
        return isinstance(started.result.get("workflow_run_id" if self._target.generation == "a" else "run_id"), str)

    def _refuses(self) -> bool:
        """Whether anything is refused that has to be: what answers all alike is not the service."""
        return any(other.is_refused for other in self._sent(self._refusable()))

    def _refusable(self) -> Iterator[Callable[[], Exchange]]:
        yield self._of_another_kind
        body = {} if self._target.service == "promptlayer" else self._server.start_body
        run = self._server.run_exactly if self._target.service == "promptlayer" else self._server.execute
        yield lambda: run(body, access=Access.NO_KEY)

    def _poll(self, started: Exchange, since: str) -> None:
        if self._target.service != "promptlayer" or not started.has_succeeded:
            return
        with suppress(NotExercised):
            polled = self._server.results(id_of(started))
            sign = set_up.sign_of(polled)
            if sign is not None and any(holds(polled) for holds in POLL_SIGNS):
                raise set_up.refusal_error(self._target, polled, sign.check, since)

    def _look_at_names(self) -> None:
        """See whether the label and the version that the target's table names are there."""
        server, target = self._server, self._target
        named: list[tuple[str, object, Callable[[], Exchange]]] = []
        if target.service == "promptlayer" and target.label is not None:
            named.append(("label", target.label, server.run_by_label))
        if target.version is not None:
            named.append(("version", target.version, server.run_by_version))
        for field, value, run in named:
            for reply in self._sent([run]):
                if reply.status in set_up.WITHOUT_PLACE:
                    raise set_up.refusal_error(target, reply, set_up.MISSING, field=field, value=value)

    def _is_there(self) -> bool:
        """Whether a request of another kind gets a response that the contract documents: then the service is up."""
        replies = self._sent([self._of_another_kind])
        return any(
            reply.media is not None and reply.status not in set_up.DENIED and not set_up.is_away(reply)
            for reply in replies
        )

    def _of_another_kind(self) -> Exchange:
        if self._target.service == "promptlayer":
            return self._server.results(NO_SUCH_ID)
        return self._server.execute(self._server.start_body, workflow=OBJECT_ID)

    def _smaller(self) -> Iterator[Callable[[], Exchange]]:
        server = self._server
        if self._target.service == "promptlayer":
            yield lambda: server.run_exactly({} if self._target.is_local else {"metadata": server.metadata})
        else:
            yield lambda: server.execute(server.body_of({"command": "start", "run_by": server.tag}))
        if self._target.version is not None:
            yield server.run_by_version
        if self._target.service == "promptlayer" and self._target.label is not None:
            yield server.run_by_label

    def _other_form(self) -> Iterator[Callable[[], Exchange]]:
        if self._target.service == "interactly":
            server = self._server
            yield lambda: server.execute(server.body_of(server.start_input, generation=server.other_generation))

    def _is_of_other_form(self, started: Exchange) -> bool:
        """Whether a service that takes any properties has answered in the form that it is said not to serve."""
        if self._target.service != "interactly" or not started.is_object:
            return False
        own, other = ("workflow_run_id", "run_id") if self._target.generation == "a" else ("run_id", "workflow_run_id")
        return other in started.json and own not in started.json

    def _sent(self, requests: Iterable[Callable[[], Exchange]]) -> Iterator[Exchange]:
        for send in requests:
            with suppress(NotExercised):
                yield send()


@contextmanager
def impatient(server: ServerUnderTest) -> Iterator[None]:
    """Wait less long for responses."""
    wire = server.wire
    before = wire.reply_seconds, wire.longest_wait
    wire.reply_seconds = min(wire.reply_seconds, LOCAL_SECONDS if server.target.is_local else LIVE_SECONDS)
    wire.longest_wait = LONGEST_WAIT
    try:
        yield
    finally:
        wire.reply_seconds, wire.longest_wait = before
