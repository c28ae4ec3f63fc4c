"""Generates two packages of a contract, has the harness judge them, and reads its reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entries import Finder

ROOT = Path(__file__).resolve().parents[2]
SPEC, CLIENT = "spec", "client"
# Some defects are what a run over our package does not ask: they are the contract's or the generator's own.
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Judged:
    """What was found in the two packages.

    Attributes:
        contract: Its name.
        stock: Rows of the reports on the package by the generator's own templates, by adapter.
        ours: Rows of the report on the package by our templates.
        refusal: Why our generator makes none of this contract; empty if it does.
    """

    contract: str
    stock: dict[str, Rows]
    ours: Rows = field(default_factory=list)
    refusal: str = ""

    def found_by(self, finder: Finder) -> str:
        """The rule and the constraint that show a defect in the first package; empty if none does."""
        constraints = _constraints(self.stock[finder.adapter], finder)
        return f"{finder.rule} {constraints[0]}".strip() if constraints else ""

    def is_in_ours(self, finder: Finder) -> bool:
        """Whether the same finding is made in the second package; what the generator leaves out is not asked there."""
        return finder.rule.startswith("CL-") and bool(_constraints(self.ours, finder))

    @property
    def in_ours(self) -> list[str]:
        """Everything that is found in our package."""
        return [
            f"{self.contract} {row['id']} {row['operation']}: {finding['constraint']}: {finding['received']}"
            for row in self.ours
            for finding in row["findings"]
        ]


def _constraints(rows: Rows, finder: Finder) -> list[str]:
    return [
        str(finding["constraint"])
        for row in rows
        if (row["id"], row["operation"], row["verdict"]) == (finder.rule, finder.operation, "violation")
        for finding in row["findings"]
        if finding["constraint"].startswith(finder.constraint)
    ]


def judge(contract: Path, finders: Iterable[Finder], folder: Path, seed: int) -> Judged:
    """Generate and judge both packages of a contract."""
    finders = list(finders)
    stock = _stock(contract, folder / "stock")
    rows: dict[str, Rows] = {"": []}
    if any(finder.rule.startswith("SPEC-") for finder in finders):
        rows[""] += _report(contract, folder / "spec", seed, "--side", SPEC, "-k", "SPEC-13")
    if stock is not None:
        rows[""] += _report(contract, folder / "client", seed, "--side", CLIENT, "--generated", str(stock))
    for adapter in {finder.adapter for finder in finders if finder.adapter}:
        driven = ["--adapter", adapter, "--generated", str(stock), "-k", "CL-REP-*"]
        rows[adapter] = _report(contract, folder / adapter, seed, "--side", CLIENT, *driven)
    ours, refusal = _ours(contract, folder / "ours")
    if ours is None:
        return Judged(contract.stem, rows, refusal=refusal)
    judged = _report(contract, folder / "our-client", seed, "--side", CLIENT, "--generated", str(ours))
    return Judged(contract.stem, rows, judged)


def _stock(contract: Path, folder: Path) -> Path | None:
    package = folder / f"{contract.stem}_api"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--path", str(contract)]
    # As it comes from the templates: ruff, which is run behind them by default, would mend a warning of the compiler.
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")
    command += ["--config", str(config)]
    # The generator looks for ruff on the PATH, and the right one lies beside this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [*command, "--overwrite", "--output-path", str(package)],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, check=False,
    )  # fmt: skip
    return package if done.returncode == 0 else None


def _ours(contract: Path, folder: Path) -> tuple[Path | None, str]:
    command = [sys.executable, str(ROOT / "scripts" / "generate"), "--contract", str(contract), "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return folder, ""
    lines = [line.strip() for line in done.stderr.splitlines()]
    return None, next((line for line in lines if line.startswith("#/")), "") or _warning(lines)


def _warning(lines: list[str]) -> str:
    return next((line for line in lines if "WARNING" in line or "rror" in line), "the generator failed")


def _report(contract: Path, folder: Path, seed: int, *arguments: str) -> Rows:
    command = [sys.executable, "-m", "contract_tests", "--spec", str(contract), "--seed", str(seed)]
    done = subprocess.run(
        [*command, "--report-dir", str(folder), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1}:
        sys.exit(f"{contract.name}: {done.stderr.strip()}")
    rows: Rows = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
    return rows
