"""All rules of this package, in the order of their chapters."""

import ast
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from contract_tests.rules import Check, Rule, Side, rule_of

FINDERS: Final = "finders"


def chapters() -> list[str]:
    """Return the names of the modules that hold rules, side by side."""
    package = Path(__file__).parent
    found = [path for side in Side for path in sorted((package / side / "rules").glob("*.py")) if is_chapter(path)]
    return [".".join(("contract_tests", *path.relative_to(package).with_suffix("").parts)) for path in found]


def is_chapter(path: Path) -> bool:
    """Whether a file is a module of rules: all in their folders are but the fixtures."""
    return path.suffix == ".py" and path.parent.name == "rules" and path.stem not in {"__init__", "conftest"}


@cache
def title_of(path: Path) -> str:
    """Return a chapter's title: the first line of its docstring, as written, since `python -OO` drops it."""
    text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    return text.splitlines()[0].rstrip(".") if text else ""


@cache
def rules_by_chapter() -> dict[str, tuple[Rule, ...]]:
    """Import all chapters and give their rules by chapter title, in the order of the text."""
    found: dict[str, tuple[Rule, ...]] = {}
    for name in chapters():
        module = import_module(name)
        rules = [rule_of(value) for value in vars(module).values()]
        found[title_of(Path(str(module.__file__)))] = tuple(rule for rule in rules if rule is not None)
    return found


def rules_of_this_package() -> list[Rule]:
    """Return all rules."""
    return [rule for rules in rules_by_chapter().values() for rule in rules]


def found_by(*finders: object) -> Callable[[Check], Check]:
    """Have a rule report what is found while requests are sent: by a check of one exchange, or as an event."""

    def attach(check: Check) -> Check:
        setattr(check, FINDERS, finders)
        return check

    return attach


@cache
def reporting_rules() -> Mapping[Any, str]:
    """Return the ids of the rules that report such findings, by the check or the event."""
    checks = [check for name in chapters() for check in vars(import_module(name)).values()]
    carded = [(check, rule) for check in checks if (rule := rule_of(check)) is not None]
    return {finder: rule.id for check, rule in carded for finder in getattr(check, FINDERS, ())}
