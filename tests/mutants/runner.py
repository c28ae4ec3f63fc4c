"""
What each half of the seeded defects offers: ``mutants.servers`` and ``mutants.clients``.

Both packages have a function ``open_runner(options) -> AbstractContextManager[Runner]``, and ``defects()``, which gives
all of theirs in a fixed order. The runner is entered once and then asked for one defect at a time, from as many
threads as there are workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mutants.outcome import Judgement, OtherTool


@dataclass(frozen=True, kw_only=True)
class RunnerOptions:
    """
    How defective subjects are judged.

    Attributes:
        seed: The harness's seed.
        budget: The harness's budget, as on its command line.
        pattern: Only rules whose id matches this glob; None for all.
        stock: Whether another tool judges the same subjects too.
    """

    seed: int = 1
    budget: str = "quick"
    pattern: str | None = None
    stock: bool = False


class Runner(Protocol):
    """Makes defective subjects and has them judged; ``unit`` is what is counted until a finding."""

    unit: str

    def judge(self, defect: Any) -> Judgement:
        """Have the harness judge one defective subject. Whatever goes wrong is told as its ``problem``."""

    def judge_by_other_tool(self, defect: Any) -> OtherTool | None:
        """Have another tool judge it; None if there is no other tool for it."""

    def remarks(self) -> Sequence[str]:
        """Give further lines for the end of the table, such as the time for a correct subject."""
