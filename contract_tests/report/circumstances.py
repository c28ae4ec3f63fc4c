"""What a run was: when, by which command, over what, and how it ended."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from contract_tests.options import Options
from contract_tests.targets import Target


class State(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    CUT_SHORT = "cut short"
    NOT_RUN = "not run"
    DRY_RUN = "dry run"

    @property
    def is_judgement(self) -> bool:
        """Whether rows were judged."""
        return self in {State.COMPLETE, State.CUT_SHORT}


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What ``results.json`` holds as ``run``."""

    state: State  # how it ended
    reason: str  # why it was cut short or not run; empty otherwise
    started: str  # when, in UTC, as ISO 8601
    command: str  # the command line
    shard: str  # which part of how many, `1/1` for the whole
    scope: Mapping[str, Any]  # what parts of one run have in common; two runs with the same one judge the same rows

    @classmethod
    def of(cls, options: Options, targets: Sequence[Target]) -> Self:
        """Take down the circumstances of a run that begins now."""
        return cls(
            state=State.COMPLETE,
            reason="",
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            command=options.command,
            shard="{}/{}".format(*options.shard),
            scope={
                "contract": hashlib.sha256(options.spec.read_bytes()).hexdigest()[:16],
                "sides": [side.value for side in options.sides],
                "targets": [f"{target.name} {target.service} {target.base_url}".strip() for target in targets],
                "pattern": options.pattern,
                "budget": options.budget.cases or f"{options.budget.seconds:g} s",
                "strict": options.strict,
            },
        )

    def ended(self, state: State, reason: str) -> Self:
        """Return the same, with how it ended."""
        return replace(self, state=state, reason=reason)

    def to_data(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)
