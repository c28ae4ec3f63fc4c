"""What generated clients are known to get wrong is right in ours, or refused before it is sent.

Through the public surface of a package of its own, generated from a contract that holds all of it.
"""

from __future__ import annotations

import copy
import datetime
import json
import math
import pickle
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from growing import generate_as, importing
from torture import MEMBERS, PARAMETERS, torture

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "the-key"
UTC = datetime.UTC
NODE = {"status": "SUCCESS", "value": 1}
FLAG = (True,)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The package, under a name of its own, so that it is imported beside ours."""
    folder = tmp_path_factory.mktemp("torture")
    with importing(generate_as("tortured", torture(), folder), "tortured") as module:
        modules = {name: module(name) for name in ("errors", "models", "types", "reading")}
        yield SimpleNamespace(service=module("api.promptlayer"), **modules)


class Wire:
    """A client of the package, what it has sent, and what it gets."""

    def __init__(self, api: SimpleNamespace, **options: Any) -> None:
        self.sent: list[httpx.Request] = []
        self.content = b"null"
        self.status = 200
        options = {"api_key": KEY, "base_url": "https://example.com/v1", **options}
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.client = api.service.PromptLayerOperations(http_client=http, **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return httpx.Response(self.status, content=self.content, headers={"content-type": "application/json"})

    def query(self, method: str, **keywords: Any) -> str:
        """The query that a call sends."""
        getattr(self.client, method)(**keywords)
        return self.sent[-1].url.query.decode()

    def read(self, method: str, value: Any, status: int = 200) -> Any:
        """What a call makes of a reply."""
        self.status, self.content = status, value if isinstance(value, bytes) else json.dumps(value).encode()
        return getattr(self.client, method)()


@pytest.fixture
def wire(api: SimpleNamespace) -> Wire:
    """One with a key."""
    return Wire(api)


# What is sent


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_w1_a_step_in_the_path_is_refused(segment: str, wire: Wire, api: SimpleNamespace) -> None:
    """A path parameter that httpx would resolve as a step, or that leaves a segment empty, is not sent."""
    with pytest.raises(api.errors.BadArgument, match="one"):
        wire.client.paths(segment, *FLAG, datetime.datetime(2020, 1, 1, tzinfo=UTC), ["a"])
    assert not wire.sent


def test_w2_path_parameters_are_written_as_json_and_rfc_6570_have_them(wire: Wire) -> None:
    """True is `true`, a time is ISO 8601, a list has commas between its items, each of which is encoded."""
    wire.client.paths("a/b", *FLAG, datetime.datetime(2020, 1, 1, tzinfo=UTC), ["x", "y z,"])
    path = wire.sent[0].url.raw_path.decode()
    assert path == "/v1/paths/a%2Fb/true/2020-01-01T00%3A00%3A00%2B00%3A00/x,y%20z%2C"


@pytest.mark.parametrize(
    ("keywords", "query"),
    [
        ({"csv": ["a", "b,c"]}, "csv=a,b%2Cc"),
        ({"each": ["a", "b,c"]}, "each=a&each=b%2Cc"),
        ({"pipes": ["a", "b"]}, "pipes=a%7Cb"),
        ({"spaces": ["a", "b"]}, "spaces=a%20b"),
        ({"deep": {"x": "1", "y": "2"}, "x": "3"}, "deep%5Bx%5D=1&deep%5By%5D=2&x=3"),
    ],
)
def test_w3_query_styles_are_kept(keywords: dict[str, Any], query: str, wire: Wire) -> None:
    """Each style and `explode` is written as OpenAPI has it; a deep object collides with no other parameter."""
    assert wire.query("queries", **keywords) == query


def test_w5_a_default_is_not_sent_and_makes_no_difference(wire: Wire, api: SimpleNamespace) -> None:
    """What nobody has given is absent: from the query, from the body, and from a model however it was made."""
    assert wire.query("queries") == ""
    wire.client.send_defaults()
    assert json.loads(wire.sent[-1].content) == {}
    model = api.models.Defaults()
    assert model == api.models.Defaults.from_dict({})
    assert model.to_dict() == {}
    assert api.models.Defaults.from_dict({"tags": [], "more": {}}).to_dict() == {"tags": [], "more": {}}


def test_w6_null_is_a_body(wire: Wire) -> None:
    """Where the contract allows null as the body it is sent as such."""
    wire.client.send_null(body=None)
    assert (wire.sent[0].content, wire.sent[0].headers["content-type"]) == (b"null", "application/json")


def test_w7_a_body_left_out_has_no_type_and_null_is_not_absence(wire: Wire, api: SimpleNamespace) -> None:
    """An optional body that is not given sends neither bytes nor a content type; None is not what the contract says."""
    wire.client.send_optional()
    assert (wire.sent[0].content, "content-type" in wire.sent[0].headers) == (b"", False)
    with pytest.raises(api.errors.BadArgument, match="body"):
        wire.client.send_optional(body=None)


def test_w8_headers_of_any_type_are_texts(wire: Wire) -> None:
    """Numbers and unions are written out; cookies are encoded where they have to be."""
    wire.client.headers(x_count=3, x_either=4, x_maybe="m", flag=True, text="a b;c")
    headers = wire.sent[0].headers
    assert (headers["x-count"], headers["x-either"], headers["x-maybe"]) == ("3", "4", "m")
    assert headers["cookie"] == "flag=true; text=a%20b%3Bc"


@pytest.mark.parametrize("text", [None, "ü", "a\r\nX-Evil: 1", " a"])
def test_w8_what_a_header_can_not_carry_is_refused(text: Any, wire: Wire, api: SimpleNamespace) -> None:
    """Null, text that is not ASCII, line ends and spaces at the ends are told before anything is sent."""
    with pytest.raises(api.errors.BadArgument, match="x_maybe"):
        wire.client.headers(x_maybe=text)
    assert not wire.sent


def test_w11_a_time_without_offset_is_refused(wire: Wire, api: SimpleNamespace) -> None:
    """It would break RFC 3339; with an offset it is sent."""
    naive = datetime.datetime(2020, 1, 1)  # noqa: DTZ001 - the point
    with pytest.raises(api.errors.BadArgument, match="offset"):
        wire.client.queries(at=naive)
    assert wire.query("queries", at=naive.replace(tzinfo=UTC)) == "at=2020-01-01T00%3A00%3A00%2B00%3A00"


@pytest.mark.parametrize("address", ["https://example.com/v1?k=1", "https://example.com#f", "ftp://example.com"])
def test_w11_a_base_url_that_paths_can_not_be_added_to_is_refused(address: str, api: SimpleNamespace) -> None:
    """A path behind a query or a fragment would reach another address."""
    with pytest.raises(api.errors.BadArgument, match="base_url"):
        Wire(api, base_url=address)


def test_w12_unknown_members_of_a_closed_object_are_told_and_others_kept(wire: Wire, api: SimpleNamespace) -> None:
    """Nothing that a service sends is dropped in silence."""
    with pytest.raises(api.errors.ContractBroken) as caught:
        wire.read("get_plain", {"x": 1, "inner": {"a": "b", "c": 1}})
    assert caught.value.path == "$.inner.c"
    kept = wire.read("get_plain", {"x": 1, "new": [1]})
    assert (kept.additional_properties, kept.to_dict()) == ({"new": [1]}, {"x": 1, "new": [1]})


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_w13_numbers_that_json_has_not_are_refused(number: float, wire: Wire, api: SimpleNamespace) -> None:
    """Also deep inside a free-form object."""
    with pytest.raises(api.errors.BadArgument, match=r"free\.a\[0\].*finite"):
        wire.client.send_bounded(code="AB", free={"a": [number]})
    assert not wire.sent


def test_w14_one_sided_members(wire: Wire) -> None:
    """What only the service sends is no argument; what only the client sends may be missing in a reply."""
    wire.content = b'{"id": 1, "name": "n"}'
    result = wire.client.send_two_sided(pw="secret", name="n")
    assert json.loads(wire.sent[0].content) == {"pw": "secret", "name": "n"}
    assert (result.id, result.name, bool(result.pw)) == (1, "n", False)
    with pytest.raises(TypeError):
        wire.client.send_two_sided(pw="secret", name="n", id=1)


@pytest.mark.parametrize(
    ("keywords", "field"),
    [
        ({"code": "ab"}, "code"),
        ({"short": "a"}, "short"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 1, "label": "l"}, "version and label"),
        ({"step": 0.7}, "step"),
        ({"few": [1, 2, 3]}, "few"),
        ({"few": [1, 1]}, "few"),
        ({"at": "yesterday"}, "at"),
        ({"free": [], "step": 0.5}, "free"),
        ({"free": {}}, "step"),
        ({"some": [1, 2]}, "some"),
        ({"some": []}, "some"),
        ({"some": [7, 7, 7]}, "some"),
    ],
)
def test_w15_every_constraint_is_checked(
    keywords: dict[str, Any], field: str, wire: Wire, api: SimpleNamespace
) -> None:
    """Before anything is sent, and the error names the field."""
    with pytest.raises(api.errors.BadArgument) as caught:
        wire.client.send_bounded(**{"code": "AB", **keywords})
    assert (caught.value.field, wire.sent) == (field, [])


def test_g12_parameters_may_have_any_name(wire: Wire) -> None:
    """No parameter's name hides what the method uses, and none that is not given is sent."""
    method = wire.client.shadows
    names = dict(zip(PARAMETERS, _arguments(method), strict=True))
    for name, argument in names.items():
        assert wire.query("shadows", **{argument: "v"}) == f"{name}=v"


