"""A target while it is judged: the calls that rules make, in the words of the services."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from contract_tests.contract import Contract, Operation
from contract_tests.coverage import Coverage
from contract_tests.exchange import Exchange
from contract_tests.listener import Listener
from contract_tests.masking import Secrets
from contract_tests.request_case import ABSENT, RequestCase
from contract_tests.rules import NotExercised, Violation
from contract_tests.targets import SANDBOX_KEY_ENV, Target
from contract_tests.wire import Wire, case_of
from workflow_sandbox.server import Sandbox

NO_SUCH_WORKFLOW = "contract-tests-no-such-workflow"
NO_SUCH_LABEL = "contract-tests-no-such-label"
NO_SUCH_ID = 2**31 - 1  # fits into any integer column, and is no id for a long time
RESULT_SECONDS = 120.0
CALLBACK_SECONDS = 10.0


@dataclass
class Poll:
    """One request for results and its reply."""

    return_all_outputs: bool
    exchange: Exchange

    @property
    def is_done(self) -> bool:
        """Whether the reply says that the execution has ended."""
        return self.exchange.status != 202  # noqa: PLR2004 - HTTP


@dataclass
class Execution:
    """One execution, watched from its start to its end."""

    started: Exchange
    id: int
    polls: list[Poll] = field(default_factory=list)

    def last(self, *, return_all_outputs: bool) -> Exchange:
        """
        Give the reply that ended the polling in one of the two forms.

        Raises:
            NotExercised: If the execution did not end in time.
        """
        for poll in reversed(self.polls):
            if poll.return_all_outputs == return_all_outputs and poll.is_done:
                return poll.exchange
        raise NotExercised(f"the execution did not end within {RESULT_SECONDS:g} seconds")


class Server:
    """One target in the role of one service."""

    def __init__(self, target: Target, contract: Contract, wire: Wire, listener: Listener | None) -> None:
        self.target = target
        self.contract = contract
        self.wire = wire
        self._listener = listener

    @property
    def listener(self) -> Listener:
        """
        The receiver of callbacks.

        Raises:
            NotExercised: If the target's description gives no address to listen on.
        """
        if self._listener is None:
            raise NotExercised("the target has no callback_listen")
        return self._listener

    @property
    def label(self) -> str:
        """A label that exists; NotExercised if the target names none."""
        if self.target.label is None:
            raise NotExercised("the target has no label")
        return self.target.label

    @property
    def version(self) -> int:
        """A version that exists; NotExercised if the target names none."""
        if self.target.version is None:
            raise NotExercised("the target has no version")
        return self.target.version

    @property
    def input_variables(self) -> Mapping[str, Any]:
        """Input variables of the workflow; NotExercised if the target names none."""
        if not self.target.input_variables:
            raise NotExercised("the target has no input_variables")
        return self.target.input_variables

    def call(
        self,
        operation: str,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = ABSENT,
        key: str | None = None,
        authenticated: bool = True,
    ) -> Exchange:
        """Call an operation by its name."""
        case = case_of(self.contract.operation(operation), path or {}, query, body)
        return self.wire.send(case, authenticated=authenticated, key=key)

    def run(self, *, workflow: str | None = None, **members: Any) -> Exchange:
        """Run the target's workflow with its input variables, unless the body's members say something else."""
        body = {"input_variables": dict(self.target.input_variables or {}), **members}
        return self.run_exactly(body, workflow=workflow)

    def run_exactly(self, body: Any, *, workflow: str | None = None, **how: Any) -> Exchange:
        """Run the target's workflow with this body and no other."""
        return self.call("runWorkflow", path={"workflow_name": workflow or self.target.workflow}, body=body, **how)

    def results(self, execution: int, *, return_all_outputs: bool | None = None) -> Exchange:
        """Ask for the results of an execution."""
        query: dict[str, Any] = {"workflow_version_execution_id": execution}
        if return_all_outputs is not None:
            query["return_all_outputs"] = return_all_outputs
        return self.call("getWorkflowVersionExecutionResults", query=query)

    def execute(
        self, body: Any, *, workflow: str | None = None, query: Mapping[str, Any] | None = None, **how: Any
    ) -> Exchange:
        """Execute the target's Interactly workflow."""
        path = {"workflow_id": workflow or self.target.workflow}
        return self.call("executeWorkflow", path=path, query=query, body=body, **how)

    @cached_property
    def execution(self) -> Execution:
        """One execution that was watched to its end, in both forms of results; the same one for every rule."""
        return self.watch(self.run())

    def watch(self, started: Exchange) -> Execution:
        """Poll an execution in both forms until it has ended or the time is over."""
        execution = Execution(started, id_of(started))
        deadline = time.monotonic() + RESULT_SECONDS
        pause = 0.02 if self.target.is_sandbox else 0.2
        while time.monotonic() < deadline:
            polls = [Poll(form, self.results(execution.id, return_all_outputs=form)) for form in (True, False)]
            execution.polls += polls
            if all(poll.is_done for poll in polls):
                break
            time.sleep(pause)
            pause = min(2 * pause, 5.0)
        return execution


