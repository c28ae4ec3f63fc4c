"""Writes of PromptLayer workflows, after each of which it is taken down what there has to be."""

from contract_tests.openapi.json_text import same, whole
from contract_tests.rules import NotExercised
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.models.workflow import Content, Pair, Version, Workflow, content_of, merged
from contract_tests.server.relations.workflow_reads import KnownWorkflows, Topic
from contract_tests.server.relations.workflow_shapes import NOTE, Body, Shapes


class WorkflowWrites(KnownWorkflows):
    """
    Writes workflows, and takes down what the service has taken.

    Attributes:
        shapes: What versions are made of.
        first, second: Workflows as they are known.
    """

    shapes: Shapes
    first: Workflow
    second: Workflow

    def owner(self, pair: Pair) -> Workflow | None:
        """Return which of the two has an external id."""
        return next((one for one in (self.first, self.second) if pair in one.pairs), None)

    def created(
        self, exchange: Exchange, name: str, body: Body, labels: set[str], pairs: set[Pair]
    ) -> Workflow:  # fmt: skip
        """Return the workflow that was created; raises NotExercised if it was refused."""
        if not exchange.has_succeeded:
            raise NotExercised(f"no workflow could be created: {exchange.shown}")
        workflow = Workflow(exchange.must_have("workflow_id", int), name, pairs=pairs)
        workflow.add(Version(exchange.must_have("version_number", int), content_of(body)), labels)
        self._judge_made(workflow, exchange)
        return workflow

    def patch(self, workflow: Workflow, patch: Body) -> None:
        """Patch a workflow; what is refused is left as it was."""
        is_named = "base_version" in patch
        base = workflow.versions[patch["base_version"] if is_named else workflow.latest]
        foretold, latest = merged(base.content, patch), workflow.versions[workflow.latest].content
        if self._adds_nothing:
            foretold["added"] = set()
        exchange = self.send_patch(workflow, patch)
        if not self.is_there(Topic.BASE if is_named else Topic.MERGED, exchange, "status", "what it changes"):
            return
        number = self.add(workflow, patch, exchange, foretold)
        if number is not None:
            made = workflow.versions[number]
            made.is_patch, made.is_whole = True, bool(base.shown)
            made.by_latest = merged(latest, patch) if is_named else {}
            told = whole(exchange.json.get("base_version"))
            self.judge(Topic.BASE, exchange, told in {None, base.number}, "base_version", f"not {base.number}")

    def send_patch(self, workflow: Workflow, patch: Body) -> Exchange:
        """Send a patch, whatever comes of it."""
        return self.server.call("patchWorkflow", path={"workflow_id_or_name": workflow.name}, body=patch)

    def add(self, workflow: Workflow, body: Body, exchange: Exchange, content: Content | None = None) -> int | None:
        """Take down a version that was added; return its number, None if it was refused."""
        if not exchange.has_succeeded:
            return None
        number: int = exchange.must_have("version_number", int)
        latest = workflow.latest
        topic = Topic.CREATED if content is None else Topic.BASE
        self.judge(topic, exchange, number > latest, "version_number", f"not more than {latest}")
        if number <= latest:
            raise NotExercised("a new version has an old number")
        workflow.add(
            Version(number, content_of(body) if content is None else content), body.get("release_labels") or ()
        )
        self._judge_made(workflow, exchange)
        return number

    def attach(self, workflow: Workflow, pair: Pair) -> None:
        """Attach an external id that no workflow has."""
        attached = self.server.call(
            "attachWorkflowExternalId", path={"workflow_id": workflow.id}, body=as_member(pair)
        )  # fmt: skip
        if self.is_there(Topic.PAIRS, attached, "attached", "the workflow, and no other with this external id,"):
            workflow.pairs.add(pair)

    def detach(self, workflow: Workflow, pair: Pair) -> None:
        """Detach an external id that the workflow has."""
        path = {"workflow_id": workflow.id, "source": pair[0], "external_id": pair[1]}
        detached = self.server.call("detachWorkflowExternalId", path=path)
        if self.is_there(Topic.PAIRS, detached, "detached", "the external id"):
            workflow.pairs.discard(pair)

    def must_refuse(self, what: str, exchange: Exchange) -> None:
        """Take down that a write which has to be refused is."""
        self.judge(Topic.REFUSED, exchange, not exchange.has_succeeded, what, "it is taken")

    @property
    def _adds_nothing(self) -> bool:
        """Whether a node that is created is shown with what was sent and no more."""
        created = next(iter(self.first.versions.values()))
        return same(created.foretold.get("nodes"), created.content.get("nodes"))

    @property
    def keeps_notes(self) -> bool:
        """Whether the service keeps properties of a configuration that it does not know."""
        nodes = next(iter(self.first.versions.values())).content.get("nodes", {})
        kept = [nodes.get(own["name"], {}).get("configuration") for own in self.shapes.own]
        return all(isinstance(one, dict) and NOTE in one for one in kept)


def as_member(pair: Pair) -> dict[str, str]:
    """Return an external id as bodies have it."""
    return {"source": pair[0], "external_id": pair[1]}
