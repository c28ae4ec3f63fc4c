"""A stranger's contract is generated as far as it can be, and what is left out is told."""

from __future__ import annotations

import base64
import email.policy
import importlib
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest
from growing import Generated, generate, generate_as, importing
from strangers import LEFT_OUT, OPERATIONS, PATHS, SECURED, STREAM, stranger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """What came of the contract, but for the operations that are refused."""
    folder = tmp_path_factory.mktemp("odd")
    return generate_as("odd", stranger(), folder, "--skip-refused")


@pytest.fixture(scope="module")
def api(odd: Generated) -> Iterator[SimpleNamespace]:
    """The package."""
    with importing(odd, "odd") as module:
        modules = {name: module(name) for name in ("errors", "models", "types")}
        yield SimpleNamespace(package=importlib.import_module("odd"), service=module("api.odd_things"), **modules)


class Wire:
    """A client of the package, what it has sent, and what it gets."""

    def __init__(self, api: SimpleNamespace, **options: Any) -> None:
        self.sent: list[httpx.Request] = []
        self.reply = httpx.Response(200, json="told")
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        options = {"api_key": None, "base_url": "https://odd.example", **options}
        self.client = api.service.OddThingsOperations(http_client=http, **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self.reply


@pytest.fixture
def wire(api: SimpleNamespace) -> Wire:
    """One without a key."""
    return Wire(api)


def test_what_is_refused_is_left_out_alone(odd: Generated, api: SimpleNamespace) -> None:
    """Each operation that is left out is listed with its pointer and the reason, and the package knows it."""
    assert f"left out {len(LEFT_OUT)} of " in odd.output
    assert api.package.LEFT_OUT.keys() == LEFT_OUT.keys()
    for name, word in LEFT_OUT.items():
        assert word in api.package.LEFT_OUT[name]
        assert f"({name})" in odd.output
    methods = {name for name in vars(api.service.OddThingsOperations) if not name.startswith("_")}
    assert len(methods - {"with_raw_response"}) == OPERATIONS - len(LEFT_OUT) - 3  # in another class


def test_without_being_told_to_it_leaves_nothing_out(tmp_path: Path) -> None:
    """The document is refused with a line for each cause, and the option is named."""
    said = generate(stranger(), tmp_path).refused()
    assert f"#/paths/~1events/get/responses/200: {STREAM}" in said
    assert "--skip-refused" in said


def test_where_nothing_is_left_it_is_refused(tmp_path: Path) -> None:
    """A package without operations serves nobody."""
    document = stranger() | {"paths": {"/events": PATHS["/events"]}}
    assert "nothing is left" in generate(document, tmp_path, "--skip-refused").refused()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (
            "#/components/schemas/Slips/properties/maybe",
            "`nullable` has no effect in OpenAPI 3.1; it is read",
        ),
        ("#/components/schemas/Slips/properties/untyped and 1 place more", "`properties` without a `type` would allow"),
        ("#/components/schemas/Slips/properties/rows", "`items` without a `type` would allow"),
        ("#/components/schemas/Slips/properties/none", "an `enum` without values"),
        ("#/components/schemas/Slips/properties/stray", "'max_length' is no keyword"),
        ("#/components/schemas/Slips/properties/stray", "`required` is a list"),
        ("#/paths/~1content/get/responses/200", "`content` can't be a $ref"),
        ("#/paths/~1nothing/delete", "a response 204 has no body in HTTP"),
        ("#/paths/~1undeclared~1{id}/get", "the path's {id} is declared nowhere; it is read as a text"),
        ("#/paths/~1again/get", "the operationId getUndeclared is that of #/paths/~1undeclared~1{id}/get"),
        ("#/paths/~1close/post", "its method is called close_2, since close is taken"),
    ],
)
def test_slips_of_the_pen_are_told_and_passed_over(place: str, words: str, odd: Generated) -> None:
    """Each is a note with its place."""
    assert f"{place}: {words}" in odd.output


