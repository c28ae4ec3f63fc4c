"""The command line: what it offers."""

import argparse
import os
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from contract_tests.budget import MANY_OPERATIONS, NIGHTLY_CASES, QUICK_CASES, QUICK_CASES_OF_MANY, Budget
from contract_tests.options import SANDBOX, MergeOptions, Options
from contract_tests.rules import SetUpError, Side

MOST_JOBS: Final = 4  # by itself: each holds the contract and a client
DESCRIPTION = "Judge a contract, the servers and the clients of it, rule by rule."
EPILOG = """\
subcommand:
  merge DIR... --report-dir DIR   make one report out of several, such as those of shards

exit status:
  0  nothing fails
  1  a row fails: a violation of a documented or recorded rule (with --strict: of any rule)
  2  could not run: arguments, set-up, an unreachable target, no key, nothing selected or judged, interrupted

examples:
  python -m contract_tests
  python -m contract_tests --side server --target staging --targets targets.toml
  python -m contract_tests -k 'PL-RUN-*' --seed 7
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SetUpError(f"{message} (see --help)")


def parse(argv: Sequence[str]) -> Options | MergeOptions:
    """
    Read the command line.

    Raises:
        SetUpError: If it cannot be understood or names a file or directory that does not exist.
        SystemExit: After ``--help``.
    """
    if argv and argv[0] == "merge":
        return _parse_merge(argv[1:])
    given = _parser().parse_args(argv)
    return Options(
        sides=tuple(Side) if given.side == "all" else (Side(given.side),),
        targets=tuple(dict.fromkeys(given.target or [SANDBOX])),
        targets_file=_file(given.targets, "--targets"),
        spec=_file(given.spec, "--spec") or default_spec(),
        has_own_spec=given.spec is not None,
        generated=_directory(given.generated, "--generated"),
        client=_directory(given.client, "--client"),
        adapter=given.adapter,
        report_dir=given.report_dir.absolute(),
        seed=_seed_of(given.seed, given.shard),
        budget=given.budget,
        shard=given.shard,
        strict=given.strict,
        dry_run=given.dry_run,
        fail_under=given.fail_under,
        pattern=given.k,
        jobs=given.jobs,
        command=shlex.join(["python", "-m", "contract_tests", *argv]),
    )


def _seed_of(given: int | None, shard: tuple[int, int]) -> int:
    # Parts of one run have to draw the same cases, though nobody tells one of the other.
    if given is not None:
        return given
    return secrets.randbelow(2**32) if shard == (1, 1) else 0


def default_spec() -> Path:
    """Return the project's own contract: beside this package in a source tree, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "openapi.yaml"
    return installed if installed.is_file() else package.parent / "openapi.yaml"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m contract_tests",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--side",
        choices=[*(side.value for side in Side), "all"],
        default="all",
        metavar="spec|server|client|all",
        help="who is judged (all)",
    )
    add("--target", action="append", metavar="NAME", help="a server to judge; may be repeated (sandbox)")
    add("--targets", type=Path, metavar="FILE", help="where targets are described (targets.toml)")
    add("--spec", type=Path, metavar="FILE", help="the contract, OpenAPI 3.0 or 3.1 (the project's own)")
    add("--generated", type=Path, metavar="DIR", help="a generated package to judge (the installed one)")
    add("--client", type=Path, metavar="DIR", help="a changed copy of workflow_runs to judge (the installed one)")
    add("--adapter", metavar="NAME|MODULE:ATTRIBUTE", help="how the client is driven (chosen by the contract)")
    words = "where the report goes (%(default)s)"
    add("--report-dir", type=Path, metavar="DIR", default=Path("conformance-report"), help=words)
    add("--seed", type=_seed, metavar="N", help="repeats the generated cases of the run that showed this seed")
    add("--budget", type=_budget, default=Budget(), metavar="quick|nightly|SECONDS", help=_budget_help())
    add(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="only part I of N of the rows, 1 <= I <= N; the seed is 0 unless --seed is given",
    )
    words = (
        "processes that share a client's operations; a server is asked by one alone (%(default)s, as processors are)"
    )
    add("--jobs", type=_jobs, metavar="N", default=min(MOST_JOBS, _processors()), help=words)
    add("--strict", action="store_true", help="violations of inferred rules fail too")
    add("--dry-run", action="store_true", help="show which rules would be judged where, and stop")
    add("--fail-under", type=_percent, metavar="PERCENT", help="fail if less of the contract was exercised")
    add("-k", metavar="ID-OR-GLOB", help="only rules whose id matches, such as PL-RUN-10 or 'PL-RUN-*'")
    return parser


def _budget_help() -> str:
    return (
        f"generated cases for each property and operation: quick is {QUICK_CASES}, nightly is {NIGHTLY_CASES}; where "
        f"the contract has more than {MANY_OPERATIONS} operations, quick is {QUICK_CASES_OF_MANY}; "
        "a number is the seconds that the whole run may take instead (quick)"
    )


def _parse_merge(argv: Sequence[str]) -> MergeOptions:
    parser = _Parser(prog="python -m contract_tests merge", description="Make one report out of several.")
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="report directory of one run")
    parser.add_argument("--report-dir", type=Path, required=True, metavar="DIR", help="where the one report goes")
    given = parser.parse_args(argv)
    command = shlex.join(["python", "-m", "contract_tests", "merge", *argv])
    return MergeOptions(tuple(given.directories), given.report_dir.absolute(), command)


def _file(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_file():
        raise SetUpError(f"{option}: there is no such file: {path}")
    return path and path.absolute()


def _directory(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_dir():
        raise SetUpError(f"{option}: there is no such directory: {path}")
    return path and path.absolute()


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _budget(text: str) -> Budget:
    try:
        return Budget.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither quick, nightly nor a number of seconds above 0"
        ) from None


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with 1 <= I <= N")
    return int(part), int(parts)


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _processors() -> int:
    # Of those that the machine has, a container may be given a few.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _percent(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return percent
