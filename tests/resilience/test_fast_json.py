"""The extra `fast` changes the speed and nothing else: every body is read, or refused, as without it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

_NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1E5",
    "1e-400",
    "5e-324",
    "0.1",
    "1e23",
    "9007199254740993",
    "9007199254740993.0",
    "999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9" * 60,
    "9" * 5000,
    "0.1234567890123456789012",
    "1" * 18 + "e3",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "-",
    "0x1",
    "1_0",
]
_TEXTS = [
    '""',
    '"\\u0000"',
    '"\\ud83d\\ude07"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud800x"',
    '"\U0001f607"',
    '"\x7f"',
    '"a\nb"',
    '"\t"',
    '"\x00"',
    '"\\/"',
    '"\\x41"',
    '"\\u12"',
    "'a'",
    '"a',
    '"1234567890123456789012"',
]
_STRUCTURES = [
    "",
    " ",
    "null",
    "nul",
    "true ",
    "{}x",
    "{}{}",
    "[1,]",
    '{"a":1,}',
    "{a:1}",
    "[1 2]",
    "/**/1",
    "[" * 200 + "]" * 200,
    "[" * 99999,
    '{"a":1,"b":2,"a":3}',
    '{"a":{"x":1},"a":{"y":2}}',
    '{"":0,"\\u0000":1}',
    '{"1":1,"1":[]}',
    "\u00a0null",
    '{"id":12345678901234567890123,"more":[1.5,"x"]}',
]
_BYTES = [
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    '{"a": 1}'.encode("utf-32"),
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b"\xff\xfe",
    b'"\xc0\x80"',
    '"ä"'.encode("latin-1"),
]
_BODIES = [text.encode() for text in _NUMBERS + _TEXTS + _STRUCTURES] + _BYTES

_PROGRAM = """
import json, sys
if sys.argv[1] == "without":
    sys.modules["orjson"] = None
import httpx
from workflow_runs import PromptLayer, WorkflowRunsError

def outcome(body):
    head = {"content-type": "application/json"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, content=body))
    client = PromptLayer(api_key="key", http_client=httpx.Client(transport=transport), retries=0)
    try:
        return repr(client.get_workflow_version_execution_results(workflow_version_execution_id=1).value)
    except WorkflowRunsError as error:
        return f"{type(error).__name__}: {error}"

outcomes = [outcome(bytes.fromhex(line)) for line in sys.stdin.read().split(",")]
print(json.dumps({"fast": sys.modules.get("orjson") is not None, "outcomes": outcomes}))
"""


def _read(how: str) -> Any:
    bodies = ",".join(body.hex() for body in _BODIES)
    command = [sys.executable, "-c", _PROGRAM, how]
    return json.loads(subprocess.run(command, input=bodies, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[str]]:
    """What becomes of every body, with orjson and without."""
    with_it, without_it = _read("with"), _read("without")
    assert (with_it["fast"], without_it["fast"]) == (True, False)
    return {"with": with_it["outcomes"], "without": without_it["outcomes"]}


@pytest.mark.parametrize("number", range(len(_BODIES)), ids=[repr(body[:24])[2:-1] for body in _BODIES])
def test_a_body_is_read_the_same(number: int, outcomes: dict[str, list[str]]) -> None:
    """The same value of the same type, or the same refusal."""
    assert outcomes["with"][number] == outcomes["without"][number]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"18446744073709551616", "18446744073709551616"),
        (b'{"a":1,"b":2,"a":3}', "{'a': 3, 'b': 2}"),
        (b'"\\ud800"', "'\\ud800'"),
        (b"-9223372036854775809", "-9223372036854775809"),
    ],
)
def test_what_orjson_would_read_otherwise_is_read_as_it_stands(
    body: bytes, value: str, outcomes: dict[str, list[str]]
) -> None:
    """Large integers stay integers, the last of several members wins, lone surrogates survive."""
    assert outcomes["with"][_BODIES.index(body)] == value


@pytest.mark.parametrize("body", [b"NaN", b"Infinity", b"1e400", b"", b"9" * 5000])
def test_what_is_no_json_is_refused(body: bytes, outcomes: dict[str, list[str]]) -> None:
    """Neither parser lets a number through that JSON doesn't know."""
    assert outcomes["with"][_BODIES.index(body)].startswith("ContractBroken")
