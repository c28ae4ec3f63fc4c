"""Has the harness judge every correct server, seed by seed: `python tests/conforming/false_alarms.py --seeds 20`.

Exit status 1 if any row is a violation. One line for each server: verdicts, requests and seconds over all seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manners import ALL, MANNERS
from serving_others import SANDBOX, served

KEY, KEY_ENV = "sandbox-key", "CORRECT_SERVER_KEY"
SERVERS = [SANDBOX, *MANNERS]
CHOICES = [SANDBOX, *ALL]
_TABLE = """
[targets.{service}]
service = "{service}"
base_url = "{url}"
api_key_env = "{key}"
workflow = "{workflow}"
{label}
version = 1
input_variables = {{ user_message = "ping" }}
max_requests = 100000
requests_per_second = 10000
callback_listen = "127.0.0.1:0"
allow_writes = true
"""


@dataclass
class Judged:
    """What the harness said of one server over some seeds."""

    name: str
    verdicts: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0


def judge(name: str, seeds: range, budget: str = "quick", pattern: str | None = None) -> Judged:
    """Judge one server with each seed."""
    judged = Judged(name)
    for seed in seeds:
        with served(name) as url, tempfile.TemporaryDirectory() as directory:
            started = time.monotonic()
            report = _report(name, url, Path(directory), _chosen(seed, budget, pattern))
            judged.seconds += time.monotonic() - started
        judged.requests += sum(target["requests"] for target in report["targets"])
        judged.verdicts.update(row["verdict"] for row in report["results"])
        judged.alarms += [
            f"seed {seed}: {row['identity'] or row['id']}: {row['received']}"
            for row in report["results"]
            if row["verdict"] == "violation"
        ]
    return judged


def _known(name: str) -> str:
    # What outputs tell of versions stands in the table, and nowhere if they tell nothing.
    tell = name == SANDBOX or not ALL[name].same_versions
    return 'label = "production"' + ("\nlatest_version = 2" if tell else "")


def _form(name: str) -> str:
    return 'generation = "b"' if name != SANDBOX and ALL[name].turns else ""


def _chosen(seed: int, budget: str, pattern: str | None) -> list[str]:
    return ["--seed", str(seed), "--budget", budget, *(["-k", pattern] if pattern else [])]


def _report(name: str, url: str, directory: Path, chosen: list[str]) -> Any:
    targets = directory / "targets.toml"
    tables = [
        _TABLE.format(service="promptlayer", url=url, key=KEY_ENV, workflow="canary", label=_known(name)),
        _TABLE.format(
            service="interactly",
            url=f"{url}/workflows",
            key=KEY_ENV,
            workflow="5eb7cf5a86d9755df3a6c593",
            label=_form(name),
        ),
    ]
    targets.write_text("".join(tables), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "contract_tests", "--side", "server", *chosen),
        *("--target", "promptlayer", "--target", "interactly", "--targets", str(targets)),
        *("--report-dir", str(directory / "report")),
    ]
    done = subprocess.run(command, env={**os.environ, KEY_ENV: KEY}, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return json.loads((directory / "report" / "results.json").read_text(encoding="utf-8"))


def main() -> int:
    """Judge what the command line names and print a line for each; give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="how many, from 1 on (2)")
    parser.add_argument("--server", action="append", choices=CHOICES, help="may be repeated (the first ones)")
    parser.add_argument("--all", action="store_true", help="also those that differ in one choice each")
    parser.add_argument("-k", metavar="ID-OR-GLOB", help="only rules whose id matches")
    parser.add_argument("--budget", default="quick")
    given = parser.parse_args()
    alarms = 0
    for name in given.server or (CHOICES if given.all else SERVERS):
        judged = judge(name, range(1, given.seeds + 1), given.budget, given.k)
        sys.stdout.write(_line(judged, given.seeds))
        sys.stdout.flush()
        alarms += len(judged.alarms)
    return 1 if alarms else 0


def _line(judged: Judged, seeds: int) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(judged.verdicts.items()))
    each = f"{judged.requests / seeds:.0f} requests and {judged.seconds / seeds:.1f} s a run"
    head = f"{judged.name:<16} {seeds} seeds: {len(judged.alarms)} false alarms; {counts}; {each}"
    return "\n".join([head, *sorted(set(judged.alarms)), ""])


if __name__ == "__main__":
    sys.exit(main())