def test_slips_are_read_as_they_were_meant(wire: Wire, api: SimpleNamespace) -> None:
    """Null is sent where it was meant to be allowed; a list without values and strange keywords forbid nothing."""
    given = {"maybe": None, "none": "any", "stray": "long", "untyped": {"x": "y"}, "rows": ["x"]}
    wire.client.send_slips(**given)
    assert json.loads(wire.sent[0].content) == given
    for wrong in ({"untyped": 1}, {"rows": {}}):
        with pytest.raises(api.errors.BadArgument):
            wire.client.send_slips(maybe=None, **wrong)


def test_a_response_without_a_body_is_none_whatever_is_described(wire: Wire) -> None:
    """HTTP has none with 204."""
    wire.reply = httpx.Response(204)
    assert wire.client.delete_it() is None


def test_a_map_that_holds_itself_without_a_name_is_read(wire: Wire) -> None:
    """It stands inside the alternatives of a component."""
    wire.reply = httpx.Response(200, json={"a": {"b": "c"}})
    assert wire.client.get_json() == {"a": {"b": "c"}}


def _proof(request: httpx.Request) -> dict[str, str]:
    """What of a request holds a key."""
    names = ("authorization", "x-key", "x-second", "cookie")
    query = {"query": request.url.query.decode()} if request.url.query else {}
    return {name: request.headers[name] for name in names if name in request.headers} | query


KEY = "se:cret"
BASIC = f"Basic {base64.b64encode(KEY.encode()).decode()}"
BOTH = {"header": "one", "second": "two"}


@pytest.mark.parametrize(
    ("method", "key", "proof"),
    [
        ("with_header", KEY, {"x-key": KEY}),
        ("with_query", KEY, {"query": "the%20key=se%3Acret"}),
        ("with_cookie", KEY, {"cookie": "session=se%3Acret"}),
        ("with_basic", KEY, {"authorization": BASIC}),
        ("with_basic", "user", {"authorization": "Basic dXNlcjo="}),
        ("with_bearer", KEY, {"authorization": f"Bearer {KEY}"}),
        ("with_oauth", KEY, {"authorization": f"Bearer {KEY}"}),
        ("with_openid", KEY, {"authorization": f"Bearer {KEY}"}),
        ("with_both", BOTH, {"x-key": "one", "x-second": "two"}),
        ("with_either", KEY, {"authorization": BASIC}),
        ("with_either", BOTH | {"basic": KEY}, {"x-key": "one", "x-second": "two"}),
        ("with_either", {"header": "one", "basic": KEY}, {"authorization": BASIC}),
        ("with_any", KEY, {"x-key": KEY}),
        ("with_any", None, {}),
        ("with_any", {"basic": KEY}, {}),
    ],
)
def test_a_key_goes_where_the_contract_wants_it(
    method: str, key: Any, proof: dict[str, str], api: SimpleNamespace
) -> None:
    """By the first of the alternatives for which there are keys; a mapping has them by the schemes' names."""
    wire = Wire(api, api_key=key)
    getattr(wire.client, method)()
    assert _proof(wire.sent[0]) == proof
    assert KEY not in repr(wire.client)


def test_a_cookie_of_the_call_stands_beside_the_key(api: SimpleNamespace) -> None:
    """Neither takes the other's place."""
    wire = Wire(api, api_key=KEY)
    wire.client.with_cookies(c="1")
    assert _proof(wire.sent[0]) == {"cookie": "session=se%3Acret; c=1"}


@pytest.mark.parametrize(
    ("method", "key", "words"),
    [
        ("with_query", None, "expected a key, got none"),
        ("with_both", KEY, "a mapping with keys for header and second, got something else"),
        ("with_both", {"header": "one"}, "a mapping with keys for header and second"),
        ("with_basic", {"header": "one"}, "expected a key, got something else"),
    ],
)
def test_without_a_key_that_will_do_nothing_is_sent(method: str, key: Any, words: str, api: SimpleNamespace) -> None:
    """The error names the argument, and what it has to be."""
    wire = Wire(api, api_key=key)
    with pytest.raises(api.errors.BadArgument, match=words) as refused:
        getattr(wire.client, method)()
    assert refused.value.field == "api_key"
    assert not wire.sent


