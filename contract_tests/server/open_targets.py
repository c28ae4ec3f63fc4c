"""Starts what targets need when it is first asked for: the sandbox, connections, listeners."""

from contextlib import ExitStack
from dataclasses import replace

from contract_tests.coverage import Coverage
from contract_tests.http.callback_listener import Listener
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.directions import request_view, response_view
from contract_tests.openapi.document import Contract
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.registry import reporting_rules
from contract_tests.server.connections import check_reachable
from contract_tests.server.example_check import ExampleCheck
from contract_tests.server.health import Health
from contract_tests.server.preflight import Preflight
from contract_tests.server.recorder import Recorder
from contract_tests.server.server import ServerUnderTest
from contract_tests.server.transport import Wire
from contract_tests.server.undocumented import UndocumentedData
from contract_tests.targets import SANDBOX_KEY_ENV, Target
from workflow_sandbox.server import Sandbox


class OpenTargets:
    """The targets of one run."""

    def __init__(
        self,
        contract: Contract,
        coverage: Coverage,
        secrets: Secrets,
        resources: ExitStack,
        tag: str,
        *,
        is_whole: bool,
    ) -> None:
        self.information = UndocumentedData()  # what they said beyond the contract
        self._contract = contract
        self._coverage = coverage
        self._secrets = secrets
        self._resources = resources
        self._tag = tag
        self._is_whole = is_whole  # of single rules, only one that finds something asks whether the set-up is right
        self._servers: dict[tuple[str, str], ServerUnderTest] = {}
        self._sandbox: Sandbox | None = None

    def server(self, target: Target) -> ServerUnderTest:
        """
        Return the server of a target, reachable and with its key.

        Raises SetUpError if it cannot be reached, has no key or no workflow to run, or cannot be listened for.
        """
        key = (target.name, target.service)
        if key not in self._servers:
            self._servers[key] = self._open(self._addressed(target))
            self._watch_over(self._servers[key])
        return self._servers[key]

    def opened(self, name: str, service: str) -> ServerUnderTest | None:
        """Return the server of a target if any rule has asked for it."""
        return self._servers.get((name, service))

    def confirm(self) -> None:
        """
        See whether every target is still itself, after the last row: what was refused may have been refused to anyone.

        Raises SetUpError if one is not.
        """
        for server in self._servers.values():
            server.health.confirm_last()

    def _open(self, target: Target) -> ServerUnderTest:
        ReferenceCycles(self._contract).refuse()
        outgoing = request_view(self._contract)
        check_reachable(target)
        watch = Recorder(response_view(self._contract), target, self.information, reporting_rules())
        health = Health(watch)
        wire = Wire(target, outgoing, self._coverage, self._secrets, health)
        self._resources.callback(wire.close)
        listener = None
        if target.callback_listen is not None:
            receiver = Listener(target.callback_listen, target.callback_public_url, lambda: wire.sent)
            listener = self._resources.enter_context(receiver)
        return ServerUnderTest(target, outgoing, wire, watch, health, listener, self._tag)

    def _watch_over(self, server: ServerUnderTest) -> None:
        if server.target.is_sandbox:
            return
        preflight = Preflight(server)
        server.health.check = preflight.check if preflight.is_possible else ExampleCheck(server).check
        if self._is_whole:
            server.health.confirm(unproven=True)

    def _addressed(self, target: Target) -> Target:
        if not target.is_sandbox:
            return target.with_secrets()
        if self._sandbox is None:
            self._sandbox = self._resources.enter_context(Sandbox())
        urls = {"promptlayer": self._sandbox.promptlayer_url, "interactly": self._sandbox.interactly_url}
        return replace(target, base_url=urls[target.service], secrets={SANDBOX_KEY_ENV: self._sandbox.api_key})
