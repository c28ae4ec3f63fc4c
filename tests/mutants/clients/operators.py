"""
Changes that are made by machine: each takes a place in the generated package, and finds the text there by its syntax.

A place is an operation's argument, as ``OPERATION.call`` hands it over, or a model's member, as ``from_json`` reads it.
"""

import ast
from dataclasses import dataclass
from functools import cache
from typing import Final

from contract_tests.rules import SetUpError
from mutants.clients.edits import GENERATED, Edit, generated, source_of

RUN: Final = "api/promptlayer/run_workflow.py"
RESULTS: Final = "api/promptlayer/get_workflow_version_execution_results.py"
EXECUTE: Final = "api/interactly/execute_workflow.py"
OPERATIONS: Final = {RUN: "runWorkflow", RESULTS: "getWorkflowVersionExecutionResults", EXECUTE: "executeWorkflow"}


@dataclass(frozen=True)
class Argument:
    """
    An argument of an operation.

    Attributes:
        place: ``path``, ``query`` or ``members`` of the body.
        name: On the wire.
        text: Key and value as they stand in the source.
        value: The value alone.
    """

    place: str
    name: str
    text: str
    value: str


@cache
def arguments(module: str) -> tuple[Argument, ...]:
    """Give the arguments that an operation's module hands over, in order."""
    source = source_of(GENERATED, module)
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    (call,) = (node for node in calls if ast.unparse(node.func) == "OPERATION.call")
    found: list[Argument] = []
    for keyword in call.keywords:
        if not isinstance(keyword.value, ast.Dict):
            continue  # a body as a whole, and what a view adds to it
        for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
            assert isinstance(key, ast.Constant)
            spelled = _segment(source, value)
            found.append(Argument(str(keyword.arg), str(key.value), f"{_segment(source, key)}: {spelled},", spelled))
    return tuple(found)


def argument(module: str, name: str, place: str = "members") -> Argument:
    """
    Give one of them.

    Raises:
        SetUpError: If the operation has no such argument.
    """
    for found in arguments(module):
        if (found.place, found.name) == (place, name):
            return found
    raise SetUpError(f"{GENERATED}/{module} has no argument {name!r} in {place}")


def camel(name: str) -> str:
    """Give another common spelling of a name; of a single word, its plural."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest) if rest else name + "s"


def renamed(module: str, name: str, place: str = "members") -> tuple[Edit, ...]:
    """Send an argument under another name."""
    found = argument(module, name, place)
    key = generated(module, found.text, found.text.replace(f'"{name}"', f'"{camel(name)}"', 1))
    if place == "members":
        return (key,)
    return key, generated(module, f'name="{name}",', f'name="{camel(name)}",')


def dropped(module: str, name: str, place: str = "members") -> Edit:
    """Never send an argument."""
    return generated(module, argument(module, name, place).text + "\n", "\n")


def value_replaced(module: str, name: str, new: str, place: str = "members") -> Edit:
    """Send something else for an argument; ``{}`` in ``new`` stands for what was given."""
    found = argument(module, name, place)
    return generated(module, found.text, f'"{name}": {new.format(found.value)},')


def read_from(model: str, member: str, other: str) -> Edit:
    """Read a member of a reply from another name."""
    return generated(f"models/{model}.py", f'_at = "{member}"\n', f'_at = "{other}"\n')


def reads(model: str, member: str) -> str:
    """
    Give the statement that reads a member.

    Raises:
        SetUpError: If there is none.
    """
    source = source_of(GENERATED, f"models/{model}.py")
    (method,) = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name == "from_json"
    )
    last = ""
    for node in ast.walk(method):
        if not isinstance(node, ast.Try):
            continue
        for statement in node.body:
            if ast.unparse(statement) == f"_at = '{member}'":
                last = member
            elif last and isinstance(statement, ast.Assign):
                return _segment(source, statement)
    raise SetUpError(f"{GENERATED}/models/{model}.py reads no member {member!r}")


def unchecked(model: str, member: str) -> Edit:
    """Take a member whatever its type."""
    old = reads(model, member)
    new = "source[_at] if _at in source else UNSET" if "UNSET" in old else "source[_at]"
    return generated(f"models/{model}.py", old, f"{_target(old)} = {new}")


def optional(model: str, member: str) -> Edit:
    """Take a reply without a required member, with null in its place."""
    old = reads(model, member)
    return generated(f"models/{model}.py", old, f"{_target(old)} = source.get(_at)")


def null_for_absent(model: str, member: str) -> Edit:
    """Give null where a member is absent."""
    old = reads(model, member)
    head, found, tail = old.rpartition("UNSET")
    return generated(f"models/{model}.py", old, f"{head}None{tail}" if found else old)


def not_written(model: str, member: str) -> Edit:
    """Leave a member out when an object is made JSON again."""
    source = source_of(GENERATED, f"models/{model}.py")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == f"_target['{member}']":
            return generated(f"models/{model}.py", _segment(source, node), "pass")
    raise SetUpError(f"{GENERATED}/models/{model}.py writes no member {member!r}")


def _target(statement: str) -> str:
    return statement.partition(" = ")[0]


def _segment(source: str, node: ast.AST) -> str:
    segment = ast.get_source_segment(source, node)
    assert segment is not None
    return segment
