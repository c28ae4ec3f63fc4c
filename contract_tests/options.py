"""What one call of the command line asked for."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from contract_tests.budget import QUICK, Budget
from contract_tests.rules import Side

SANDBOX = "sandbox"


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    What the command line asked for.

    Attributes:
        sides: Who is judged, in order.
        targets: Names of targets for the server side.
        targets_file: Where targets are described; None for ``targets.toml`` in the current directory, if needed.
        spec: The contract's file.
        has_own_spec: Whether ``--spec`` was given, so the contract may be anybody's.
        generated: Directory of a generated package; None for the installed one.
        client: Directory of a changed copy of ``workflow_runs``; None for the installed one.
        adapter: How a client is driven; None for the default.
        report_dir: Where reports are written.
        seed: Makes all generated data reproducible.
        budget: How much is generated.
        shard: Which part of how many, counted from 1.
        pattern: Only rules whose id matches this glob.
        fail_under: Least coverage in per cent.
        jobs: How many processes may share the work.
        command: The whole of it, as a report shows it.
    """

    sides: tuple[Side, ...]
    targets: tuple[str, ...]
    targets_file: Path | None
    spec: Path
    has_own_spec: bool
    generated: Path | None
    client: Path | None
    adapter: str | None
    report_dir: Path
    seed: int
    budget: Budget
    shard: tuple[int, int]
    strict: bool
    dry_run: bool
    fail_under: float | None
    pattern: str | None
    jobs: int = 1
    command: str = ""

    def selects(self, rule_id: str) -> bool:
        """Whether a rule is asked for."""
        return self.pattern is None or fnmatch.fnmatchcase(rule_id.lower(), self.pattern.lower())

    def command_for(self, rule_id: str, side: Side, target: str = "") -> list[str]:
        """Return the words of a command that judges one rule again on the same data."""
        named = {
            "--target": target if target != SANDBOX else None,
            "--targets": self.targets_file if target else None,
            "--spec": self.spec if self.has_own_spec else None,
            "--generated": self.generated,
            "--client": self.client,
            "--adapter": self.adapter,
            "--budget": None if self.budget.name == QUICK else self.budget.name,
        }
        given = [word for option, value in named.items() if value for word in (option, str(value))]
        return ["python", "-m", "contract_tests", "--side", side, *given, "-k", rule_id, "--seed", str(self.seed)]


@dataclass(frozen=True)
class MergeOptions:
    """What ``merge`` was asked for."""

    directories: tuple[Path, ...]
    report_dir: Path
    command: str = ""
