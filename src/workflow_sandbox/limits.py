"""How many Interactly runs may be under way, of one workflow and in all, and when one fails since nobody goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow_sandbox import conversation
from workflow_sandbox.assumptions import Assumptions

_UNDER_WAY = frozenset({"started", "running", "waiting_for_user_input"})  # a paused run is neither counted nor stale


@dataclass(frozen=True)
class Limits:
    """The limits, as the settings have them; 0 is none."""

    of_a_workflow: int
    in_all: int
    stale_seconds: int

    @classmethod
    def of(cls, assumptions: Assumptions) -> "Limits":
        """Return the limits of the settings."""
        return cls(
            assumptions.interactly_runs_of_a_workflow,
            assumptions.interactly_runs_in_all,
            assumptions.interactly_stale_seconds,
        )

    @property
    def are_set(self) -> bool:
        """Whether there is any on how many runs are under way."""
        return bool(self.of_a_workflow or self.in_all)

    def reached(self, workflow_id: str, runs: Iterable[dict[str, Any]]) -> str | None:
        """Return in words which limit leaves no room for one more run of a workflow beside `runs`."""
        under_way = [run for run in map(self.as_of_now, runs) if run["status"] in _UNDER_WAY]
        of_it = sum(run["workflow_id"] == workflow_id for run in under_way)
        if self.of_a_workflow and of_it >= self.of_a_workflow:
            return f"{of_it} runs of this workflow are under way, which is as many as may be"
        if self.in_all and len(under_way) >= self.in_all:
            return f"{len(under_way)} runs are under way in all, which is as many as may be"
        return None

    def as_of_now(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Return a run as it stands: one that has waited for too long has failed."""
        is_stale = self.stale_seconds and conversation.seconds_since_change(run) >= self.stale_seconds
        if is_stale and run["status"] in _UNDER_WAY:
            return conversation.ended_as_stale(run)
        return dict(run)
