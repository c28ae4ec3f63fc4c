"""Looks at the objects that a client hands over, inside the client's process, by what Python promises of any object."""

import contextlib
import copy
import dataclasses
import json
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from contract_tests.client.adapter import Adapter, Call, NotJSON
from contract_tests.client.driver.messages import error_message

Remark = dict[str, str]
WRITERS: Final = ("to_dict", "to_json", "model_dump", "dict")
READERS: Final = ("from_dict", "from_json", "model_validate")
NEW_MEMBER: Final = "x_new_member"
DEEPEST: Final = 6  # levels of objects in objects
ODD_VALUES: Final[tuple[Any, ...]] = ("text", 7, True, None, [1], {"a": 1})
DUPLICATES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda held: pickle.loads(pickle.dumps(held)),  # noqa: S301 - made here
}
PLAIN: Final = (bool, int, float, str, bytes, list, dict, tuple, type(None))


def look_at(adapter: Adapter, call: Call, value: Any, twin: Any) -> list[Remark]:
    """
    Return what is wrong with a value.

    Args:
        adapter: Reads values.
        call: The call that gave it.
        value: What the call gave; it is changed on the way, and useless afterwards.
        twin: What the same call gave once more, for the same reply.
    """
    look = _Look(adapter, call, value, twin)
    return [remark for check in CHECKS for remark in check(look)]


def errors_that_differ(adapter: Adapter, error: BaseException, call: Call) -> list[str]:
    """Return the ways to duplicate one of the client's own errors whose result says something else, or fails."""

    def said(one: BaseException) -> dict[str, Any]:
        message = error_message(adapter, one, call)
        return {name: value for name, value in message.items() if name != "shown"}  # which has the traceback

    differing = []
    for name, duplicate in DUPLICATES.items() if isinstance(error, adapter.own_errors) else ():
        try:
            is_alike = said(duplicate(error)) == said(error)
        except Exception:  # noqa: BLE001 - whatever stops it is what is asked for
            is_alike = False
        differing += [] if is_alike else [name]
    return differing


class _Look:
    """A value, and how to read it."""

    def __init__(self, adapter: Adapter, call: Call, value: Any, twin: Any) -> None:
        self._adapter, self._call = adapter, call
        self.value, self.twin = value, twin
        self.held = getattr(adapter, "held", lambda whole: whole)(value)
        self.before = self.read(value)

    def read(self, value: Any) -> Any:
        """Return a value as JSON text, in which true is not 1; whatever stops that is a text as well."""
        try:
            return json.dumps(self._adapter.read(value, self._call).json, sort_keys=True)
        except NotJSON as foreign:
            return f"not JSON: {foreign}"
        except Exception as error:  # noqa: BLE001 - whatever stops it is what is asked for
            return f"{type(error).__name__}: {error}"

    def read_object(self, held: Any) -> Any:
        """The same for an object inside a value."""
        try:
            return json.dumps(_written(held), sort_keys=True, default=_odd)
        except Exception as error:  # noqa: BLE001 - likewise
            return f"{type(error).__name__}: {error}"


def _odd(value: Any) -> Any:
    written = _written(value)
    return f"{type(value).__name__} {value}" if written is value else written


def _written(held: Any) -> Any:
    for name in WRITERS:
        writer = getattr(held, name, None)
        if callable(writer):
            return writer()
    return held


def _duplicated(look: _Look) -> Iterator[Remark]:
    for name, duplicate in DUPLICATES.items():
        try:
            double = duplicate(look.held)
        except Exception as error:  # noqa: BLE001 - whatever stops it is what is asked for
            yield _remark(name, look.held, f"{type(error).__name__}: {error}")
            continue
        # The whole is read: what holds the object may be of another kind, which need not be copied.
        before, after = look.read_object(look.held), look.read_object(double)
        if before != after:
            yield _remark(name, look.held, f"{after} of {before}")
        elif look.held == look.held and double != look.held:
            yield _remark(f"{name} equal", look.held, "the copy is not equal to its original")


def _equal(look: _Look) -> Iterator[Remark]:
    if look.read(look.twin) == look.before and look.value != look.twin:
        yield _remark("equal", look.held, "two objects made of one reply are not equal")


def _different(look: _Look) -> Iterator[Remark]:
    for model in models_in(look.held):
        reader = next((getattr(type(model), name) for name in READERS if hasattr(type(model), name)), None)
        before = look.read_object(model)
        if reader is None or before[:1] != "{":
            continue
        with contextlib.suppress(Exception):  # what can't be read has rules of its own
            one, other = reader(json.loads(before)), reader({**json.loads(before), NEW_MEMBER: "new"})
            if one == other and look.read_object(one) != look.read_object(other):
                yield _remark("different", model, "two objects are equal, of which one has an unknown member more")
                return


def _shown(look: _Look) -> Iterator[Remark]:
    try:
        repr(look.held)
    except Exception as error:  # noqa: BLE001 - whatever stops it is what is asked for
        yield _remark("repr", look.held, f"{type(error).__name__}: {error}")