def _arguments(method: Any) -> list[str]:
    code = method.__func__.__code__
    return list(code.co_varnames[1 : 1 + code.co_kwonlyargcount])


# What is read


@pytest.mark.parametrize("status", [299, 419, 430, 449, 499, 509, 520, 526, 529, 530, 598, 599])
def test_r1_a_status_without_a_name_is_a_status(status: int, wire: Wire, api: SimpleNamespace) -> None:
    """Statuses that Python has no word for end in a typed error that keeps status and body."""
    with pytest.raises(api.errors.StatusError) as caught:
        wire.read("get_plain", {"message": "busy"}, status)
    assert (caught.value.status, caught.value.body) == (status, {"message": "busy"})


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"", b"{"])
def test_r2_an_error_that_is_no_json_keeps_its_status(content: bytes, wire: Wire, api: SimpleNamespace) -> None:
    """A page of a proxy is the error's body, as text."""
    with pytest.raises(api.errors.ServerError) as caught:
        wire.read("get_plain", content, 502)
    assert (caught.value.status, caught.value.body) == (502, content.decode())


def test_r2_a_success_without_a_body_breaks_the_contract(wire: Wire, api: SimpleNamespace) -> None:
    """The error says so, and keeps the reply."""
    with pytest.raises(api.errors.ContractBroken, match="an empty body") as caught:
        wire.read("get_plain", b"")
    assert caught.value.response.status_code == 200


