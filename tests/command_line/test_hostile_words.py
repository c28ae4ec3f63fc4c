"""What a service says is text: on a terminal nothing in it is obeyed, and a pipe gets it as it is."""

from __future__ import annotations

import json
import os
import pty
import re
from typing import TYPE_CHECKING, Any

import pytest
from commands import Scripted, Shell

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "Hi \x1b]52;c;YQ==\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\u2028\x00 there"
HARMLESS = r"Hi \x1b]52;c;YQ==\x07\x1b[2J\x9b31m\u202egnp.exe\u2066"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]")


def _answer(method: str, _: str) -> tuple[int, Any]:
    created = {"success": True, "message": "m", "warning": EVIL, "workflow_version_execution_id": 98765}
    return (201, created) if method == "POST" else (200, EVIL)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(_answer, 0, id="warning"),
        pytest.param(lambda *_: (404, {"message": EVIL}), 1, id="message"),
        pytest.param(
            lambda *_: (422, {"detail": [{"loc": ["body", EVIL], "msg": EVIL, "type": EVIL}]}), 1, id="detail"
        ),
        pytest.param(lambda *_: (201, {"success": EVIL}), 4, id="broken contract"),
    ],
)
def test_words_of_a_service_are_text(answer: Any, status: int, tmp_path: Path) -> None:
    """In a warning, a refusal, or a reply that breaks the contract."""
    with Scripted(answer) as service:
        done = Shell(tmp_path, service.url).do("run", "canary")

    assert done.status == status
    assert not ACTING.search(done.err.replace("\n", ""))
    assert r"\x1b]52;c;YQ==" in done.err or status == 4


def test_output_goes_to_a_pipe_as_it_is(tmp_path: Path) -> None:
    """A program gets every character that the workflow has put out."""
    with Scripted(_answer) as service:
        done = Shell(tmp_path, service.url).do("results", "98765")

    assert done.out == f"{EVIL}\n"


def test_output_on_a_terminal_is_text(tmp_path: Path) -> None:
    """A person sees the characters that a terminal would have obeyed, and line breaks and tabs as such."""
    ours, theirs = pty.openpty()
    try:
        with Scripted(lambda *_: (200, f"one\ttwo\n{EVIL}")) as service:
            done = Shell(tmp_path, service.url).do("results", "98765", out=os.ttyname(theirs))
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(theirs)
        os.close(ours)

    assert done.status == 0
    assert shown.startswith(f"one\ttwo\r\n{HARMLESS}")
    assert not ACTING.search(shown.replace("\r\n", ""))


def test_words_above_a_bar_are_text(tmp_path: Path) -> None:
    """The lines that a batch writes above its bar hold no escapes but the bar's own."""
    (tmp_path / "in.jsonl").write_text(json.dumps({"key": "a", "input_variables": {}}) + "\n")
    with Scripted(lambda *_: (404, {"message": EVIL})) as service:
        done = Shell(tmp_path, service.url).on_a_terminal("batch", "in.jsonl", "--workflow", "canary")

    assert r"\x1b]52;c;YQ==" in re.sub(r"\s+", "", done.err)
    assert "\x1b]52" not in done.err
    assert "\u202e" not in done.err
