"""
What is played with PromptLayer's workflows: the target's own is read, one of the harness's own is created and changed.

Nothing is created unless the target allows writes, and then one workflow for each run of the harness: no operation
deletes it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from contract_tests.options import Options
from contract_tests.rules import NotExercised
from contract_tests.server import own_workflow
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.server import ServerUnderTest

SOURCE: Final = "contract-tests"
LABEL: Final = "contract-tests-label"
MOST_PAGES: Final = 3


class WorkflowScenarios:
    """The exchanges, each sent when a rule first asks for it."""

    def __init__(self, server: ServerUnderTest, _: Options) -> None:
        self.server = server

    def read(self, workflow: str | None = None, **query: Any) -> Exchange:
        """Read a workflow, by default the target's own."""
        path = {"workflow_id_or_name": workflow or self.server.target.workflow}
        return self.server.call("getWorkflow", path=path, query=query)

    def labels(self, workflow: str | None = None) -> Exchange:
        """Ask for the labels of a workflow, by default the target's own."""
        path = {"workflow_id_or_name": workflow or self.server.target.workflow}
        return self.server.call("getWorkflowLabels", path=path)

    def page(self, **query: Any) -> Exchange:
        """Ask for a page of the list of workflows."""
        return self.server.call("listWorkflows", query=query)

    @cached_property
    def pages(self) -> list[Exchange]:
        """The first pages of the list and the last, one workflow on each; there are two if the target allows writes."""
        with suppress(NotExercised):
            _ = self.created
        pages = list(_in_turn(self._page))
        last = pages[-1].json.get("pages") if pages[-1].is_object else None
        return [*pages, self._page(last)] if isinstance(last, int) and last > len(pages) else pages

    def _page(self, number: int) -> Exchange:
        return self.page(page=number, per_page=1, sort_by="id", sort_order="asc")

    @property
    def latest(self) -> Exchange:
        """The target's own workflow."""
        return own_workflow.read(self.server)

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of the target's own workflow, as a version is created with them."""
        return own_workflow.nodes_of(self.server)

    @property
    def name(self) -> str:
        """Name of the harness's own workflow."""
        return f"contract-tests {self.server.tag}"

    def create(self, **body: Any) -> Exchange:
        """Create a workflow or a version, by default with the nodes of the target's own."""
        return own_workflow.create(self.server, **body)

    @cached_property
    def created(self) -> Exchange:
        """The first version of the harness's own workflow, which has a label and an external id."""
        pair = {"source": SOURCE, "external_id": self.name}
        return self.create(name=self.name, release_labels=[LABEL], external_ids=[pair])

    @cached_property
    def second(self) -> Exchange:
        """The second version of the harness's own workflow, to which the label moves."""
        self.must_create()
        return self.create(workflow_name=self.name, release_labels=[LABEL])

    @cached_property
    def patched(self) -> Exchange:
        """The version that a patch makes: the last node that is no output node is removed, if there is one."""
        self.must_create(self.second)
        # A node that went on to depend on one that is gone would be a reason to refuse.
        nodes = {**self._freed, **dict.fromkeys(self.removed)}
        body = {"nodes": nodes, "commit_message": "contract-tests"}
        return self.server.call("patchWorkflow", path={"workflow_id_or_name": self.name}, body=body)

    @property
    def removed(self) -> list[str]:
        """Names of the nodes that the patch removes."""
        return [node["name"] for node in self.nodes if node.get("is_output_node") is False][-1:]

    @property
    def _freed(self) -> dict[str, Any]:
        """What the patch changes in the nodes that depend on a removed one."""
        needs = {node["name"]: node.get("dependencies", []) for node in self.nodes}
        freed = {name: [one for one in wanted if one not in self.removed] for name, wanted in needs.items()}
        return {name: {"dependencies": rest} for name, rest in freed.items() if rest != needs[name]}

    def must_create(self, made: Exchange | None = None) -> Exchange:
        """
        Return a version that was created, by default the first one.

        Raises NotExercised if it was refused, which has a rule of its own.
        """
        made = self.created if made is None else made
        if not made.has_succeeded:
            raise NotExercised(f"no version could be created: {made.shown}")
        return made

    @property
    def id(self) -> int:
        """Id of the harness's own workflow."""
        found: int = self.must_create().must_have("workflow_id", int)
        return found

    def external_ids(self) -> Exchange:
        """Ask for the external ids of the harness's own workflow."""
        return self.server.call("listWorkflowExternalIds", path={"workflow_id": self.id})

    def attach(self, external_id: str, workflow: int | None = None) -> Exchange:
        """Attach an external id, by default to the harness's own workflow."""
        path = {"workflow_id": self.id if workflow is None else workflow}
        body = {"source": SOURCE, "external_id": external_id}
        return self.server.call("attachWorkflowExternalId", path=path, body=body)

    def detach(self, external_id: str) -> Exchange:
        """Detach an external id from the harness's own workflow."""
        path = {"workflow_id": self.id, "source": SOURCE, "external_id": external_id}
        return self.server.call("detachWorkflowExternalId", path=path)

    @cached_property
    def attachments(self) -> dict[str, Exchange]:
        """An external id from its attaching to its detaching, and what was listed in between, in order."""
        external_id = f"{self.name} attached"
        own_workflow = self.latest.must_have("workflow_id", int)
        return {
            "first": self.attach(external_id),
            "again": self.attach(external_id),
            "elsewhere": self.attach(external_id, own_workflow),
            "list": self.external_ids(),
            "detach": self.detach(external_id),
            "list after": self.external_ids(),
        }


def _in_turn(ask: Callable[[int], Exchange]) -> Iterator[Exchange]:
    for number in range(1, MOST_PAGES + 1):
        page = ask(number)
        yield page
        if not page.is_object or page.json.get("has_next") is not True:
            return
