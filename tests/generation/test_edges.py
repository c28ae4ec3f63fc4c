"""Constructs at the edge of what can be generated: right, or refused by name, but never silently wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from growing import Tried, Try
from growths import SCHEMA_NAMES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMBERS = {"field": "f", "define": "d", "classmethod": "c"}
_KIDS: dict[str, Any] = {"kids": {"a": {"kids": {}}}}
_PARTS: dict[str, Any] = {"value": ["a", None], "value_item": "b", "value_1": None, "maps": [_KIDS["kids"], None]}
_PRICES = [4.35, 0.07, 0.29, 1.1, 3, 1e6]
_SUCCESSES = {
    "get_model": {200: b"{}", 202: b"{}", 204: b""},
    "get_map": {200: b"{}", 202: b"{}", 204: b""},
    "get_list": {200: b"[]", 202: b"[]", 204: b""},
    "get_either": {200: b"null", 202: b"null", 204: b""},
    "get_nothing": {202: b"", 204: b""},
    "get_maybe": {200: b"null", 204: b""},
}
# Method, arguments and what a view adds to the body; then what is sent, or the argument that is refused.
_EXTRA: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any] | str]] = [
    ("at_least", {}, {"new": 1}, {"new": 1}),
    ("at_least", {}, {}, "body"),
    ("at_most", {"name": "x"}, {"new": 1}, {"name": "x", "new": 1}),
    ("at_most", {"name": "x"}, {"new": 1, "more": 1}, "body"),
    ("typed", {"name": "x"}, {"new": 1}, {"name": "x", "new": 1}),
    ("typed", {"name": "x"}, {"new": "1"}, "extra_body.new"),
    ("undeclared", {}, {"x-more": None}, {"x-more": None}),
    ("undeclared", {"name": "x"}, {}, "extra_body.x-more"),
    ("closed", {"name": "x"}, {"new": 1}, {"name": "x", "new": 1}),
    ("matching", {}, {"x-n": 1, "new": 1}, {"x-n": 1, "new": 1}),
    ("matching", {}, {"x-n": "1"}, "extra_body.x-n"),
    ("called", {}, {"new": 1}, {"new": 1}),
    ("called", {}, {"NEW": 1}, "extra_body.NEW"),
    ("any_of_two", {}, {"other": 1}, {"other": 1}),
    ("any_of_two", {}, {"new": 1}, "name"),
    ("together", {"name": "x"}, {"other": 1}, {"name": "x", "other": 1}),
    ("together", {"name": "x"}, {"new": 1}, "extra_body.other"),
    ("forms", {"name": "x"}, {"q": 1}, {"name": "x", "q": 1}),
    ("optional", {}, {"new": 1}, {"new": 1}),
    ("optional", {}, {}, "body"),
    # Another value than the contract allows may be newer than the contract.
    ("closed", {"name": "x"}, {"kind": "new", "name": 1}, {"kind": "new", "name": 1}),
]
_TRIES: dict[str, dict[str, Try]] = {
    "names": {
        "named": Try("make_named", (), {"field": "f", "define": "d", "classmethod_": "c"},
                     content=json.dumps(_MEMBERS).encode()),
        "collide": Try("collide", ("p",)),
        **{
            name: Try(f"make_{name.lower()}", (), {"body": [{"x": "1"}]}, content=b'{"x": "2"}')
            for name in SCHEMA_NAMES
        },
    },
    "texts": {
        "words": Try("op_a", (), {"a": WORDS}, content=b"{}"),
        "default": Try("only_default", content=b'{"message": "m"}'),
        "default error": Try("only_default", status=418, content=b'{"message": "m"}'),
        "no": Try("plain", (), {"country": "no"}),
    },
    "small_ways": {
        "kids": Try("make_item", (), _KIDS, content=json.dumps(_KIDS).encode()),
        "no members": Try("put_members"),
        "members": Try("put_members", (), {"n": "x"}),
        "some members": Try("put_members", (), {"m": "x"}),
        "only an extra member": Try("put_members", options={"extra_body": {"m": "x"}}),
        "an extra member more": Try("put_members", (), {"n": "x"}, options={"extra_body": {"new": 1}}),
        "not given": Try("put_free"),
        "extra to not given": Try("put_free", options={"extra_body": {"new": 1}}),
        "empty": Try("put_free", (), {"body": {}}),
        "bare": Try("get_bare", content=b"[5]"),
        "parts": Try("get_parts", content=json.dumps(_PARTS).encode()),
        "annotations": Try("annotations"),
        **{f"price {price}": Try("get_steps", (), {"price": price}) for price in _PRICES},
        **{f"wrong price {price}": Try("get_steps", (), {"price": price + 0.005}) for price in _PRICES},
        **{f"slug {slug!a}": Try("get_steps", (), {"slug": slug}) for slug in ("a$1", "a1\n", "a٣")},
        "header": Try("get_steps", (), {"x_trace": "argument"}, headers={"x-trace": "client"}),
    },
    "extra_members": {
        str(number): Try(method, (), keywords, options={"extra_body": extra})
        for number, (method, keywords, extra, _) in enumerate(_EXTRA)
    },
    "recursive_map": {
        "tree": Try("op_a", (), {"body": {"a": {}}}, content=b'{"b": {"c": {}}}'),
        "tree wrong": Try("op_a", (), {"body": {"a": {"b": 1}}}),
        "tree reply wrong": Try("op_a", (), {"body": {}}, content=b'{"b": {"c": 1}}'),
        "two": Try("op_b", (), {"body": {"a": [{"b": None}]}}, content=b'{"b": {"c": [{}]}}'),
        "two wrong": Try("op_b", (), {"body": {}}, content=b'{"b": {"c": [1]}}'),
    },
    "same_success": {
        f"{method} {status}": Try(method, status=status, content=content)
        for method, replies in _SUCCESSES.items()
        for status, content in replies.items()
    },
    "alternatives": {
        "a": Try("op_a", (), {"a": "x"}),
        "b": Try("op_a", (), {"b": "x"}),
        "neither": Try("op_a"),
        "old": Try("execute", ("p",), {"input_": "x", "both": "y", "body_n": 1}),
        "new": Try("execute", ("p",), {"turn": 1, "both": "y", "body_n": None}),
        "mixed": Try("execute", ("p",), {"turn": 1, "input_": "x", "both": "y"}),
        "wrong type": Try("execute", ("p",), {"turn": "1", "both": "y"}),
        "other type": Try("execute", ("p",), {"turn": 1, "both": "y", "body_n": 1}),
    },
    "no_models": {"drop": Try("drop_all", status=204, content=b"", media_type=None)},
}  # fmt: skip


@pytest.fixture
def tried(tried_all: Any) -> Callable[[str, str], Tried]:
    """What came of a call with what was generated from a grown contract."""

    def of(growth: str, name: str) -> Tried:
        result: Tried = tried_all(growth, _TRIES[growth])[name]
        return result

    return of


def _body(tried: Tried) -> Any:
    assert len(tried.sent) == 1, tried.error
    content = tried.sent[0][3]
    return json.loads(content) if content else None


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_a_component_may_have_any_name(name: str, tried: Any) -> None:
    """No class of the contract hides one that the generated modules need."""
    assert _body(tried("names", name)) == [{"x": "1"}]
    assert tried("names", name).plain == {"x": "2"}


def test_a_member_may_have_any_name(tried: Any) -> None:
    """No member hides what the body of its class uses."""
    assert _body(tried("names", "named")) == _MEMBERS
    assert tried("names", "named").plain == _MEMBERS


def test_names_that_collide_twice_are_still_told_apart(tried: Any) -> None:
    """Where the place in front of a name gives a name that is taken too, another is found."""
    collide = tried("names", "collide")
    assert (collide.sent[0][0], collide.sent[0][1]) == ("POST", "/collide/p")
    assert collide.signature.count(": 'str") == 5


def test_texts_of_the_contract_are_only_texts(tried: Any) -> None:
    """Quotes, backslashes and template marks in descriptions, defaults and examples break nothing."""
    assert _body(tried("texts", "words")) == {"a": WORDS}


def test_a_default_reply_alone_is_the_success(tried: Any) -> None:
    """Where only `default` is declared a 2xx is read as it says, and anything else is an error of that form."""
    assert tried("texts", "default").plain == {"message": "m"}
    assert tried("texts", "default error").type_name == "StatusError"


def test_a_word_of_an_enum_is_a_text(tried: Any) -> None:
    """`no` is a country, as the contract's version of YAML has it, and not a truth value."""
    assert [each[1] for each in tried("texts", "no").sent] == ["/plain?country=no"], tried("texts", "no").error


