"""Writes a page of the documentation that is generated, or checks that it is current."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(page: Callable[[], str], default: Path, command: str, arguments: Sequence[str]) -> int:
    """Write the page, or with ``--check`` compare it; return the exit status, 1 if it is stale."""
    parser = argparse.ArgumentParser(
        prog=command, description=f"Write docs/{default.name} from its source.", allow_abbrev=False
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=default, help=f"where the page goes (docs/{default.name})"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is stale")
    given = parser.parse_args(arguments)
    text = page()
    if given.check:
        is_current = given.file.is_file() and given.file.read_text(encoding="utf-8") == text
        if not is_current:
            sys.stderr.write(f"{given.file} is stale; run: {command}\n")
        return 0 if is_current else 1
    given.file.parent.mkdir(parents=True, exist_ok=True)
    given.file.write_text(text, encoding="utf-8")
    return 0
