"""Whether the conditions of an edge hold, and when two JSON values are the same.

A side of a condition is `{"static_value": VALUE}` or `{"source": NAME}`, the value of a node or an input variable, for
which former pages have `{"type": "source", "source": {"name": NAME}}`; any other value stands for itself. A text beside
something else is read as JSON if it is that: nodes mostly return text.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from workflow_sandbox import json_text


def holds(edge: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether an edge lets its target run; `values` are those of input variables and nodes, by name."""
    join = all if edge["is_and"] else any
    return join(_condition_holds(condition, values) for condition in edge["conditionals"])


def sources(edge: Mapping[str, Any]) -> set[str]:
    """Return the names of the values that the conditions of an edge compare."""
    sides = (side for one in edge["conditionals"] for side in (one["left_config"], one["right_config"]))
    return {name for side in sides if (name := _source(side)) is not None}


def same(left: Any, right: Any) -> bool:
    """Return whether two values are equal as JSON: true is not 1, 1.0 is."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return bool(left == right)


def _condition_holds(condition: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    left, right = _side(condition["left_config"], values), _side(condition["right_config"], values)
    if isinstance(left, str) != isinstance(right, str):
        left, right = _read(left), _read(right)
    try:
        return _OPERATORS[condition["operator"]](left, right)
    except TypeError:
        return False  # a text is neither less nor more than a number


def _side(config: Any, values: Mapping[str, Any]) -> Any:
    name = _source(config)
    if name is not None:
        return values.get(name)
    return config["static_value"] if isinstance(config, dict) and "static_value" in config else config


def _source(side: Any) -> str | None:
    match side:
        case {"static_value": _}:
            return None
        case {"source": str(name)} | {"source": {"name": str(name)}}:
            return name
    return None


def _read(value: Any) -> Any:
    try:
        return json_text.decode(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _is_in(left: Any, right: Any) -> bool:
    if isinstance(right, list):
        return any(same(left, one) for one in right)
    # Anything but a text is in no text, and no name of an object: so `not_in` holds.
    return isinstance(left, str) and isinstance(right, str | dict) and left in right


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": same,
    "!=": lambda left, right: not same(left, right),
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "in": _is_in,
    "not_in": lambda left, right: not _is_in(left, right),
    "is_null": lambda left, _: left is None,
    "is_not_null": lambda left, _: left is not None,
}
