"""A target while it is judged: the calls that rules make, in the words of the services."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from contract_tests.cases.case import ABSENT
from contract_tests.http.callback_listener import Listener
from contract_tests.openapi.document import Contract, join
from contract_tests.rules import NotExercised
from contract_tests.server.health import Health
from contract_tests.server.models.conversation import run_id_of
from contract_tests.server.models.exchange import Access, Exchange
from contract_tests.server.models.execution import id_of
from contract_tests.server.recorder import Recorder
from contract_tests.server.transport import Wire, case_of
from contract_tests.targets import Target

PROMPTLAYER_TAG: Final = "contract_tests_run"  # key in the metadata of a run
PLAIN_RUN: Final = "plain run"
UNUSED: Final = "contract_tests_unused"  # no variable of any workflow
NO_SUCH_WORKFLOW: Final = "contract-tests-no-such-workflow"
NO_SUCH_LABEL: Final = "contract-tests-no-such-label"
NO_SUCH_OBJECT: Final = "f" * 24  # an id of the form that Interactly gives
NO_SUCH_ID: Final = 2**31 - 1  # fits into any integer column, and is no id for a long time
# A turn needs one, or it is refused.
ONE_THREAD: Final[Mapping[str, Any]] = {"thread_to_node_inputs": {"0": {"node_run_inputs": []}}}


class ServerUnderTest:
    """One target in the role of one service."""

    KNOWN_GOOD: Final = "known-good run"

    def __init__(  # noqa: PLR0917 - made in one place alone
        self,
        target: Target,
        contract: Contract,
        wire: Wire,
        watch: Recorder,
        health: Health,
        listener: Listener | None,
        tag: str,
    ) -> None:
        self.target = target
        self.contract = contract
        self.wire = wire
        self.watch = watch
        self.health = health  # whether it is still the target that was set up
        self.tag = tag  # what every run carries, so that a person finds it in the dashboard
        self.player: Any = None  # a Player of sequences: who has drawn sequences of requests for it; None if nobody has
        self.has_no_room = False  # whether no run is started any more, of which a rule tells
        self._listener = listener
        self._once: dict[str, Exchange | NotExercised] = {}

    @property
    def listener(self) -> Listener:
        """The receiver of callbacks; raises NotExercised if the target's description gives no address to listen on."""
        if self._listener is None:
            raise NotExercised("the target has no callback_listen")
        return self._listener

    @property
    def has_listener(self) -> bool:
        """Whether callbacks can be received."""
        return self._listener is not None

    def callback_url(self, *, is_odd: bool = False) -> str:
        """Return a new address for the callback of a run; empty if none can be received."""
        return self.listener.new_url("runWorkflow", is_odd=is_odd) if self.has_listener else ""

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

    def run_with_unused_variable(self) -> Exchange:
        """Return the run that was given a variable which the workflow does not have."""
        variables = {**(self.target.input_variables or {}), UNUSED: "x"}
        return self.once("run with an unused variable", lambda: self.run(input_variables=variables))

    @property
    def refuses_unused_variables(self) -> bool:
        """Whether a run is refused for a variable that the workflow does not have."""
        try:
            return self.run_with_unused_variable().is_refused
        except NotExercised:
            return False

    @property
    def known_execution(self) -> int | None:
        """The id of an execution that exists; None if none could be started."""
        try:
            return id_of(self.once(PLAIN_RUN, self.run))
        except NotExercised:
            return None

    @property
    def known_run(self) -> str | None:
        """The id of an Interactly run that exists; None if none could be started."""
        try:
            return run_id_of(self.once(self.KNOWN_GOOD, self.known_good_run))
        except NotExercised:
            return None

    @property
    def metadata(self) -> dict[str, str]:
        """The tag, as the metadata of a run holds it."""
        return {PROMPTLAYER_TAG: self.tag}

    def once(self, name: str, send: Callable[[], Exchange]) -> Exchange:
        """
        Return the one exchange of this name, which several rules look at; it is sent when the first of them asks.

        Raises NotExercised if it could not be sent or was not answered, now or before.
        """
        if name not in self._once:
            try:
                self._once[name] = send()
            except NotExercised as reason:
                self._once[name] = reason
        found = self._once[name]
        if isinstance(found, NotExercised):
            raise found
        return found

    def call(
        self,
        operation: str,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = ABSENT,
        access: Access = Access.OWN,
    ) -> Exchange:
        """Call an operation by its name."""
        return self.wire.send(case_of(self.contract.operation(operation), path or {}, query, body), access)

    def known_good_run(self) -> Exchange:
        """Run the target's workflow with nothing that could be refused."""
        return self.run() if self.target.service == "promptlayer" else self.execute(self.start_body)

    def run_by_label(self) -> Exchange:
        """The response to a run of the version that carries the target's label."""
        return self.once("run by label", lambda: self.run(workflow_label_name=self.label))

    def run_by_version(self) -> Exchange:
        """The response to a run of the target's version."""
        if self.target.service == "promptlayer":
            return self.once(f"run of version {self.version}", lambda: self.run(workflow_version_number=self.version))
        query = {"version": self.version}
        return self.once("start with a version", lambda: self.execute(self.start_body, query=query))

    def must_refuse(self, faulty: Exchange, *statuses: int, sound: Callable[[], Exchange] | None = None) -> Exchange:
        """
        Demand that a request with a fault is refused, and for its fault.

        Args:
            faulty: The request, and what came.
            statuses: Which statuses refuse it; any from 400 to 499 if none is given.
            sound: Sends the same request without its fault; by default the known-good run.

        Raises:
            Violation: If it has another status.
            NotExercised: If the same request without its fault is refused as well: then the refusal says nothing.
        """
        refused = faulty.must_be(*statuses) if statuses else faulty.must_be_refused()
        twin = self.once(self.KNOWN_GOOD, self.known_good_run) if sound is None else sound()
        if twin.is_refused:
            raise NotExercised(f"the same request without its fault is refused as well: {twin.shown}")
        return refused

    # PromptLayer

    def run(self, *, workflow: str | None = None, **members: Any) -> Exchange:
        """Run the target's workflow with its input variables and the tag, unless the body says otherwise."""
        body = {"input_variables": dict(self.target.input_variables or {}), "metadata": self.metadata, **members}
        return self.run_exactly(body, workflow=workflow)

    def run_exactly(self, body: Any, *, workflow: str | None = None, access: Access = Access.OWN) -> Exchange:
        """Run the target's workflow with this body and no other."""
        path = {"workflow_name": workflow or self.target.workflow}
        return self.call("runWorkflow", path=path, body=body, access=access)

    def results(self, execution: int, *, return_all_outputs: bool | None = None) -> Exchange:
        """Ask for the results of an execution."""
        query: dict[str, Any] = {"workflow_version_execution_id": execution}
        if return_all_outputs is not None:
            query["return_all_outputs"] = return_all_outputs
        return self.call("getWorkflowVersionExecutionResults", query=query)

    def member(self, name: str) -> str:
        """Return where the contract states a property of a run's body; what a refusal of the property is about."""
        body = self.contract.operation("runWorkflow").body
        schemas = [media.schema for media in body.media.values() if media.schema] if body else []
        return join(self.contract.follow(schemas[0]), "properties", name) if schemas else name

    # Interactly

    def execute(
        self,
        body: Any,
        *,
        workflow: str | None = None,
        query: Mapping[str, Any] | None = None,
        access: Access = Access.OWN,
    ) -> Exchange:
        """Execute the target's Interactly workflow; the tag says who does."""
        path = {"workflow_id": workflow or self.target.workflow}
        return self.call("executeWorkflow", path=path, query=query, body=body, access=access)

    @cached_property
    def start_input(self) -> dict[str, Any]:
        """The run input that starts a run of the target's Interactly workflow."""
        variables = dict(self.target.input_variables or {})
        return {"command": "start", "dynamic_variables": variables, "run_by": self.tag}

    @property
    def start_body(self) -> dict[str, Any]:
        """The body that starts a run, in the form that the target serves."""
        return self.body_of(self.start_input)

    def start_of_no_version(self) -> Exchange:
        """Return the response to the start of a version that does not exist."""
        return self.once("unknown version", lambda: self.execute(self.start_body, query={"version": NO_SUCH_ID}))

    def command_to_no_run(self) -> Exchange:
        """Return the response to a command for a run that does not exist."""
        body = self.body_of({"command": "data", "run_by": self.tag}, NO_SUCH_OBJECT)
        return self.once("unknown run", lambda: self.execute(body))

    @property
    def other_generation(self) -> str:
        """The form of execute that the target is not said to serve."""
        return "b" if self.target.generation == "a" else "a"

    def body_of(
        self, run_input: Mapping[str, Any], run_id: str | None = None, generation: str | None = None
    ) -> dict[str, Any]:
        """Return the body of an execute, for a run that is there or a new one, by default in the target's form."""
        if (generation or self.target.generation) == "a":
            return {**run_input, **({} if run_id is None else {"workflow_run_id": run_id})}
        turn = {"run_input": {**ONE_THREAD, **run_input}}
        return turn if run_id is None else {**turn, "run_id": run_id}
