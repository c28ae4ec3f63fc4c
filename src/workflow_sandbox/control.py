"""A running sandbox from the side of a test: what came, what was posted, what is to go wrong or to wait."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from workflow_sandbox.history import CallbackRecord, RequestRecord

if TYPE_CHECKING:
    from workflow_sandbox.held import Held


class Control:
    """What a test asks of a sandbox beside the two services, in Python."""

    api_key: str
    """PromptLayer's key and Interactly's bearer token."""

    @property
    def promptlayer_url(self) -> str:
        """PromptLayer's base URL, without a slash at its end."""
        raise NotImplementedError

    @property
    def interactly_url(self) -> str:
        """Interactly's base URL, without a slash at its end."""
        return f"{self.promptlayer_url}/workflows"

    def _admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of an admin endpoint's response; raise ValueError with its words if it refuses."""
        raise NotImplementedError

    @property
    def requests(self) -> list[RequestRecord]:
        """The last 1,000 requests that came, oldest first."""
        return [RequestRecord(**each) for each in self._admin("GET", "/requests")]

    @property
    def callbacks(self) -> list[CallbackRecord]:
        """The last 1,000 posts of callbacks, oldest first; a callback that was not posted at all is among them."""
        return [CallbackRecord(**each) for each in self._admin("GET", "/callbacks")]

    def clear_history(self) -> None:
        """Forget which requests came and which callbacks were posted."""
        self._admin("DELETE", "/history")

    def inject(self, fault: str, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Have the next requests meet a fault, say `error:503`.

        Args:
            fault: As `workflow-sandbox --help` lists them. One of a run is met by runs that these requests start.
            times: How many requests.
            method: Only requests with this method; empty for any.
            path: Only requests with this path, percent-encoded as it is sent; empty for any.

        Raises:
            ValueError: There is no such fault.
        """
        self._admin("POST", "/faults", {"fault": fault, "times": times, "method": method, "path": path})

    def set_chaos(self, share: float = 0.0, *, shares: Mapping[str, float] | None = None, seed: int = 0) -> None:
        """Have a share of all requests and runs from here on meet faults; no argument ends it, injected ones too.

        The same seed and the same requests in the same order give the same faults.

        Args:
            share: Of requests, and of runs, that meet a fault of any kind, from 0 to 1.
            shares: Beside that, the share of single faults: `{"error:503": 0.1}`.
            seed: What the faults are drawn by.

        Raises:
            ValueError: A share is not from 0 to 1, or there is no such fault.
        """
        self._admin("PUT", "/chaos", {"share": share, "shares": dict(shares or {}), "seed": seed})
        self._admin("DELETE", "/faults")

    def hold(
        self,
        workflow: str | None = None,
        *,
        run: int | None = None,
        node: str | None = None,
        status: Literal["QUEUED", "RUNNING"] | None = None,
    ) -> "Held":
        """Hold PromptLayer runs from now on until the hold is released; a restart releases it, too.

            with sandbox.hold("support-agent", node="Draft") as held:
                run_id = held.wait()  # Draft of this run is RUNNING, and stays so until the block ends

        Args:
            workflow: Name of the workflow whose runs are held.
            run: Id of the one run that is held, instead of a workflow.
            node: Name of the node that is held. Without it all nodes are.
            status: In which status: before it begins, or before it ends. By default a node is held before it ends, a
                run before it begins.
        """
        from workflow_sandbox.held import Held  # noqa: PLC0415  # urllib's openers are for who holds something

        order = {"workflow": workflow, "run": run, "node": node, "status": status}
        return Held(
            self.promptlayer_url, self.api_key, {name: value for name, value in order.items() if value is not None}
        )
