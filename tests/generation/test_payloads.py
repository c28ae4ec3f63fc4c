"""A contract is data: no text in it becomes code, wherever it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from payloads import PAYLOADS

# Where what can't go over the wire, or can't be meant, is refused by its place; everywhere else each text is kept.
_MAY_BE_REFUSED = {
    "a key of content", "a key of responses", "a key of paths", "a key of schemas", "url", "style", "name", "pattern",
    "mapping",
}  # fmt: skip


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of a contract with a payload in every place: it is generated, imported and called."""
    folder = tmp_path_factory.mktemp("swept")
    program = Path(__file__).with_name("payload_sweep.py")
    environment = {**os.environ, "PYTHONPATH": str(program.parent)}
    command = [sys.executable, str(program), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_nothing_of_a_contract_runs(swept: dict[str, Any]) -> None:
    """Neither while it is generated nor imported nor called; and all that is sent and read is as the contract says."""
    assert swept["wrong"] == []
    assert swept["called"] == len(PAYLOADS)


def test_texts_are_refused_where_they_can_not_be_sent(swept: dict[str, Any]) -> None:
    """Media types, statuses and names of headers have a form; a description, a name or a value has none."""
    assert {"a key of content", "a key of responses"} <= {*swept["refused"]} <= _MAY_BE_REFUSED
