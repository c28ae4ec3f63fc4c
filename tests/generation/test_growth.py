"""A change of the contract alone reaches the typed methods: signatures, requests, replies and types."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from growing import ROOT, Generated, Tried, Try

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CREATED = json.dumps({"success": True, "message": "m", "workflow_version_execution_id": 1}).encode()
_UTC = datetime.UTC
_ODD = {"self": "self_", "cls": "cls", "str": "str_", "d": "d", "to_dict": "to_dict", "from_dict": "from_dict",
        "client": "client", "headers": "headers", "body": "body", "source": "source", "reading": "reading",
        "class": "class_", "import": "import_", "user-name": "user_name", "1st": "field_1st"}  # fmt: skip
_MOMENT = "2026-01-31T12:00:60.123456789Z"

_TRIES: dict[str, Try] = {
    "body member": Try("run_workflow", ("a",), {"priority": "high", "metadata": None}, 201, _CREATED),
    "query parameter": Try("run_workflow", ("a",), {"dry_run": True}, 201, _CREATED),
    "unknown word": Try("run_workflow", ("a",), {"priority": "urgent"}, 201, _CREATED),
    "nested": Try(
        "make_item",
        (),
        {"name": "x", "kids": [{"name": "k", "parent": None, "box": {"item": {"name": "deep"}}}]},
        content=json.dumps({"name": "x", "kids": [{"name": "k", "new": 1, "box": {"made": _MOMENT}}]}).encode(),
    ),
    "nested wrong": Try("make_item", (), {"name": "x", "kids": [{"name": "k", "box": {"item": {"name": 5}}}]}),
    "closed wrong": Try("make_item", (), {"name": "x", "box": {"no_such_member": 1}}),
    "closed reply wrong": Try("make_item", (), {"name": "x"}, content=b'{"name": "x", "box": {"more": 1}}'),
    "moment": Try("make_item", (), {"name": "x", "box": {"made": datetime.datetime(2026, 1, 31, tzinfo=_UTC)}},
                  content=b'{"name": "x"}'),
    "odd": Try("make_odd", (), {python: wire for wire, python in _ODD.items()},
               content=json.dumps({wire: wire for wire in _ODD}).encode()),
    "list": Try("make_all", (), {"body": [{"name": "a"}, {"name": "b", "kids": []}]}, 201, b'[{"name": "r"}]'),
    "list wrong": Try("make_all", (), {"body": [{"name": "a"}, {"name": None}]}, 201),
    "scalar": Try("put_scalar", (), {"body": 5}),
    "null": Try("put_scalar", (), {"body": None}),
    "scalar wrong": Try("put_scalar", (), {"body": "5"}),
    "free": Try("put_free", (), {"body": {"a": 1}}),
    "free wrong": Try("put_free", (), {"body": {"a": "1"}}),
    "deleted": Try("drop_item", (-5,), {}, 204, b"", None),
    "deleted with 200": Try("drop_item", (5,), {}, 200, b"[1]"),
    "parameters": Try(
        "find",
        ("b/c", "ü"),
        {
            "when": datetime.datetime(2026, 1, 31, 12, tzinfo=_UTC),
            "day": datetime.date(2026, 1, 31),
            "unique": uuid.UUID(int=5),
            "tags": ["a b", "c&d"],
            "commas": ["a", "b,c"],
            "pipes": ["a", "b|c"],
            "filter_": {"k": "v w"},
            "amount": 0.5,
            "x_trace": "t",
            "session": "a b;c",
        },
        content=json.dumps([_MOMENT]).encode(),
    ),
    "no parameters": Try("find", ("a", "x"), {}, content=b"[]"),
    "dot": Try("find", ("a", ".."), {}),
    "default reply": Try("find", ("a", "x"), {}, 418, b'{"message": "teapot"}'),
    "wrong moment": Try("find", ("a", "x"), {}, content=b'["2026-13-01T00:00:00Z"]'),
    "same": Try("put_same", ("p",), {"header_id": "h", "body_id": 7, "from_": "f", "client": "c", "headers": "hh"}),
    "argument called operation": Try("get_operation", (), {"operation": "o"}),
    "arguments called self and body": Try("put_same", ("p",), {"body_id": 7, "self_": "s", "body": "b"}),
    "text": Try("get_text", content="ü".encode(), media_type="text/plain; charset=utf-8"),
    "text wrong": Try("get_text", content=b"{}"),
    "bytes": Try("get_file", content=b"\x00\xff", media_type="application/octet-stream"),
    "range": Try("get_ranges", status=299, content=b'{"name": "x"}'),
    "error range": Try("get_ranges", status=499, content=b'{"message": "m"}'),
    "form closed": Try("get_forms", content=b'{"a": "x"}'),
    "form open": Try("get_forms", content=b'{"name": "n", "a": "x"}'),
    "form list": Try("get_forms", content=b"[1, null]"),
    "form null": Try("get_forms"),
    "form none": Try("get_forms", content=b'{"a": "y"}'),
    "numbers": Try("patch_number", (), {"count": 2, "color": "it's \"blue\""}, content=b"9"),
    "number wrong": Try("patch_number", (), {"count": 3}, content=b"1"),
    "truth for a number": Try("patch_number", (), {"count": True}, content=b"1"),
    "reply wrong": Try("patch_number", content=b'"1"'),
}  # fmt: skip


@pytest.fixture
def tried(tried_all: Any) -> Callable[[str], Tried]:
    """What came of a call."""
    results: dict[str, Tried] = tried_all("wide", _TRIES)
    return results.__getitem__


@pytest.fixture
def sent(tried: Callable[[str], Tried]) -> Callable[[str], tuple[str, str, Any]]:
    """Method, path and body that a call has sent."""

    def of(name: str) -> tuple[str, str, Any]:
        result = tried(name)
        assert len(result.sent) == 1, result.error
        method, path, _, content = result.sent[0]
        return method, path, json.loads(content) if content else None

    return of


def test_a_new_body_member_is_a_keyword(tried: Any, sent: Any) -> None:
    """It is typed, checked and sent."""
    assert "priority: 'RunWorkflowPriority | Unset' = UNSET" in tried("body member").signature
    assert sent("body member") == ("POST", "/workflows/a/run", {"priority": "high", "metadata": None})
    assert (tried("unknown word").error_field, tried("unknown word").sent) == ("priority", [])


def test_a_new_query_parameter_is_a_keyword(tried: Any, sent: Any) -> None:
    """It goes out under its own name."""
    assert "dry_run: 'bool | Unset' = UNSET" in tried("query parameter").signature
    assert sent("query parameter") == ("POST", "/workflows/a/run?dryRun=true", {})


def test_a_new_operation_is_a_method(tried: Any, sent: Any) -> None:
    """Its arguments and its result are typed, recursive objects included."""
    made = tried("nested")
    assert made.signature.endswith("-> 'Item'")
    assert "kids: 'Sequence[Item | Mapping[str, Any]] | Unset' = UNSET" in made.signature
    assert sent("nested")[2] == _TRIES["nested"].keywords
    assert made.type_name == "Item"
    assert made.plain == json.loads(_TRIES["nested"].content)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("nested wrong", "kids[0].box.item.name"),
        ("closed wrong", "box.no_such_member"),
        ("list wrong", "body[1].name"),
        ("scalar wrong", "body"),
        ("free wrong", "body.a"),
        ("dot", "one"),
        ("number wrong", "count"),
        ("truth for a number", "count"),
    ],
)
def test_what_the_grown_contract_rules_out_is_refused(name: str, field: str, tried: Any) -> None:
    """New constraints hold at once, and the refusal names the place."""
    assert (tried(name).type_name, tried(name).sent) == ("BadArgument", [])
    assert tried(name).error_field.endswith(field)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("closed reply wrong", "$.box.more"),
        ("wrong moment", "$[0]"),
        ("text wrong", "content-type"),
        ("form none", "$"),
        ("reply wrong", "$"),
    ],
)
def test_what_breaks_the_grown_contract_is_told(name: str, path: str, tried: Any) -> None:
    """New replies are read as strictly as the old ones."""
    assert tried(name).type_name == "ContractBroken"
    assert f"@ {path}" in tried(name).error


def test_a_moment_is_written_with_its_offset(sent: Any) -> None:
    """A datetime becomes an RFC 3339 time."""
    assert sent("moment")[2]["box"] == {"made": "2026-01-31T00:00:00+00:00"}


def test_names_that_mean_something_to_python_are_only_names(tried: Any, sent: Any) -> None:
    """Members called like keywords, built-ins or methods are arguments and attributes like any other."""
    assert sent("odd")[2] == {wire: wire for wire in _ODD}
    assert tried("odd").plain == {wire: wire for wire in _ODD}


def test_a_list_is_a_body_and_a_result(tried: Any, sent: Any) -> None:
    """A body that is no object is one argument."""
    assert tried("list").signature.startswith("(self, *, body: 'Sequence[Item | Mapping[str, Any]]')")
    assert sent("list") == ("POST", "/all", _TRIES["list"].keywords["body"])
    assert tried("list").plain == [{"name": "r"}]


def test_scalars_and_null_are_bodies(tried: Any) -> None:
    """A number and null are sent as they are."""
    assert tried("scalar").sent[0][3] == b"5"
    assert tried("null").sent[0][3] == b"null"
    assert tried("free").sent[0][3] == b'{"a":1}'


def test_a_deletion_gives_none(tried: Any, sent: Any) -> None:
    """204 has no body, and any other success is none of this operation."""
    assert sent("deleted") == ("DELETE", "/items/-5", None)
    assert tried("deleted").type_name == "NoneType"
    assert tried("deleted").signature == "(self, id: 'int') -> 'None'"
    assert tried("deleted with 200").type_name == "StatusError"


def test_parameters_are_written_in_their_styles(tried: Any, sent: Any) -> None:
    """Dates, ids, lists and objects go into path, query, header and cookie as the contract says."""
    method, address, body = sent("parameters")
    path, _, query = address.partition("?")
    assert (method, path, body) == ("GET", "/find/b%2Fc/%C3%BC", None)
    assert query.split("&") == [
        "when=2026-01-31T12%3A00%3A00%2B00%3A00",
        "day=2026-01-31",
        "unique=00000000-0000-0000-0000-000000000005",
        "tags=a%20b",
        "tags=c%26d",
        "commas=a,b%2Cc",
        "pipes=a%7Cb%7Cc",
        "filter%5Bk%5D=v%20w",
        "amount=0.5",
    ]
    headers = dict(tried("parameters").sent[0][2])
    assert headers["x-trace"] == "t"
    assert headers["cookie"] == "session=a%20b%3Bc"
    assert sent("no parameters")[1] == "/find/a/x"


def test_a_leap_second_and_its_digits_survive(tried: Any) -> None:
    """A time is readable and written again as it was sent."""
    assert tried("parameters").plain == [_MOMENT]


def test_a_default_reply_is_an_error(tried: Any) -> None:
    """Beside a success, `default` describes what an error looks like."""
    assert tried("default reply").type_name == "StatusError"
    assert tried("default reply").plain == {"message": "teapot"}


def test_equal_names_of_several_places_are_several_arguments(tried: Any, sent: Any) -> None:
    """The place goes in front of a name that is taken."""
    signature = tried("same").signature
    assert "id: 'str'" in signature
    assert "header_id: 'str | Unset'" in signature
    assert "body_id: 'int'" in signature
    assert sent("same") == ("PUT", "/same/p?client=c&headers=hh&from=f", {"id": 7})
    assert ("id", "h") in tried("same").sent[0][2]


def test_an_argument_may_be_called_operation(sent: Any) -> None:
    """No name inside a method stands in the way of an argument's."""
    assert sent("argument called operation")[1] == "/operation?operation=o"


