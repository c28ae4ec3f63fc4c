"""Judges the sandbox and every target of a file whose key is set, and goes on after one that fails."""

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract_tests.options import SANDBOX
from contract_tests.runner.signals import ended_like_ctrl_c

PROGRAM: Final = "contract_tests.nightly"
CLEAN, FAILS, COULD_NOT_RUN = 0, 1, 2
WORDS: Final = {CLEAN: "passes", FAILS: "FAILS", COULD_NOT_RUN: "could not be run"}
SECONDS_TO_END: Final = 30
HELP: Final = """\
Judges the sandbox and every target of a file whose key is set, one after the other, and goes on after one that fails.

    python -m contract_tests.nightly [--targets FILE] [--report-dir DIR] [options of python -m contract_tests]

Each keeps its report in a directory of its own name. At the end it says how each one ended and which were not run.

exit status:
  0  at least one target was judged, and none fails
  1  a rule is broken somewhere
  2  something could not be run, or no target's key is set
"""


@dataclass(frozen=True)
class Ended:
    """How the run of one target ended; no status means that it was not run, for this reason."""

    name: str
    status: int | None
    reason: str = ""

    @property
    def line(self) -> str:
        """What is said of it at the end."""
        if self.status is None:
            return f"  {self.name:<20}not run: {self.reason}"
        return f"  {self.name:<20}{WORDS.get(self.status, f'ended with status {self.status}')}"


def main(argv: Sequence[str] | None = None) -> int:
    """Judge them all; return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(HELP)
        return CLEAN
    targets, directory = _taken(arguments, "--targets", "targets.toml"), _taken(arguments, "--report-dir", "")
    reports = Path(directory or "conformance-report")
    ended: list[Ended] = []
    try:
        with ended_like_ctrl_c():
            ended.append(Ended(SANDBOX, _judge(["--report-dir", str(reports / SANDBOX), *arguments])))
            for name, table in _tables(Path(targets)).items():
                ended.append(_target(name, table, Path(targets), reports, arguments))
    except KeyboardInterrupt:
        ended.append(Ended("the rest", None, "interrupted"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        ended.append(Ended(targets, COULD_NOT_RUN))
        sys.stderr.write(f"{PROGRAM}: cannot read {targets}: {error}\n")
    return _told(ended)


def _told(ended: Sequence[Ended]) -> int:
    sys.stdout.write("\n".join(["", "Nightly", *(one.line for one in ended), ""]))
    sys.stdout.flush()
    judged = [one for one in ended if one.status is not None and one.name != SANDBOX]
    if not judged:
        reasons = "; ".join(one.reason for one in ended if one.status is None) or "there are none"
        sys.stderr.write(f"{PROGRAM}: no target was judged: {reasons}\n")
    statuses = {one.status for one in ended if one.status is not None}
    if statuses - {CLEAN, FAILS} or not judged or any(one.reason == "interrupted" for one in ended):
        return FAILS if FAILS in statuses else COULD_NOT_RUN
    return max(statuses)


def _tables(path: Path) -> dict[str, Any]:
    found = tomllib.loads(path.read_text(encoding="utf-8")).get("targets")
    return found if isinstance(found, dict) else {}


def _target(name: str, table: Any, targets: Path, reports: Path, arguments: Sequence[str]) -> Ended:
    variable = table.get("api_key_env") if isinstance(table, dict) else None
    if isinstance(variable, str) and not os.environ.get(variable):
        return Ended(name, None, f"{variable} is not set")
    where = ["--side", "server", "--target", name, "--targets", str(targets)]
    return Ended(name, _judge([*where, "--report-dir", str(reports / name), *arguments]))


def _judge(arguments: Sequence[str]) -> int:
    """Run the harness in a process of its own, so that what ends one run ends no other."""
    command = [sys.executable, "-m", "contract_tests", "--budget", "nightly", *arguments]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)  # once: Ctrl-C went to this process alone
            process.wait(SECONDS_TO_END)
            raise


def _taken(arguments: list[str], option: str, default: str) -> str:
    """Take an option with its value out of the arguments."""
    if option not in arguments[:-1]:
        return default
    at = arguments.index(option)
    value = arguments[at + 1]
    del arguments[at : at + 2]
    return value


if __name__ == "__main__":
    sys.exit(main())
