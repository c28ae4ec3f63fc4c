"""Which names the contract claims for the objects of a response."""

from typing import Any

import pytest
import yaml

from contract_tests.client.expected_types import named_places
from contract_tests.openapi.document import Contract

SCHEMAS: dict[str, Any] = {
    "Leg": {"type": "object", "required": ["length"], "properties": {"length": {"type": "integer"}}},
    "Animal": {
        "type": "object",
        "required": ["legs"],
        "properties": {"legs": {"type": "array", "items": {"$ref": "#/components/schemas/Leg"}}},
    },
    "Wild": {"allOf": [{"$ref": "#/components/schemas/Animal"}], "not": {"required": ["owner"]}},
    "Dog": {
        "allOf": [
            {"$ref": "#/components/schemas/Animal"},
            {"type": "object", "required": ["owner"], "properties": {"owner": {"type": "string"}}},
        ]
    },
    "Any": {"oneOf": [{"$ref": "#/components/schemas/Wild"}, {"$ref": "#/components/schemas/Dog"}]},
    "Open": {"allOf": [{"type": "object"}]},
}
WILD, DOG, LEG = {"legs": [{"length": 3}]}, {"legs": [{"length": 3}], "owner": "Ada"}, {"Leg"}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A contract of these."""
    path = tmp_path_factory.mktemp("names") / "openapi.yaml"
    info = {"title": "Names", "version": "1"}
    path.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": SCHEMAS}}))
    return Contract.load(path)


@pytest.mark.parametrize(
    ("name", "value", "names"),
    [
        ("Animal", WILD, {"": {"Animal"}, "/legs/0": LEG}),
        # It only says what an animal is not: a class of its own or that of animals.
        ("Wild", WILD, {"": {"Wild", "Animal"}, "/legs/0": LEG}),
        ("Dog", DOG, {"": {"Dog"}, "/legs/0": LEG}),
        ("Any", WILD, {"": {"Any", "Wild", "Animal"}, "/legs/0": LEG}),
        ("Any", DOG, {"": {"Any", "Dog"}, "/legs/0": LEG}),
        ("Open", WILD, {}),
    ],
)
def test_what_is_put_together_has_a_name(contract: Contract, name: str, value: Any, names: dict[str, set[str]]) -> None:
    """An object that is made of others is one that the contract names, and so is what lies in it."""
    found = list(named_places(contract, f"#/components/schemas/{name}", value))

    assert {one.place: one.names for one in found} == names
    assert {one.is_choice for one in found if not one.place} <= {name == "Any"}
