"""What the user typed or put into a file, as the arguments of a run. Every refusal names the place."""

from __future__ import annotations

import io
import json
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workflow_runs.batch import BatchItem
from workflow_runs_api.api.promptlayer.run_workflow import Keywords
from workflow_runs_api.unset import UNSET

from .endings import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

__all__ = ["ItemFile", "metadata", "run_arguments"]

_PAIR = re.compile(r"(.+?)(:=|=)(.*)", re.DOTALL)
_STDIN = "-"


def run_arguments(options: argparse.Namespace) -> Keywords:
    """Return the arguments of `run_workflow` that the options stand for; what isn't given stays absent."""
    given = Keywords(
        input_variables={**_from_json(options.input_json), **_input_variables(options.input)},
        metadata=metadata(options.metadata),
        workflow_label_name=options.label,
        workflow_version_number=options.version,
        callback_url=options.callback_url,
        return_all_outputs=options.all_outputs or UNSET,
    )
    return cast("Keywords", {name: value for name, value in given.items() if value not in (None, {}, UNSET)})


def _input_variables(pairs: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = _split(pair, "-i", "KEY=TEXT or KEY:=JSON")
        if name in found:
            raise UsageError(f"-i {name} is given twice")
        found[name] = _parsed(value, f"-i {name}:=") if separator == ":=" else value
    return found


def metadata(pairs: Sequence[str]) -> dict[str, str]:
    """Pairs of key and text."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not name or not separator:
            raise UsageError(f"--metadata {pair!r} is not KEY=TEXT")
        if name in found:
            raise UsageError(f"--metadata {name} is given twice")
        found[name] = value
    return found


def _split(pair: str, option: str, form: str) -> tuple[str, str, str]:
    match = _PAIR.fullmatch(pair)
    if match is None:
        raise UsageError(f"{option} {pair!r} is not {form}")
    name, separator, value = match.groups()
    return name, separator, value


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON: {error}") from None


def _from_json(source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    value = _parsed(_text(source), _name(source))
    if not isinstance(value, dict):
        raise UsageError(f"--input-json {source}: expected an object of input variables")
    return value


def _text(source: str) -> str:
    try:
        # Whatever encoding the terminal has: JSON is written in UTF-8, by some programs with a mark in front.
        return _content(source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{_name(source)} can't be read: {error}") from None


def _content(source: str) -> bytes:
    if source == _STDIN and sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return sys.stdin.buffer.read() if source == _STDIN else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"{_name(source)} can't be read: {error.strerror}") from None


def _is_a_pipe(source: str) -> bool:
    try:
        return not stat.S_ISREG(Path(source).stat().st_mode)
    except (OSError, ValueError):
        return False


def _name(source: str) -> str:
    return "standard input" if source == _STDIN else source or "''"


class ItemFile:
    """The items of a batch, one JSON object a line; blank lines are skipped. A file is read anew each time.

    Attributes:
        name: How the file is called in messages.
        comes_once: Whether it is standard input or a pipe, which is kept, since it can't be read again.
    """

    def __init__(self, source: str, workflow_name: str | None) -> None:
        self.name = _name(source)
        self.comes_once = source == _STDIN or _is_a_pipe(source)
        self._source = source
        self._workflow_name = workflow_name
        self._kept = _content(source) if self.comes_once else None
        next(iter(self._lines()), None)  # a file that isn't there is told before anything is made for it

    def __iter__(self) -> Iterator[BatchItem]:
        for number, line in self._lines():
            yield self._item(number, _parsed(line, f"{self.name}, line {number}"))

    def line_of(self, position: int) -> int:
        """Return the number of the line that holds the item at a place, from 1."""
        return next(number for place, (number, _) in enumerate(self._lines()) if place == position)

    def _lines(self) -> Iterator[tuple[int, str]]:
        # As bytes, whose lines end with \n alone: what else a text may be split at can stand within JSON.
        try:
            with Path(self._source).open("rb") if self._kept is None else io.BytesIO(self._kept) as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield number, self._decoded(number, line)
        except OSError as error:
            raise UsageError(f"{self.name} can't be read: {error.strerror}") from None

    def _decoded(self, number: int, line: bytes) -> str:
        try:
            return line.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.name}, line {number}, is no UTF-8: {error.reason}") from None

    def _item(self, number: int, value: Any) -> BatchItem:
        where = f"{self.name}, line {number}"
        if not isinstance(value, dict):
            raise UsageError(f"{where}: expected an object")
        key, workflow_name = value.pop("key", str(number)), value.pop("workflow_name", self._workflow_name)
        if workflow_name is None:
            raise UsageError(f"{where}: no workflow; give --workflow, or a member workflow_name")
        unknown = next((name for name in value if name not in Keywords.__annotations__), None)
        if unknown is not None:
            raise UsageError(f"{where}: a run has no argument {unknown!r}; input variables stand under input_variables")
        return BatchItem(workflow_name, cast("Keywords", value), key)
