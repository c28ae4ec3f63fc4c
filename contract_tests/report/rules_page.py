"""
Writes ``docs/rules.md`` from the rules: ``python -m contract_tests.report.rules_page [--check] [FILE]``.

With ``--check`` nothing is written, and the exit status is 1 if the page is stale; 2 for wrong arguments.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contract_tests.registry import rules_by_chapter
from contract_tests.rules import DOCUMENT, EVERY_OPERATION, Rule

DEFAULT = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
COMMAND = "python -m contract_tests.report.rules_page"
OPENING = f"""\
<!-- Generated from the rules; do not edit. Rebuild with: {COMMAND} -->

# Rules

Every rule has an id by which it can be selected (`python -m contract_tests -k ID`) and a basis: *documented* and
*recorded* rules fail a run, *inferred* ones are reported and fail it only with `--strict`.
"""


def page() -> str:
    """Return the text of the page."""
    chapters = "\n".join(_chapter(title, rules) for title, rules in rules_by_chapter().items())
    return f"{OPENING}\n{chapters}"


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; give the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description="Write docs/rules.md from the rules.", allow_abbrev=False
    )
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT, help="where the page goes (docs/rules.md)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is stale")
    given = parser.parse_args(arguments)
    text = page()
    if given.check:
        is_current = given.file.is_file() and given.file.read_text(encoding="utf-8") == text
        if not is_current:
            sys.stderr.write(f"{given.file} is stale; run: {COMMAND}\n")
        return 0 if is_current else 1
    given.file.parent.mkdir(parents=True, exist_ok=True)
    given.file.write_text(text, encoding="utf-8")
    return 0


def _chapter(title: str, rules: Sequence[Rule]) -> str:
    return f"## {title}\n\n" + "\n".join(map(_entry, rules))


def _entry(rule: Rule) -> str:
    return f"""\
### {rule.id}

**{rule.title}**

{rule.says}

- Operations: {_operations(rule)}
- Basis: {rule.basis}
- Source: {rule.source}
"""


def _operations(rule: Rule) -> str:
    if rule.operations == DOCUMENT:
        return "the document as a whole"
    if rule.operations == EVERY_OPERATION:
        return "every operation"
    return ", ".join(f"`{name}`" for name in rule.operations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
