"""
Writes ``docs/rules.md`` from the rules: ``python -m contract_tests.report.rules_page [--check] [FILE]``.

With ``--check`` nothing is written, and the exit status is 1 if the page is stale.
"""

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
    """Give the text of the page."""
    chapters = "\n".join(_chapter(title, rules) for title, rules in rules_by_chapter().items())
    return f"{OPENING}\n{chapters}"


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; give the exit status."""
    files = [argument for argument in arguments if argument != "--check"]
    path = Path(files[0]) if files else DEFAULT
    text = page()
    if "--check" in arguments:
        is_current = path.is_file() and path.read_text(encoding="utf-8") == text
        if not is_current:
            sys.stderr.write(f"{path} is stale; run: {COMMAND}\n")
        return 0 if is_current else 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
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