def test_a_key_that_is_declared_as_a_parameter_too_is_sent_once(odd: Generated, api: SimpleNamespace) -> None:
    """It is the scheme's and no argument, as a header that OpenAPI describes elsewhere is none."""
    assert "#/paths/~1twice/parameters/0: x-key is no argument of the operation: it is the key" in odd.output
    assert "#/paths/~1twice/get/parameters/0: Accept is no argument" in odd.output
    wire = Wire(api, api_key=KEY)
    wire.client.with_key_twice()
    assert wire.sent[0].headers.get_list("x-key") == [KEY]
    with pytest.raises(TypeError, match="x_key"):
        wire.client.with_key_twice(x_key="other")
    wire.client.with_parameter_alone(x_key="other")
    assert wire.sent[1].headers.get_list("x-key") == ["other"]


def test_a_key_in_the_query_is_in_no_error(api: SimpleNamespace) -> None:
    """Neither if the service sends it back."""
    wire = Wire(api, api_key="plain words")
    wire.reply = httpx.Response(500, text="no: plain words, plain%20words")
    with pytest.raises(api.errors.StatusError) as failed:
        wire.client.with_query()
    assert "plain" not in f"{failed.value!s} {failed.value!r} {failed.value.body}"


@pytest.mark.slow
def test_the_harness_drives_what_was_generated(odd: Generated, tmp_path: Path) -> None:
    """Keys of all kinds stand where the contract wants them; what was left out is not claimed."""
    spec = odd.folder.parent / "openapi.yaml"
    options = ["--spec", str(spec), "--generated", str(odd.folder / "odd"), "--adapter", "operation-classes"]
    chosen = ["--side", "client", "-k", "CL-REQ-0[1567]", "--report-dir", str(tmp_path)]
    command = [sys.executable, "-m", "contract_tests", *options, *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    every = json.loads((tmp_path / "results.json").read_text("utf-8"))["results"]
    rows = [row for row in every if row["id"] == "CL-REQ-07"]
    assert {row["operation"] for row in rows if row["verdict"] == "not_applicable"} == LEFT_OUT.keys()
    assert {row["operation"] for row in rows if row["verdict"] == "pass"} >= {
        "withKeyTwice",
        "GET /v1/ping/{n}x2",
        "HEAD /v1/ping/{n}x2",
        *SECURED.keys() - LEFT_OUT.keys(),
    }


def _parts(request: httpx.Request) -> list[tuple[str | None, str | None, str, bytes]]:
    """Name, file name, media type and content of each part of a form."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    message = email.message_from_bytes(head + request.content, policy=email.policy.HTTP)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get("content-type", ""),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def test_a_form_is_written_field_by_field(wire: Wire) -> None:
    """Lists are several fields, objects JSON; what is not given is absent."""
    wire.client.send_form(name="a b&c", tags=["x", "y"], more={"n": 1}, flag=True)
    request = wire.sent[0]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qsl(request.content.decode()) == [
        ("name", "a b&c"), ("tags", "x"), ("tags", "y"), ("more", '{"n":1}'), ("flag", "true"),
    ]  # fmt: skip


def test_null_in_a_form_is_empty_where_it_is_a_field_and_null_where_it_is_json(wire: Wire) -> None:
    """A list is several fields, each of which is written as it is; lists within it are JSON, as objects are."""
    wire.client.send_form(rows=[None, ["x", None], {"n": [None]}])
    sent = parse_qsl(wire.sent[0].content.decode(), keep_blank_values=True)
    assert sent == [("rows", ""), ("rows", '["x",null]'), ("rows", '{"n":[null]}')]


def test_files_are_parts_of_a_form(wire: Wire, api: SimpleNamespace) -> None:
    """Bytes are a file that is called as the member; an `Upload` says how it is called and what it is."""
    picture = api.types.Upload(b"\x00\xff", "p.png", "image/png")
    wire.client.send_upload(file=b"\r\n--", files=[picture, b"2"], note="ü", more={"n": 1})
    assert _parts(wire.sent[0]) == [
        ("file", "file", "application/octet-stream", b"\r\n--"),
        ("files", "p.png", "image/png", b"\x00\xff"),
        ("files", "files", "application/octet-stream", b"2"),
        ("note", None, "", "ü".encode()),
        ("more", None, "application/json", b'{"n":1}'),
    ]
    assert "p.png" in repr(picture)
    assert "xff" not in repr(picture)


def test_bytes_and_texts_are_sent_as_they_are(wire: Wire, api: SimpleNamespace) -> None:
    """With the contract's media type; what is no such thing is refused."""
    wire.client.send_raw(body=b"\x00")
    wire.client.send_words(body="ü")
    sent = [(request.content, request.headers["content-type"]) for request in wire.sent]
    assert sent == [(b"\x00", "image/png"), ("ü".encode(), "text/plain")]
    upload = api.types.Upload(b"1", media_type="a/b\r\nX: y")
    with pytest.raises(api.errors.BadArgument, match="media type"):
        wire.client.send_upload(file=upload)
    for call, body in ((wire.client.send_raw, 1), (wire.client.send_words, 1), (wire.client.send_words, "\ud800")):
        with pytest.raises(api.errors.BadArgument):
            call(body=body)


def test_of_several_media_types_json_is_sent(wire: Wire) -> None:
    """Whatever stands first."""
    wire.client.send_several(name="a")
    assert (wire.sent[0].headers["content-type"], wire.sent[0].content) == ("application/json", b'{"name":"a"}')


@pytest.mark.parametrize(
    ("method", "reply", "read", "accepted"),
    [
        ("get_notations", ("application/json", b'{"name": "a"}'), {"name": "a"}, "application/json"),
        ("get_packed", ("application/json", b'{"name": "a"}'), {"name": "a"}, "application/json, application/zip"),
        ("get_packed", ("application/zip", b"\x00"), b"\x00", "application/json, application/zip"),
        ("get_table", ("text/csv; charset=utf-8", b"a;b"), "a;b", "text/csv"),
        ("get_picture", ("image/png", b"\x00"), b"\x00", "image/png"),
        ("get_whatever", ("application/hal+json", b'{"name": "a"}'), {"name": "a"}, "*/*"),
    ],
)
def test_a_reply_is_read_by_its_media_type(
    method: str, reply: tuple[str, bytes], read: Any, accepted: str, wire: Wire
) -> None:
    """JSON as its model, texts and bytes as such; what is only another notation of JSON is not asked for."""
    wire.reply = httpx.Response(200, content=reply[1], headers={"content-type": reply[0]})
    got = getattr(wire.client, method)()
    assert (got.to_dict() if hasattr(got, "to_dict") else got) == read
    assert wire.sent[0].headers["accept"] == accepted


def test_a_secret_in_a_form_is_in_no_error(wire: Wire, api: SimpleNamespace) -> None:
    """It is told by its name, as in JSON."""
    wire.reply = httpx.Response(500, text="no: hush hush")
    with pytest.raises(api.errors.StatusError) as failed:
        wire.client.with_options(extra_body={"password": "hush hush"}).send_form()
    assert "hush" not in f"{failed.value!s} {failed.value.body}"


def test_what_one_side_sends_alone_may_stand_anywhere(wire: Wire) -> None:
    """Also in an object without a name: it is no argument, is not missed, and is read."""
    wire.reply = httpx.Response(200, json={"id": "1", "name": "a"})
    assert wire.client.send_one_sided(name="a").id == "1"
    assert json.loads(wire.sent[0].content) == {"name": "a"}
    with pytest.raises(TypeError, match="id"):
        wire.client.send_one_sided(name="a", id="1")


@pytest.mark.parametrize(
    ("method", "base_url", "url"),
    [
        ("get_other", "https://odd.example", "https://other.example/v2/other"),
        ("get_other", "https://mine.example", "https://mine.example/other"),
        ("get_relative", "https://odd.example", "https://odd.example/relative"),
        ("put_again", "https://odd.example", "https://odd.example/other"),
        ("put_more", "https://odd.example", "https://odd.example/other"),
        ("get_shared", "https://odd.example", "https://odd.example/by-reference"),
    ],
)
def test_an_operation_goes_to_its_own_address(method: str, base_url: str, url: str, api: SimpleNamespace) -> None:
    """Unless a client was given another one than the contract's; a fragment of a path is never sent."""
    wire = Wire(api, base_url=base_url)
    getattr(wire.client, method)()
    assert str(wire.sent[0].url) == url


def test_what_has_no_name_is_called_by_what_it_is(wire: Wire) -> None:
    """An operation by its method and path, the class of those without a tag by the title."""
    assert wire.client.get_named_id("1") == "told"
    odd = importlib.import_module("odd.api.odd")
    assert hasattr(odd.OddOperations, "get_untagged")


def test_every_operation_has_a_method_of_its_own(wire: Wire, api: SimpleNamespace) -> None:
    """Whatever it is called, and although what stands in its path is declared nowhere."""
    wire.client.get_undeclared()
    wire.client.get_undeclared_2("a/b")
    wire.client.get_again()
    wire.client.close_2()
    assert [request.url.raw_path for request in wire.sent] == [b"/alike", b"/undeclared/a%2Fb", b"/again", b"/close"]
    assert api.package.RENAMED == {"close": "close_2", "getUndeclared": "get_undeclared_2"}


def test_lists_and_objects_are_written_by_their_styles(wire: Wire) -> None:
    """Those inside others, of which OpenAPI says nothing, as JSON."""
    exploded = {"lists": [[1, 2], []], "objects": [{"a": 1}]}
    wire.client.get_styles(x_list=[1, 2], x_object={"a": 1}, x_exploded={"a": 1}, list_=[1, 2], **exploded)
    headers = wire.sent[0].headers
    assert [headers[name] for name in ("x-list", "x-object", "x-exploded")] == ["1,2", "a,1", "a=1"]
    assert headers["cookie"] == "list=1%2C2"
    query = parse_qsl(wire.sent[0].url.query.decode())
    assert query == [("lists", "[1,2]"), ("lists", "[]"), ("objects", '{"a":1}')]


def test_forms_are_told_apart_without_their_discriminator(odd: Generated, wire: Wire) -> None:
    """Where they are no components it names none of them; that is told."""
    assert "#/components/schemas/Kinds/discriminator: its forms are not all components" in odd.output
    wire.reply = httpx.Response(200, json={"kind": "that", "that": "x"})
    assert wire.client.get_kind().that == "x"


def test_an_object_is_all_that_its_parts_say(wire: Wire) -> None:
    """Of parts that may be null, that say more of one member, or that are alternatives."""
    wire.reply = httpx.Response(
        200, json={"kind": "merged", "inner": {"a": "1"}, "number": 2, "self": {"kind": "merged"}}
    )
    got = wire.client.get_merged()
    assert (got.kind, got.inner.a, got.number, got.self_.kind) == ("merged", "1", 2, "merged")
    assert got.to_dict()["number"] == 2


def test_a_list_of_so_many_items_has_no_more(wire: Wire, api: SimpleNamespace) -> None:
    """`items: false` behind the first items."""
    wire.client.send_pair(body=["a", 1])
    with pytest.raises(api.errors.BadArgument, match="at most 2 items"):
        wire.client.send_pair(body=["a", 1, 2])


def test_a_name_that_the_generator_never_leaves_as_it_is_gets_one_of_ascii(api: SimpleNamespace) -> None:
    """`ø` before a capital becomes `Ø` and small again, round after round."""
    assert api.models.RestSKParam.from_dict({"x": "1"}).x == "1"
