"""
Writes ``docs/rules.md`` from the rules: ``python -m contract_tests.report.rules_page [--check] [FILE]``.

With ``--check`` nothing is written, and the exit status is 1 if the page is stale; 2 for wrong arguments.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_tests.registry import rules_by_chapter
from contract_tests.report.generated_page import write_or_check
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
    """Write or check the page; return the exit status."""
    return write_or_check(page, DEFAULT, COMMAND, arguments)


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