def test_r3_an_unknown_word_of_an_enum_survives(wire: Wire) -> None:
    """It is read and can be sent again."""
    assert wire.read("get_plain", {"x": 1, "color": "blue"}).to_dict() == {"x": 1, "color": "blue"}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({}, "$.x"),
        ({"x": None}, "$.x"),
        ({"x": "1"}, "$.x"),
        ({"x": True}, "$.x"),
        ({"x": 1.5}, "$.x"),
        ({"x": 1, "n": "1"}, "$.n"),
        ({"x": 1, "yes": 1}, "$.yes"),
        ({"x": 1, "when": None}, "$.when"),
        ({"x": 1, "when": "yesterday"}, "$.when"),
        ({"x": 1, "day": "2020-13-01"}, "$.day"),
        ({"x": 1, "color": None}, "$.color"),
        ({"x": 1, "inner": None}, "$.inner"),
        ({"x": 1, "names": "abc"}, "$.names"),
        ({"x": 1, "names": {}}, "$.names"),
        ({"x": 1, "names": ["a", 1]}, "$.names[1]"),
        ([], "$"),
        ("text", "$"),
    ],
)
def test_r3_r4_a_wrong_type_is_told_with_its_place(value: Any, path: str, wire: Wire, api: SimpleNamespace) -> None:
    """One typed error with the JSON path; the reply is kept."""
    with pytest.raises(api.errors.ContractBroken) as caught:
        wire.read("get_plain", value)
    assert (caught.value.path, caught.value.response.json()) == (path, value)


