"""docs/targets.md and the code name the same fields."""

import re
from pathlib import Path

from contract_tests import targets
from contract_tests.runner import known_deviations as deviations

PAGE = (Path(__file__).parents[2] / "docs" / "targets.md").read_text(encoding="utf-8")
HEADINGS = re.findall("^## (.*)$", PAGE, re.MULTILINE)
CHAPTERS = dict(zip(HEADINGS, re.split("^## .*$", PAGE, flags=re.MULTILINE)[1:], strict=True))


def _fields(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_fields_of_a_target() -> None:
    """Every field that a table may have has its line, and its default is the one that holds."""
    beginning = PAGE.partition("\n## ")[0]
    defaults = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", beginning, re.MULTILINE))

    assert sorted(_fields(beginning)) == sorted(targets.CHECKS)
    assert {name for name, default in defaults.items() if default == "required"} == {
        name for name, (is_required, *_) in targets.CHECKS.items() if is_required
    }
    for name in ("max_requests", "requests_per_second", "total_timeout", "max_response_bytes"):
        assert float(defaults[name].strip("`")) == getattr(targets.Target, name)


def test_fields_of_a_deviation() -> None:
    """Every field of an entry has its line."""
    assert sorted(_fields(CHAPTERS["Known deviations"])) == sorted(deviations.FIELDS)
