"""A contract that a stranger wrote to harm its reader: bounded in time and memory, exit status 2 and one line."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.__main__ import main
from contract_tests.openapi.document import Contract
from workflow_contract import UnreadableError, read_contract
from workflow_contract.backtracking import longest_text
from workflow_contract.contract_file import made_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS, MEGABYTES = 30, 600  # of processor time, which a busy machine makes more; alone each takes a few at most
HEAD = 'openapi: 3.1.0\ninfo: {title: t, version: "1"}\npaths: {}\n'


def _document(**schemas: Any) -> dict[str, Any]:
    responses = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}
    paths = {"/a": {"get": {"operationId": "getA", "responses": responses}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _aliases() -> str:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 12)]
    return HEAD + "\n".join(lines)


def _references() -> str:
    bomb = {f"S{i}": {"allOf": [{"$ref": f"#/components/schemas/S{i + 1}"}] * 2} for i in range(40)}
    return json.dumps(_document(**bomb, S40={"type": "object"}))


# By name: the document, and words of the one line.
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "alias bomb": (_aliases(), "holds more than 1,000,000 values"),
    "merge bomb": (HEAD + "a: &a {k: 1}\n" + "".join(f"m{i}: {{<<: *b}}\n" for i in range(9)), "nothing has that name"),
    "alias within what it names": (HEAD + "a: &a [*a]", "stands inside of what it names"),
    "reference bomb": (_references(), "apply more than 100,000 schemas to one value"),
    "nesting of 2,000": (HEAD + "x: " + "[" * 2_000 + "]" * 2_000, "nested more than 100 deep"),
    "nesting of 100,000": (HEAD + "x: " + "[" * 100_000, "nested more than 100 deep"),
    "nesting of 100,000 in JSON": ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested more than 100 deep"),
    "nesting by lines": (HEAD + "x:\n" + "- " * 100_000, "nested more than 100 deep"),
    "number of 100,000 digits": (HEAD + "x: " + "9" * 100_000, "a number of 100,000 characters"),
    "number of 100,000 digits in JSON": ('{"x": ' + "9" * 100_000 + "}", "a number of 100,000 characters"),
    "number beyond all": (HEAD + "x: 1e999", "no number that JSON can hold"),
    "infinity": (HEAD + "x: .inf", "no number that JSON can hold"),
    "17 megabytes": (HEAD + "#" * 17_000_000, "larger than 16,777,216 bytes"),
    "a member twice": (HEAD + "openapi: 3.0.0", "'openapi' stands twice"),
    "a member twice in JSON": ('{"openapi": "3.1.0", "openapi": "3.1.0"}', "'openapi' stands twice"),
    "NUL": (HEAD + "x: \0", "neither YAML nor JSON"),
    "no UTF-8": (HEAD.encode() + b"x: \xff", "is not UTF-8"),
    "a Python object": (HEAD + "x: !!python/object/apply:os.getpid []", "has no meaning in JSON"),
    "empty": ("", "no OpenAPI document"),
    "two documents": (HEAD + "---\n" + HEAD, "more than one document"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_document_is_refused_within_bounds(name: str, tmp_path: Path) -> None:
    """It ends soon and takes little memory, with one line that names the file and the reason."""
    content, words = REFUSED[name]
    path = tmp_path / "contract.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(UnreadableError, match=words) as refusal:
        read_contract(path)

    assert time.process_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["folder", "fifo", "nothing"])
def test_what_is_no_file_is_not_opened(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fifo would never end; exit status 2 comes at once."""
    path = tmp_path / "contract.yaml"
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path), "nothing": lambda: None}[kind]()

    assert main(["--side", "spec", "--spec", str(path), "--report-dir", str(tmp_path / "report")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


class _Counting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)


@pytest.fixture
def web() -> Iterator[HTTPServer]:
    """A server that counts who fetches something of it."""
    server = HTTPServer(("127.0.0.1", 0), _Counting)
    server.paths = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_fetched_for_any_word(web: HTTPServer, tmp_path: Path) -> None:
    """Identifiers, dialects, external examples and references in data are left alone by all rules on the contract."""
    far = f"http://127.0.0.1:{web.server_port}/far"
    strange = {
        "$id": far,
        "type": "object",
        "properties": {"a": {"$ref": "#/components/schemas/Plain"}},
        "externalDocs": {"url": far},
        "examples": [{"a": "x", "b": {"$ref": far}}],
    }
    document = _document(Strange=strange, Plain={"$schema": far, "type": "string"}) | {"jsonSchemaDialect": far}
    example = {"one": {"externalValue": far}, "two": {"value": {"$ref": far}}}
    media = {"schema": {"$ref": "#/components/schemas/Strange"}, "examples": example}
    document["paths"]["/a"]["post"] = {
        "operationId": "postA",
        "requestBody": {"content": {"application/json": media}},
        "responses": {"200": {"description": "ok", "links": {"l": {"operationRef": f"{far}#/paths/~1a/get"}}}},
    }
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document))
    for pattern in ("SPEC-0*", "SPEC-1[45]"):
        main(["--side", "spec", "--spec", str(path), "-k", pattern, "--report-dir", str(tmp_path / "report")])
    assert web.paths == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x", "file:///etc/passwd", "other.yaml#/X", "#anchor"])