def id_of(started: Exchange) -> int:
    """
    Give the execution id of a run's reply.

    Raises:
        NotExercised: If the reply has none; the rules about runs say so on their own.
    """
    try:
        body = started.json
    except Violation:
        body = None
    found = body.get("workflow_version_execution_id") if isinstance(body, dict) else None
    if type(found) is not int:
        raise NotExercised(f"no execution could be started: {started.shown}")
    return found


class LiveTargets:
    """Starts what targets need when the first rule asks for it: the sandbox, connections, listeners."""

    def __init__(self, contract: Contract, coverage: Coverage, secrets: Secrets, resources: ExitStack) -> None:
        self._contract = contract
        self._coverage = coverage
        self._secrets = secrets
        self._resources = resources
        self._servers: dict[tuple[str, str], Server] = {}
        self._sandbox: Sandbox | None = None

    def server(self, target: Target) -> Server:
        """
        Give the server of a target, reachable and with its key.

        Raises:
            SetUpError: If it cannot be reached, has no key, or its listener cannot listen.
        """
        key = (target.name, target.service)
        if key not in self._servers:
            self._servers[key] = self._open(self._addressed(target))
        return self._servers[key]

    def opened(self, name: str, service: str) -> Server | None:
        """Give the server of a target if any rule has asked for it."""
        return self._servers.get((name, service))

    def _open(self, target: Target) -> Server:
        wire = Wire(target, self._contract, self._coverage, self._secrets)
        self._resources.callback(wire.close)
        wire.check_reachable()
        listener = None
        if target.callback_listen is not None:
            listener = self._resources.enter_context(Listener(target.callback_listen, target.callback_public_url))
        return Server(target, self._contract, wire, listener)

    def _addressed(self, target: Target) -> Target:
        if not target.is_sandbox:
            return target.with_secrets()
        if self._sandbox is None:
            self._sandbox = self._resources.enter_context(Sandbox())
        urls = {"promptlayer": self._sandbox.promptlayer_url, "interactly": self._sandbox.interactly_url}
        return replace(target, base_url=urls[target.service], secrets={SANDBOX_KEY_ENV: self._sandbox.api_key})


def callback_media(operation: Operation) -> str:
    """Give the schema pointer of the body that the operation's callback posts."""
    posted = [one for expressions in operation.callbacks.values() for ones in expressions.values() for one in ones]
    schemas = [media.schema for one in posted if one.body for media in one.body.media.values() if media.schema]
    if not schemas:
        raise NotExercised("the contract describes no callback")
    return schemas[0]


__all__ = ["Execution", "LiveTargets", "Poll", "RequestCase", "Server", "callback_media", "id_of"]
