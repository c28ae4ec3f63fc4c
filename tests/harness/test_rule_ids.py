"""The id of a rule is a name for people: no two places of the code are joined by it."""

import ast
from collections import defaultdict
from pathlib import Path

import contract_tests
from contract_tests.registry import rules_of_this_package


def _strings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def test_an_id_stands_on_its_card_alone() -> None:
    """
    A text may mention a rule; as a value of its own an id is written once, in a chapter.

    Adapters name rules as users do on the command line: those that their client's documentation states.
    """
    found = defaultdict(list)
    for path in Path(contract_tests.__file__).parent.rglob("*.py"):
        for text in _strings(path):
            if path.parent.name != "adapters":
                found[text].append(path.parent.name)

    ids = [rule.id for rule in rules_of_this_package()]
    assert {id_: found[id_] for id_ in ids} == {id_: ["rules"] for id_ in ids}
