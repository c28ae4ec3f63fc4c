"""Discriminators: the property by which one of several forms is named, which no validator looks at."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from contract_tests.openapi.document import Contract
from contract_tests.openapi.schema import branches, children
from contract_tests.openapi.validation import UNIONS
from contract_tests.rules import SetUpError

COMPONENTS: Final = "#/components/schemas/"
PICKS: Final = 4


def tags_of(contract: Contract, pointer: str) -> dict[str, str]:
    """Return the words of a union's discriminator with the branches that they name; none without a discriminator."""
    node = contract.at(pointer)
    stated = node.get("discriminator") if isinstance(node, dict) else None
    if not isinstance(stated, dict) or "propertyName" not in stated:
        return {}
    forms = [contract.follow(branch) for branch in branches(contract, pointer, UNIONS)]
    aims = {tag: _target(contract, aim) for tag, aim in stated.get("mapping", {}).items()}
    named = {branch.removeprefix(COMPONENTS): branch for branch in forms if branch.startswith(COMPONENTS)}
    implied = {name: branch for name, branch in named.items() if branch not in aims.values()}
    return {tag: branch for tag, branch in {**implied, **aims}.items() if branch in forms}


def named_branch(contract: Contract, pointer: str, value: Any) -> str | None:
    """Return the branch that a value's discriminator names; None if it names none."""
    member = contract.at(pointer)["discriminator"]["propertyName"]
    tag = value.get(member) if isinstance(value, dict) else None
    return tags_of(contract, pointer).get(tag) if isinstance(tag, str) else None


def discriminators_match(contract: Contract, schema: str, value: Any) -> bool:
    """Whether every discriminator in a value names a form that the value has."""
    pointer = contract.follow(schema)
    node = contract.at(pointer)
    if not isinstance(node, dict):
        return True
    if tags_of(contract, pointer) and isinstance(value, dict):
        branch = named_branch(contract, pointer, value)
        return branch is not None and contract.is_valid(value, branch) and discriminators_match(contract, branch, value)
    fitting = [branch for branch in branches(contract, pointer, UNIONS) if contract.is_valid(value, branch)]
    if fitting and not any(discriminators_match(contract, branch, value) for branch in fitting):
        return False
    return all(discriminators_match(contract, child, member) for child, _, member in _inside(contract, pointer, value))


def with_valid_discriminators(contract: Contract, schema: str, values: Iterable[Any]) -> Iterator[Any]:
    """Return legal values with discriminators that name what they are: as they are, else mended as far as possible."""
    for index, value in enumerate(values):
        if discriminators_match(contract, schema, value):
            yield value
            continue
        for pick in range(PICKS):
            mended = _mended(contract, contract.follow(schema), value, index + pick)
            if contract.is_valid(mended, schema) and discriminators_match(contract, schema, mended):
                yield mended
                break


def _mended(contract: Contract, pointer: str, value: Any, pick: int) -> Any:
    node = contract.at(pointer)
    if not isinstance(node, dict):
        return value
    tags = tags_of(contract, pointer)
    if tags and isinstance(value, dict):
        tag = list(tags)[pick % len(tags)]
        return _mended(contract, tags[tag], {**value, node["discriminator"]["propertyName"]: tag}, pick)
    for branch in branches(contract, pointer, UNIONS):
        if contract.is_valid(value, branch):
            return _mended(contract, contract.follow(branch), value, pick)
    copy: Any = dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
    for child, token, member in _inside(contract, pointer, value):
        copy[token] = _mended(contract, contract.follow(child), member, pick)
    return copy


def _inside(contract: Contract, pointer: str, value: Any) -> Iterator[tuple[str, Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for step, member in inner:
        yield from ((child, step, member) for child in children(contract, pointer, step))


def _target(contract: Contract, aim: str) -> str:
    pointer = aim if aim.startswith("#") else COMPONENTS + aim
    try:
        return contract.follow(pointer)
    except SetUpError:  # it leads to nothing
        return ""
