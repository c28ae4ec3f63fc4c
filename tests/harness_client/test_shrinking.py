"""A violation that drawn data alone shows is told with the smallest such data, the same for the same seed."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_client_command_line import run

SHELF = Path(__file__).with_name("shelf.yaml")


def smallest(folder: Path, adapter: str, rule: str) -> Any:
    """What stands behind the finding of one rule about books that are added."""
    judged = run(folder, "--spec", str(SHELF), "--adapter", f"drawn_defects:{adapter}", "-k", rule)
    received = judged.received(rule, "addBook")

    assert judged.status == 1, judged.errors
    _, _, data = received.partition("smallest: ")
    return data


@pytest.mark.slow
def test_smallest_request(tmp_path: Path) -> None:
    """Only the members that the defect needs are left, with the plainest values that they may have."""
    data = smallest(tmp_path, "LosesDraft", "CL-REQ-08")

    assert json.loads(data.removeprefix("body ")) == {"draft": False, "price": 0, "title": "0"}


@pytest.mark.nightly
def test_smallest_response(tmp_path: Path) -> None:
    """So it is with what the client is answered."""
    status, _, value = smallest(tmp_path, "ShortensNotes", "CL-REP-01").partition(" ")

    assert (status, json.loads(value)) == ("201", {"notes": {}, "price": 0, "title": "0"})