def test_r4_an_object_is_no_list(wire: Wire, api: SimpleNamespace) -> None:
    """An empty one isn't, either."""
    with pytest.raises(api.errors.ContractBroken):
        wire.read("get_texts", {})


@pytest.mark.parametrize(
    ("body", "model"),
    [({"message": "m"}, "ErrorResponse"), ({"detail": [{"loc": ["a"], "msg": "m"}]}, "Detail")],
)
def test_r5_the_form_that_knows_the_members_is_taken(body: Any, model: str, wire: Wire, api: SimpleNamespace) -> None:
    """Neither form requires anything, and each is reached."""
    with pytest.raises(api.errors.Unprocessable) as caught:
        wire.read("get_plain", body, 422)
    assert type(caught.value.body) is getattr(api.models, model)
    assert caught.value.body.to_dict() == body


def test_r6_a_discriminator_decides(wire: Wire, api: SimpleNamespace) -> None:
    """By its mapping; a tag that is none of them breaks the contract."""
    assert type(wire.read("get_pet", {"petType": "dog"})) is api.models.Dog
    assert type(wire.read("get_pet", {"petType": "cat"})) is api.models.Cat
    with pytest.raises(api.errors.ContractBroken) as caught:
        wire.read("get_pet", {"petType": "cow"})
    assert caught.value.path == "$.petType"


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"kind": "square", "name": "n"}, "Square"),
        ({"kind": "circle", "name": "n"}, "Circle"),
        ({"kind": "circle", "side": 1}, "Circle"),
        ({"kind": "a newer word", "side": 1}, "Square"),
    ],
)
def test_r6_a_word_decides_where_no_discriminator_is_named(
    body: Any, model: str, wire: Wire, api: SimpleNamespace
) -> None:
    """A form that requires a word of its own is taken where this word comes, whatever else comes with it."""
    shape = wire.read("get_shape", body)
    assert type(shape) is getattr(api.models, model)
    assert shape.to_dict() == body


def test_r6_a_tag_may_be_absent_where_no_form_requires_it(wire: Wire, api: SimpleNamespace) -> None:
    """Then the form that knows the members is taken; a tag that is none of them breaks the contract all the same."""
    assert type(wire.read("get_item", {"pages": 1})) is api.models.Episode
    assert type(wire.read("get_item", {"type": "Track", "pages": 1})) is api.models.Track
    with pytest.raises(api.errors.ContractBroken):
        wire.read("get_item", {"type": "Film"})


def test_r8_lists_of_one_kind_or_another(wire: Wire, api: SimpleNamespace) -> None:
    """The items decide."""
    assert wire.read("get_lists", ["a"]) == ["a"]
    assert wire.read("get_lists", [{"petType": "cat"}]) == [api.models.Cat(pet_type="cat")]


@pytest.mark.parametrize("text", ["20200101", "2020-W01-1", "2020-01-01", "2020-01-01T00:00:00Z", "x"])
def test_r10_a_time_or_a_text_is_sent_again_as_it_came(text: str, wire: Wire, api: SimpleNamespace) -> None:
    """Only what RFC 3339 calls a time becomes one, and it keeps its text."""
    read = wire.read("get_moment_or_text", text)
    assert isinstance(read, datetime.datetime) is text.endswith("Z")
    assert api.types.to_json(read) == text