def test_reference_out_of_the_document_is_told_by_pointer(reference: str) -> None:
    """Also one in a component that no operation reaches."""
    with pytest.raises(UnreadableError, match=r"#/components/schemas/Far/\$ref: .* nothing is fetched"):
        made_of(_document(Far={"$ref": reference}))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(a+)+$",
        r"^(a|aa)+$",
        r"^(a*)*$",
        r"^(a|a)*$",
        r"^(aa?|aa?)*$",
        r"^((a*)?(b*)?a)*$",
        r"^(\w+\s?)*$",
        r"^(.|\s)*$",
        r"^(x+x+)+y",
        r"(?=(a+)+b)a",
        "a?" * 30 + "a" * 30,
        r"^(a{0,50}){0,50}$",
        r"^(\d+)*\1$",
    ],
)
def test_pattern_that_might_never_end_is_not_enforced(pattern: str) -> None:
    """It is told by pointer, and whatever turns it round goes with it."""
    document = _document(Text={"pattern": pattern}, Other={"not": {"$ref": "#/components/schemas/Text"}})
    read = made_of(document)

    assert longest_text(pattern) == 0
    assert [note.partition(":")[0] for note in read.notes] == ["#/components/schemas/Text/pattern"]
    contract = Contract(read.document)
    assert contract.is_valid("a" * 60 + "!", "#/components/schemas/Text")
    assert contract.is_valid("anything", "#/components/schemas/Other")


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        (r"^[a-z]+(-[a-z]+)*$", float("inf")),
        (r"^(\d{1,3}\.){3}\d{1,3}$", float("inf")),
        (r"^[A-Z0-9._%+-]+@[A-Z0-9-]+(\.[A-Z0-9-]+)*\.[A-Z]{2,}$", float("inf")),
        (r"^(?=.*\d).{8,}$", float("inf")),
        (r"^(\d*(\.\d+)?)?$", float("inf")),
        (r"^(ab|ac|ab)*$", float("inf")),
        (r"^\s*\s*$", 3162),
        (r"\s*\s*$", 215),
    ],
)
def test_plain_pattern_is_enforced_up_to_where_it_is_slow(pattern: str, limit: float) -> None:
    """What is no danger stays; what grows with a power of the length is searched in texts of a bounded length."""
    assert longest_text(pattern) == limit


def test_openapi_3_0_means_what_it_says() -> None:
    """Bounds, null, examples and what stands beside a reference are read as 3.0 has them."""
    document = _document(
        Above={"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
        Word={"type": "string", "nullable": True, "enum": ["a"], "example": "a"},
        Maybe={"$ref": "#/components/schemas/Above", "nullable": True, "maximum": 2},
        All={"type": "object", "allOf": [{"type": "object"}], "nullable": True},
        Bytes={"type": "string", "format": "byte"},
    )
    read = made_of(document | {"openapi": "3.0.3"})
    contract = Contract(read.document)
    fits = {
        name: [
            value
            for value in (None, 0, 1, 9, 10, "a", "b", {})
            if contract.is_valid(value, f"#/components/schemas/{name}")
        ]
        for name in ("Above", "Word", "Maybe", "All")
    }

    assert fits == {"Above": [1, 9], "Word": [None, "a"], "Maybe": [None, 1, 9], "All": [None, {}]}
    assert contract.at("#/components/schemas/Word/examples") == ["a"]
    assert contract.at("#/components/schemas/Bytes") == {"type": "string", "contentEncoding": "base64"}
    assert "written in OpenAPI 3.0.3" in read.notes[0]


@pytest.mark.nightly
def test_budget_in_seconds_holds_for_a_union_of_twenty(tmp_path: Path) -> None:
    """Pairs for which no time was left are not exercised, and the row says so."""
    forms = {f"E{i}": {"type": "object", "required": [f"k{i}"]} for i in range(20)}
    union = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in forms]}
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(_document(Event=union, **forms)))
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    # In a process of its own: where the end comes while an object is deleted, Python says so, and pytest hears it.
    command = [sys.executable, "-m", "contract_tests", "--side", "spec", "--spec", str(path), "--budget", "1"]
    subprocess.run([*command, "-k", "SPEC-07", "--report-dir", str(tmp_path)], capture_output=True, check=False)

    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < SECONDS
    row = json.loads((tmp_path / "results.json").read_text())["results"][0]
    assert row["verdict"] == "violation" or "no time was left" in row["received"]


def test_members_that_multiply_by_references_are_counted_up_to_a_bound(tmp_path: Path) -> None:
    """Those that lie outermost: a contract of a page may name more members than there are atoms."""
    levels = {
        f"S{i}": {"type": "object", "properties": {name: {"$ref": f"#/components/schemas/S{i + 1}"} for name in "abc"}}
        for i in range(30)
    }
    path = tmp_path / "contract.json"
    document = _document(**levels, S30={"type": "string"})
    media = {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}
    document["paths"]["/a"]["get"]["responses"]["200"]["content"] = media
    path.write_text(json.dumps(document))
    began = time.process_time()
    main(["--side", "spec", "--spec", str(path), "-k", "SPEC-09", "--report-dir", str(tmp_path)])

    assert time.process_time() - began < SECONDS
    members = json.loads((tmp_path / "results.json").read_text())["coverage"]["reply_members"]["not_exercised"]
    assert {"getA 200 a", "getA 200 b.c", "getA 200 c.a.b"} < {*members}


def test_client_side_without_a_package_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The installed client is none of a stranger's contract."""
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(_document()))

    assert main(["--side", "client", "--spec", str(path), "--report-dir", str(tmp_path / "report")]) == 2
    assert "--generated" in capsys.readouterr().err