def test_arguments_may_be_called_self_and_body(sent: Any) -> None:
    """A parameter called `self` gets an underscore; one called `body` is no body."""
    assert sent("arguments called self and body")[1:] == ("/same/p?body=b&self=s", {"id": 7})


def test_texts_and_bytes_are_results(tried: Any) -> None:
    """Replies that are no JSON are handed over as what they are."""
    assert (tried("text").plain, tried("text").type_name) == ("ü", "str")
    assert (tried("bytes").plain, tried("bytes").type_name) == (b"\x00\xff", "bytes")


def test_what_a_reply_may_be_is_asked_for(tried: Any) -> None:
    """Accept names the media types of the operation's own replies: a service may refuse to send any other."""
    accepted = {name: dict(tried(name).sent[0][2])["accept"] for name in ("text", "bytes", "range")}

    assert accepted == {"text": "text/plain", "bytes": "application/octet-stream", "range": "application/json"}


def test_ranges_of_statuses_are_known(tried: Any) -> None:
    """A range stands for all its statuses."""
    assert tried("range").type_name == "Item"
    assert tried("error range").plain == {"message": "m"}


def test_the_form_that_fits_is_chosen(tried: Any) -> None:
    """Of several forms the reply is read as the one that it has."""
    assert tried("form closed").plain == {"a": "x"}
    assert (tried("form open").type_name, tried("form open").plain) == ("Item", {"name": "n", "a": "x"})
    assert tried("form list").plain == [1, None]
    assert tried("form null").plain is None


