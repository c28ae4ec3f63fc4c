"""What became of a seeded defect: what the harness said, what another tool said, and what that amounts to."""

from dataclasses import dataclass
from enum import StrEnum

from mutants.defect import Defect


class Outcome(StrEnum):
    """The one vocabulary for both halves."""

    FOUND = "found"
    FOUND_BY_ANOTHER_RULE = "found by another rule"
    MISSED = "missed"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """
    What the harness said of one defective subject.

    Attributes:
        fired: Ids of the rules with a violation, in the order of the report.
        after: Requests (of a server) or cases (of a client) until the first violation; None if there was none.
        seconds: Time of the whole run.
        identities: Names of the breaches, which are the same in every run.
        problem: Why it could not be judged; empty if it was.
    """

    fired: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    after: int | None = None
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class OtherTool:
    """
    What another tool said of the same subject in the same run.

    Attributes:
        codes: The tool's own names of what it found that it does not find in a correct subject.
        after: Requests until the first of those; None if there was none.
        seconds: Time of the whole run.
        problem: Why it could not judge; empty if it could.
    """

    codes: tuple[str, ...] = ()
    after: int | None = None
    seconds: float = 0.0
    problem: str = ""

    @property
    def has_found(self) -> bool:
        """Whether it told the subject from a correct one."""
        return bool(self.codes)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One defect and what was said of it; ``other`` is None if no other tool was asked."""

    defect: Defect
    judgement: Judgement
    other: OtherTool | None = None

    @property
    def outcome(self) -> Outcome:
        """Tell what it amounts to: a defect that a rule finds is not equivalent, whatever its text says."""
        if self.defect.rules[0] in self.judgement.fired:
            return Outcome.FOUND
        if self.judgement.fired:
            return Outcome.FOUND_BY_ANOTHER_RULE
        return Outcome.EQUIVALENT if self.defect.equivalent else Outcome.MISSED

    @property
    def complaint(self) -> str:
        """Say what is wrong with this trial; empty if it is as it was declared."""
        if self.judgement.problem:
            return f"could not be judged: {self.judgement.problem}"
        if self.judgement.fired and self.defect.equivalent:
            return "declared equivalent, but a rule tells it from a correct subject"
        if self.judgement.fired and self.defect.missed:
            return "has a reason for being missed, but is found"
        if self.outcome is Outcome.MISSED and not self.defect.missed:
            return "missed, without a reason"
        return ""