def _evolved(look: _Look) -> Iterator[Remark]:
    for model in models_in(look.held):
        before = look.read_object(model)
        try:
            changed = _evolve(model)
        except Exception as error:  # noqa: BLE001 - whatever stops it is what is asked for
            yield _remark("evolve", model, f"{type(error).__name__}: {error}")
            continue
        if changed is not None and look.read_object(changed) != before:
            yield _remark("evolve", model, f"{look.read_object(changed)} of {before}")


def _evolve(model: Any) -> Any:
    """Make an object of another with nothing changed, in the way of its kind; None for a kind without one."""
    if hasattr(model, "__attrs_attrs__"):
        return sys.modules["attr"].evolve(model)
    if dataclasses.is_dataclass(model) and not isinstance(model, type):
        return dataclasses.replace(model)
    return model.model_copy(update={}) if hasattr(model, "model_copy") else None


def _shared(look: _Look) -> Iterator[Remark]:
    for model in models_in(look.held):
        before = look.read_object(model)
        written = _written(model)
        if written is not model and _spoil(written) and look.read_object(model) != before:
            yield _remark("written", model, "a change of what was written changes the object")
            return
        yield from _read_shares(look, model, before)


def _read_shares(look: _Look, model: Any, before: str) -> Iterator[Remark]:
    reader = next((getattr(type(model), name) for name in READERS if hasattr(type(model), name)), None)
    if reader is None or before[:1] != "{":
        return
    source = json.loads(before)
    with contextlib.suppress(Exception):  # what can't be read has rules of its own
        made = reader(source)
        was = look.read_object(made)
        if _spoil(source) and look.read_object(made) != was:
            yield _remark("read", model, "a change of the source changes the object")


def _apart(look: _Look) -> Iterator[Remark]:
    before = look.read(look.twin)
    if _change(look.value) and look.read(look.twin) != before:
        yield _remark("apart", look.held, "a change of what one call gave changes what another one gave")


def _change(value: Any, depth: int = 0) -> bool:
    """Change every list and dict that a value holds, or is; say whether there was any."""
    if depth > DEEPEST:
        return False
    changed = [_change(child, depth + 1) for child in _children(value)]
    if type(value) is list:
        value.append("spoilt")
    elif type(value) is dict:
        value["spoilt"] = True
    return any(changed) or type(value) in {list, dict}


def _spoil(value: Any) -> bool:
    """Change every list and object inside a JSON value, not the outermost; say whether there was any."""
    spoilt = False
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in list(children):
        spoilt |= _spoil(child)
        if isinstance(child, list):
            child.append("spoilt")
            spoilt = True
        elif isinstance(child, dict):
            child["spoilt"] = True
            spoilt = True
    return spoilt


def _items(look: _Look) -> Iterator[Remark]:
    """Where members can be reached like those of a dict, that speaks of the same data as the attributes do."""
    for model in models_in(look.held):
        stated = _written(model)
        if isinstance(model, Mapping) or not (hasattr(model, "__setitem__") and isinstance(stated, Mapping)):
            continue
        for name in list(stated):
            if name.isidentifier() and hasattr(model, name):
                yield from _item(model, name)
                break


def _item(model: Any, name: str) -> Iterator[Remark]:
    double = copy.copy(model)
    new = "text" if isinstance(getattr(model, name), str) else 99
    try:
        double[name] = new
    except Exception:  # noqa: BLE001 - it is refused, which is plain
        return
    written = _written(double)
    if name not in double or written.get(name) != new:
        yield _remark("items", model, f"after model[{name!r}] = {new!r} it is written as {written.get(name)!r}")


def _odd_items(look: _Look) -> Iterator[Remark]:
    for model in models_in(look.held):
        if isinstance(model, Mapping) or not hasattr(model, "__setitem__"):
            continue
        for odd in ODD_VALUES:
            double = copy.deepcopy(model)
            try:
                double[NEW_MEMBER] = odd
            except Exception:  # noqa: BLE001, S112 - it is refused in time
                continue
            text = look.read_object(double)
            if not text.startswith(("{", "[")):
                yield _remark("odd items", model, f"it takes a {type(odd).__name__} and then can't be written: {text}")
                return


def models_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Return the objects in a value that are made for the contract, outer ones first."""
    if depth > DEEPEST or isinstance(value, type):
        return
    if not isinstance(value, PLAIN) and any(callable(getattr(value, name, None)) for name in WRITERS):
        yield value
    for child in _children(value):
        yield from models_in(child, depth + 1)


def _children(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, PLAIN):
        return []
    names = [name for kind in type(value).__mro__ for name in _slots(kind)]
    found = {name: getattr(value, name, None) for name in (*names, *getattr(value, "__dict__", ())) if name[:2] != "__"}
    return list(found.values())


def _slots(kind: type) -> tuple[str, ...]:
    slots = getattr(kind, "__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _remark(check: str, about: Any, text: str) -> Remark:
    return {"check": check, "about": type(about).__name__, "text": text[:500]}


CHECKS: Final[tuple[Callable[[_Look], Iterator[Remark]], ...]] = (
    _equal,
    _different,
    _shown,
    _duplicated,
    _evolved,
    _items,
    _odd_items,
    _shared,
    _apart,
)