@pytest.mark.parametrize(
    "text", ["{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "x"]
)
def test_r10_an_id_keeps_its_spelling(text: str, wire: Wire) -> None:
    """Upper case, braces or none at all."""
    assert wire.read("get_uuid_or_text", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T00:00:00Z",
        "2020-01-01t00:00:00z",
        "2020-01-01T00:00:00.123456789Z",
        "2016-12-31T23:59:60Z",
        "2020-01-01T00:00:00-00:00",
    ],
)
def test_r11_every_time_of_rfc_3339_is_read_and_keeps_its_text(text: str, wire: Wire, api: SimpleNamespace) -> None:
    """Spelling, fractions and leap seconds."""
    moment = wire.read("get_moment", text)
    assert moment.tzinfo is not None
    assert api.types.to_json(moment) == text


@pytest.mark.parametrize("text", ["2020-01-01T24:00:00Z", "2020-01-01 00:00:00Z", "20200101T000000Z", "2020-01-01"])
def test_r11_other_forms_are_no_time(text: str, wire: Wire, api: SimpleNamespace) -> None:
    """Where the contract says date-time, nothing but RFC 3339 is one."""
    with pytest.raises(api.errors.ContractBroken):
        wire.read("get_moment", text)


@pytest.mark.parametrize("value", [{}, {"a": NODE}, {"a": {**NODE, "status": "SKIPPED"}}, None, False, 0, "", []])
def test_r12_any_output_is_handed_over_as_it_is(value: Any, wire: Wire) -> None:
    """Beside a schema that allows anything no value is taken for something else."""
    result = wire.read("get_output", value)
    assert (result, type(result)) == (value, type(value))


def test_r12_a_map_of_nodes_is_one_or_breaks_the_contract(wire: Wire, api: SimpleNamespace) -> None:
    """It never degrades to a raw object; an unknown status is a word like others."""
    assert wire.read("get_nodes", {"a": {**NODE, "status": "SKIPPED"}})["a"].status == "SKIPPED"
    with pytest.raises(api.errors.ContractBroken) as caught:
        wire.read("get_nodes", {"a": NODE, "b": {"value": 1}})
    assert caught.value.path == "$.b.status"


def test_r14_null_nothing_and_an_unknown_status_are_three_things(wire: Wire, api: SimpleNamespace) -> None:
    """A value of null, a reply without a body, and an error."""
    null, nothing = wire.read("get_maybe", None), wire.read("get_maybe", b"", 204)
    assert null is not None
    assert null.value is None
    assert nothing is None
    with pytest.raises(api.errors.StatusError):
        wire.read("get_maybe", None, 206)


# Models and clients


def test_m1_copies_and_pickles_keep_what_is_absent(api: SimpleNamespace) -> None:
    """A copy is equal to its original and is sent as it is."""
    model = api.models.Plain.from_dict({"x": 1, "new": 2})
    for other in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
        assert other == model
        assert other.to_dict() == {"x": 1, "new": 2}


def test_m2_evolve_keeps_unknown_members(api: SimpleNamespace) -> None:
    """And a free-form member is a plain dict."""
    model = attrs.evolve(api.models.Plain.from_dict({"x": 1, "new": 2}), x=3)
    assert model.to_dict() == {"x": 3, "new": 2}
    assert api.models.Defaults(more={"a": {"b": 1}}).to_dict() == {"more": {"a": {"b": 1}}}


def test_m3_a_member_is_not_set_by_item(api: SimpleNamespace) -> None:
    """There is one way to a member, so that none is set and then ignored."""
    model = api.models.Plain(x=1)
    with pytest.raises(TypeError):
        model["x"] = 99
    model.x = 99
    assert model.to_dict() == {"x": 99}