def test_a_new_word_or_number_of_an_enum_is_read(tried: Any, sent: Any) -> None:
    """Enums are closed for arguments and open for replies."""
    assert sent("numbers")[2] == {"count": 2, "color": 'it\'s "blue"'}
    assert tried("numbers").plain == 9


_USE = """
import datetime
from uuid import UUID

from workflow_runs import AsyncPromptLayer, PromptLayer
from workflow_runs_api.models import Item

client = PromptLayer(api_key="key")
item: Item = client.make_item(name="x", kids=[Item(name="y"), {"name": "z"}])
made: list[Item] = client.make_all(body=[item])
moments: list[datetime.datetime] = client.find("a", "x", day=datetime.date(2026, 1, 1), unique=UUID(int=1), tags=["a"])
client.drop_item(1)
text: str = client.get_text()
raw: bytes = client.get_file()
client.run_workflow("a", priority="high", dry_run=True)
client.run_and_wait("a", priority="low")
client.run_workflow("a", priority="urgent")  # type: ignore[arg-type]
client.run_workflow("a", dry_run="yes")  # type: ignore[arg-type]
client.run_and_wait("a", dry_run="yes")  # type: ignore[arg-type]
client.make_item()  # type: ignore[call-arg]
client.make_item(name="x", nope=1)  # type: ignore[call-arg]
client.find("c", "x")  # type: ignore[arg-type]
client.patch_number(count=3)  # type: ignore[arg-type]
client.drop_item("1")  # type: ignore[arg-type]


async def use(client: AsyncPromptLayer) -> Item:
    await client.run_workflow("a", priority="urgent")  # type: ignore[arg-type]
    return await client.make_item(name="x")
"""


