"""Runs the harness in this process and reads back what it reports."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.__main__ import main

KEY = "sandbox-key"
KEY_ENV = "HARNESS_TEST_KEY"
INTERACTLY = {
    "service": "interactly",
    "workflow": "5eb7cf5a86d9755df3a6c593",
    "label": None,
    "latest_version": None,
    "input_variables": {"customer_name": "Ada"},
}


@dataclass(frozen=True)
class Judgement:
    """What a run of the harness left behind."""

    status: int
    report: Mapping[str, Any]

    def row(self, rule: str, operation: str | None = None) -> Mapping[str, Any]:
        """The only row of a rule, or the one of an operation."""
        found = [row for row in self.report["results"] if row["id"] == rule and operation in (None, row["operation"])]
        assert len(found) == 1, found
        return dict(found[0])

    @property
    def violations(self) -> list[tuple[str, str]]:
        """Rule and operation of every violation."""
        return [(row["id"], row["operation"]) for row in self.report["results"] if row["verdict"] == "violation"]


def judge(directory: Path, *arguments: str) -> Judgement:
    """Run the harness and read its report."""
    status = main([*arguments, "--report-dir", str(directory)])
    return Judgement(status, json.loads((directory / "results.json").read_text(encoding="utf-8")))


def targets_file(directory: Path, tables: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a file of targets."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[targets.{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    path = directory / "targets.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def promptlayer(base_url: str, /, **changes: Any) -> dict[str, Any]:
    """Describe a server that is the sandbox behind something, as PromptLayer."""
    table = {
        "service": "promptlayer",
        "base_url": base_url,
        "api_key_env": KEY_ENV,
        "workflow": "canary",
        "label": "production",
        "version": 1,
        "latest_version": 2,
        "input_variables": {"user_message": "ping"},
        "max_requests": 5000,
        "requests_per_second": 1000,
        "callback_listen": "127.0.0.1:0",
    }
    return {key: value for key, value in (table | changes).items() if value is not None}


def interactly(base_url: str, /, **changes: Any) -> dict[str, Any]:
    """Describe a server that is the sandbox behind something, as Interactly."""
    table = promptlayer(f"{base_url}/workflows", **INTERACTLY)
    return {key: value for key, value in (table | changes).items() if value is not None}


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


def ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rule ids of rows."""
    return [row["id"] for row in rows]
