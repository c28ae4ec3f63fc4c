"""Looks at the modules of the client's packages, inside the client's process."""

import importlib
import inspect
import pkgutil
import typing
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

Remark = dict[str, str]
FIELDS = ("__attrs_attrs__", "__dataclass_fields__", "model_fields")


def look_at_modules(packages: Sequence[str]) -> list[Remark]:
    """Import every module; say which can't be, which are compiled with a warning, whose hints can't be resolved."""
    return [remark for name in packages for remark in _look(name)]


def _look(package: str) -> Iterator[Remark]:
    for name in _names(package):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != package.partition(".")[0]:
                continue  # something that may be installed or not, such as the extra of a command line
            yield _remark("import", name, error)
            continue
        except BaseException as error:  # noqa: BLE001 - whatever stops the import is what is asked for
            yield _remark("import", name, error)
            continue
        yield from _compiled(module)
        yield from _hints(module)


def _names(package: str) -> Iterator[str]:
    yield package
    try:
        folders = importlib.import_module(package).__path__
    except BaseException:  # noqa: BLE001 - told of when it is looked at itself
        return
    # Walked by hand: pkgutil's own walk imports packages and swallows what they raise.
    for found in pkgutil.iter_modules(folders):
        name = f"{package}.{found.name}"
        if found.name != "__main__":
            yield from _names(name) if found.ispkg else (name,)


def _compiled(module: ModuleType) -> Iterator[Remark]:
    if not module.__file__ or not module.__file__.endswith(".py"):
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compile(Path(module.__file__).read_bytes(), module.__file__, "exec", dont_inherit=True)
    for warning in caught:
        yield {
            "check": "warning",
            "about": module.__name__,
            "text": f"{warning.category.__name__} in line {warning.lineno}: {warning.message}",
        }


def _hints(module: ModuleType) -> Iterator[Remark]:
    # Of classes that hold data: what reads hints at run time, such as a converter or a validator, asks for theirs.
    for name, value in list(vars(module).items()):
        is_own = inspect.isclass(value) and value.__module__ == module.__name__
        if is_own and any(hasattr(value, fields) for fields in FIELDS):
            try:
                typing.get_type_hints(value)
            except Exception as error:  # noqa: BLE001 - whatever stops the hints is what is asked for
                yield _remark("hints", f"{module.__name__}.{name}", error)


def _remark(check: str, about: str, error: BaseException) -> Remark:
    return {"check": check, "about": about, "text": f"{type(error).__name__}: {error}"}