def test_m4_nothing_is_shared(api: SimpleNamespace) -> None:
    """Neither with the object that was read nor with the one that is written."""
    source = {"x": 1, "names": ["a"], "new": {"deep": []}}
    model = api.models.Plain.from_dict(source)
    source["names"].append("b")  # type: ignore[attr-defined]
    source["new"]["deep"].append(1)  # type: ignore[index]
    written = model.to_dict()
    written["new"]["deep"].append(2)
    assert model.to_dict() == {"x": 1, "names": ["a"], "new": {"deep": []}}


def test_m5_typed_unknown_members_are_checked_before_sending(wire: Wire, api: SimpleNamespace) -> None:
    """A wrong one is refused by its name, whether in a model or in a plain object."""
    wire.client.send_typed(
        body=[api.models.Typed(additional_properties={"at": datetime.datetime(2020, 1, 1, tzinfo=UTC)})]
    )
    assert json.loads(wire.sent[0].content) == [{"at": "2020-01-01T00:00:00+00:00"}]
    for wrong in (api.models.Typed(additional_properties={"at": 5}), {"at": 5}):
        with pytest.raises(api.errors.BadArgument, match=r"body\[0\]\.at"):
            wire.client.send_typed(body=[wrong])


def test_m6_a_client_keeps_its_key_and_everything_that_is_the_callers(api: SimpleNamespace) -> None:
    """No key in its repr, no header added to the caller's dict, no view that changes its original."""
    headers = {"X-Team": "a"}
    wire = Wire(api, headers=headers)
    assert KEY not in repr(wire.client)
    view = wire.client.with_options(headers={"X-Team": "b"}, timeout=3)
    for client, team in ((wire.client, "a"), (view, "b"), (wire.client, "a")):
        client.get_open()
        assert wire.sent[-1].headers["x-team"] == team
    assert headers == {"X-Team": "a"}


def test_m6_a_key_given_as_header_goes_first(api: SimpleNamespace) -> None:
    """It is sent once, as given."""
    wire = Wire(api, headers={"X-API-KEY": "other"})
    wire.client.shadows()
    assert wire.sent[0].headers.get_list("x-api-key") == ["other"]


def test_m7_there_are_time_outs_and_an_end(api: SimpleNamespace) -> None:
    """A client has time-outs unless told otherwise, and after its end says that it has ended."""
    seen = []
    own = api.service.PromptLayerOperations(api_key=KEY, base_url="http://127.0.0.1:9")
    with own, pytest.raises(api.errors.NotSent):
        own.with_options(on_reply=seen.append).get_open()
    with pytest.raises(api.errors.BadArgument, match="closed"):
        own.get_open()
    wire = Wire(api)
    wire.client.get_open()
    assert all(wire.sent[0].extensions["timeout"].values())


def test_m8_a_secured_operation_needs_a_key(api: SimpleNamespace) -> None:
    """Without one nothing is sent; an open operation needs none and gets none."""
    wire = Wire(api, api_key=None)
    with pytest.raises(api.errors.BadArgument, match="api_key"):
        wire.client.get_texts()
    wire.client.get_open()
    assert "x-api-key" not in wire.sent[0].headers
    keyed = Wire(api)
    keyed.client.get_open()
    assert "x-api-key" not in keyed.sent[0].headers


def test_g10_servers_and_webhooks_are_there(api: SimpleNamespace) -> None:
    """The address that the contract gives is the service's, and what a webhook carries is a model."""
    assert api.service.SERVER == "https://api.promptlayer.com"
    assert api.models.WebhookEvent.from_dict({"kind": "k"}).kind == "k"


def test_g11_members_may_have_any_name(wire: Wire, api: SimpleNamespace) -> None:
    """Each is read and written as itself."""
    plain = {name: f"the {name}" for name in MEMBERS}
    assert api.models.Named.from_dict(plain).to_dict() == plain
    wire.content = json.dumps(plain).encode()
    arguments = dict(zip(MEMBERS, _arguments(wire.client.send_named), strict=True))
    result = wire.client.send_named(**{arguments[name]: value for name, value in plain.items()})
    assert json.loads(wire.sent[0].content) == plain
    assert result.to_dict() == plain