def _mypy(package: Path, tmp_path: Path, *targets: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", *targets],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(package), str(ROOT / "src")])},
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_strict_type_checker_knows_every_argument(wide: Generated, tmp_path: Path) -> None:
    """Use and package pass, and every wrong use is found: an unneeded `ignore` would be an error."""
    use = tmp_path / "use.py"
    use.write_text(_USE, "utf-8")
    output = _mypy(wide.package(), tmp_path, str(use))
    assert output.startswith("Success"), output


_EXAMPLES = """
import doctest, inspect
from workflow_runs_api.api.promptlayer import PromptLayerOperations as operations
for name, method in vars(operations).items():
    if name.startswith("_"): continue
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(method)):
        class Client:
            def __getattr__(self, called):
                assert called == name
                bind = inspect.signature(method).bind
                return lambda *given, **named: print(name, bind(self, *given, **named).arguments)
        exec(example.source, {"client": Client()})
"""


def test_examples_fit_the_signatures(wide: Generated) -> None:
    """What a docstring shows is a call that the method takes, with each value where it belongs."""
    environment = {**os.environ, "PYTHONPATH": str(wide.package())}
    done = subprocess.run(
        [sys.executable, "-c", _EXAMPLES], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "run_workflow" in done.stdout
    for line in done.stdout.splitlines():
        if line.startswith("find "):
            assert "'two': 'a', 'one': '1'" in line