def test_a_member_may_be_a_named_map_of_its_own_model(tried: Any) -> None:
    """A map of a component's own is read as what its entries are."""
    item = tried("small_ways", "kids")
    assert _body(item) == _KIDS
    assert (item.type_name, item.plain) == ("Item", _KIDS)


def test_an_optional_body_can_be_left_out(tried: Any) -> None:
    """A required member of a body that isn't required itself doesn't force anybody to send it."""
    assert _body(tried("small_ways", "members")) == {"n": "x"}
    assert _body(tried("small_ways", "no members")) is None
    assert tried("small_ways", "some members").error_field == "n"


def test_extra_members_make_no_body_without_what_it_needs(tried: Any) -> None:
    """An extra member turns a body left out into one that is sent, which must then be whole."""
    alone = tried("small_ways", "only an extra member")
    assert (alone.sent, alone.type_name, alone.error_field) == ([], "BadArgument", "n")
    assert _body(tried("small_ways", "an extra member more")) == {"n": "x", "new": 1}
    assert _body(tried("small_ways", "extra to not given")) == {"new": 1}


@pytest.mark.parametrize("number", range(len(_EXTRA)), ids=[f"{method} {extra}" for method, _, extra, _ in _EXTRA])
def test_a_body_is_checked_as_it_is_sent(number: int, tried: Any) -> None:
    """What a view adds counts where the contract says something of it, and is else let through."""
    expected, found = _EXTRA[number][-1], tried("extra_members", str(number))
    if isinstance(expected, str):
        assert (found.sent, found.type_name, found.error_field) == ([], "BadArgument", expected)
    else:
        assert _body(found) == expected


def test_an_empty_object_is_a_body(tried: Any) -> None:
    """Given and empty is not the same as not given."""
    assert tried("small_ways", "not given").sent[0][3] == b""
    assert tried("small_ways", "empty").sent[0][3] == b"{}"


def test_json_without_a_schema_is_any_json(tried: Any) -> None:
    """A JSON reply that no schema describes is handed over, not dropped."""
    assert tried("small_ways", "bare").plain == [5]


@pytest.mark.parametrize("price", _PRICES)
def test_a_decimal_step_is_taken_in_decimals(price: float, tried: Any) -> None:
    """4.35 is a multiple of 0.01, whatever binary fractions make of it."""
    right = tried("small_ways", f"price {price}")
    assert right.sent, right.error
    assert tried("small_ways", f"wrong price {price}").error_field == "price"


def test_a_pattern_means_what_ecma_says(tried: Any) -> None:
    """`$` is the very end, digits are ASCII, and a dollar in brackets is a dollar."""
    sent = {slug: len(tried("small_ways", f"slug {slug!a}").sent) for slug in ("a$1", "a1\n", "a٣")}
    assert sent == {"a$1": 1, "a1\n": 0, "a٣": 0}


def test_a_header_is_sent_once(tried: Any) -> None:
    """A header parameter and a client's own header of the same name make one header, however it is spelt."""
    headers = tried("small_ways", "header").sent[0][2]
    assert len([name for name, _ in headers if name == "x-trace"]) == 1


def test_the_parts_of_members_are_not_mixed_up(tried: Any) -> None:
    """The items of `value` and a member `value_item` are read each in its own way; a title names no class."""
    parts = tried("small_ways", "parts")
    assert (parts.type_name, parts.plain) == ("Parts", _PARTS)


def test_an_operation_may_have_any_name(tried: Any) -> None:
    """Also one that the module of its class has for itself."""
    assert tried("small_ways", "annotations").sent[0][1] == "/annotations"


def test_a_map_that_holds_itself(tried: Any) -> None:
    """A recursive map is sent, checked and read to its depths."""
    assert _body(tried("recursive_map", "tree")) == {"a": {}}
    assert tried("recursive_map", "tree").plain == {"b": {"c": {}}}
    assert tried("recursive_map", "tree wrong").error_field == "body.a.b"
    assert "@ $.b.c" in tried("recursive_map", "tree reply wrong").error


def test_maps_that_hold_each_other(tried: Any) -> None:
    """Neither has to be there before the other."""
    assert _body(tried("recursive_map", "two")) == {"a": [{"b": None}]}
    assert tried("recursive_map", "two").plain == {"b": {"c": [{}]}}
    assert "@ $.b.c[0]" in tried("recursive_map", "two wrong").error


@pytest.mark.parametrize("method", _SUCCESSES)
def test_successes_are_told_apart_by_their_types(method: str, tried: Any) -> None:
    """No two successes give one type, and what each holds is there."""
    results = {status: tried("same_success", f"{method} {status}") for status in _SUCCESSES[method]}
    assert len({result.type_name for result in results.values()}) == len(results)
    for status, result in results.items():
        assert result.error is None
        assert result.plain == json.loads(_SUCCESSES[method][status] or b"null")


def test_a_body_of_alternative_forms(tried: Any) -> None:
    """Each form can be sent without the other's members; none of them is refused."""
    assert _body(tried("alternatives", "a")) == {"a": "x"}
    assert _body(tried("alternatives", "b")) == {"b": "x"}
    assert tried("alternatives", "neither").type_name == "BadArgument"


def test_a_body_of_disjoint_forms(tried: Any) -> None:
    """A member is required if all forms require it, and has the types of all; a mixture is refused unsent."""
    old = tried("alternatives", "old")
    assert _body(old) == {"input": "x", "both": "y", "n": 1}
    assert _body(tried("alternatives", "new")) == {"turn": 1, "both": "y", "n": None}
    assert "both: 'str'," in old.signature
    assert "input_: 'str | Unset' = UNSET" in old.signature
    assert "body_n: 'int | str | None | Unset' = UNSET" in old.signature
    for name in ("mixed", "other type"):
        assert (tried("alternatives", name).type_name, tried("alternatives", name).sent) == ("BadArgument", [])


def test_the_form_that_was_meant_tells_what_is_wrong(tried: Any) -> None:
    """Of several forms the one whose required members are given, and not the first."""
    assert tried("alternatives", "wrong type").error_field == "turn"


def test_a_contract_may_describe_no_object(tried: Any) -> None:
    """Then there are no models, and all else works."""
    assert (tried("no_models", "drop").error, tried("no_models", "drop").plain) == (None, None)
