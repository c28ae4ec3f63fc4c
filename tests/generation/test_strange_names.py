"""Names that would be one in Python stay apart, and media types and paths are read as they are meant."""

from __future__ import annotations

import ast
import json
import re

import pytest
from growing import Generated, Tried, Try, generate, try_out
from strange_names import MEMBERS, OPERATIONS, SCHEMAS, TAGS, TRIES, WORDS, strange


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """What is generated from the contract."""
    return generate(strange(), tmp_path_factory.mktemp("strange"))


@pytest.fixture(scope="module")
def tried(package: Generated) -> dict[str, Tried]:
    """What came of all calls."""
    return dict(zip(TRIES, try_out(package, *TRIES.values(), whole=False), strict=True))


def _path(tried: Tried) -> str:
    assert len(tried.sent) == 1, tried.error
    return tried.sent[0][1]


def _attributes(package: Generated, model: str) -> dict[str, str]:
    """The attributes of a model, by the members' names in the contract."""
    text = (package.package() / f"workflow_runs_api/models/{model}.py").read_text("utf-8")
    return {ast.literal_eval(wire): name for wire, name in re.findall(r"_at = (.+)\n\s+self\.(\w+) =", text)}


def test_every_member_is_read(tried: dict[str, Tried]) -> None:
    """Under whatever name: what came is what is given back, and nothing took the place of another."""
    assert tried["many"].plain == {name: number for number, name in enumerate(MEMBERS)}, tried["many"].error


def test_a_name_that_can_be_an_attribute_is_one(package: Generated) -> None:
    """Others make room for it, with a number behind, and no two share an attribute."""
    attributes = _attributes(package, "many")
    assert {*attributes} == {*MEMBERS}
    assert len({*attributes.values()}) == len(MEMBERS)
    for name in ("a", "a_b", "a_b_2", "class_", "to_dict_", "fi", "\u00e9"):
        assert attributes[name] == name


def test_the_order_of_members_has_no_say_in_their_names(package: Generated) -> None:
    """A member that moves in the contract keeps its attribute."""
    assert _attributes(package, "many") == _attributes(package, "turned")


def test_every_argument_goes_where_it_belongs(tried: dict[str, Tried]) -> None:
    """Parameters of one name in several places, and members of the body beside them, have an argument each."""
    method, path, headers, body = tried["many"].sent[0]
    assert (method, path) == ("POST", "/many/p?a.b=5&a_b=1&a-b=4&%F0%9F%98%80=7")
    assert ("a_b", "2") in headers
    assert ("cookie", "a_b=3") in headers
    assert json.loads(body) == {"a_b": 6}


def test_every_member_can_be_sent(package: Generated, tried: dict[str, Tried]) -> None:
    """Each by an argument of its own."""
    arguments = re.findall(r"(\w+): ", tried["many"].signature)[-len(MEMBERS) :]
    keywords = {argument: number for number, argument in enumerate(arguments)}
    [sent] = try_out(package, Try("get_many", ("p",), keywords, content=b"{}"), whole=False)
    assert json.loads(sent.sent[0][3]) == {name: number for number, name in enumerate(MEMBERS)}


def test_every_schema_has_a_class_of_its_own(tried: dict[str, Tried]) -> None:
    """Whatever they are called: each is read by its own rules, under which no other would fit."""
    assert tried["schemas"].plain == {f"s{i}": {"n": name} for i, name in enumerate(SCHEMAS)}, tried["schemas"].error


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_an_enum_is_sent_and_read_as_it_is(word: str, tried: dict[str, Tried]) -> None:
    """Quotes, capitals and characters of four bytes included."""
    result = tried[f"word {word!a}"]
    assert json.loads(result.sent[0][3]) == {"w": word}
    assert result.plain == word


def test_a_union_of_inline_objects_is_read(tried: dict[str, Tried]) -> None:
    """Each form with what lies inside it."""
    assert tried["union"].plain == {"results": "a,b", "more": {"x": 1}}
    assert tried["other union"].plain == {"results": [{"x": 1}]}


def test_parameters_of_a_media_type_change_nothing(tried: dict[str, Tried]) -> None:
    """A body goes out under the whole of it; a reply is known by its type alone, in any capitals."""
    assert ("content-type", "application/json; charset=utf-8") in tried["typed"].sent[0][2]
    assert json.loads(tried["typed"].sent[0][3]) == {"x": "\u00e9"}
    assert tried["typed"].plain == tried["typed reply"].plain == {"x": 1}
    assert tried["text"].plain == "\u00e9"
    assert tried["two"].plain == 5


def test_an_error_that_is_text_is_text(tried: dict[str, Tried]) -> None:
    """Also where it could be read as JSON."""
    assert tried["text error"].plain == "null"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("query", "/q?beta=true&p=1"),
        ("query alone", "/q?beta=true"),
        ("empty query", "/q?p=1"),
        ("odd query", "/q?a=b%20c&d=%20%C3%A9&p=1"),
        ("query template", "/q?x=a%26b%3Dc%2F&y&p=1"),
    ],
)
def test_the_query_of_a_path_is_a_part_of_the_query(name: str, path: str, tried: dict[str, Tried]) -> None:
    """Arguments come behind it; nothing of it gets lost, and nothing in it is a path."""
    assert _path(tried[name]) == path


def test_every_tag_and_every_operation_has_a_module(package: Generated) -> None:
    """Whatever is left of their names in Python's letters."""
    folders = [path for path in (package.package() / "workflow_runs_api/api").iterdir() if path.is_dir()]
    others = [folder for folder in folders if folder.name not in {"promptlayer", "__pycache__"}]
    assert len(others) == len(TAGS)
    modules = [module.stem for folder in others for module in folder.glob("*.py") if module.stem != "__init__"]
    assert len(set(modules)) == len(OPERATIONS)


def test_a_discriminator_says_which_form_is_meant(tried: dict[str, Tried]) -> None:
    """Also of what is sent, where open forms would overlap: by a word of its mapping, and by that alone."""
    assert json.loads(tried["pet d"].sent[0][3])["pet"]["kind"] == "d"
    assert (tried["pet c"].sent, tried["pet c"].error_field) == ([], "pet.Cat")
    assert (tried["pet x"].sent, tried["pet x"].error_field) == ([], "pet")


def test_a_constant_may_be_an_object(tried: dict[str, Tried]) -> None:
    """It is sent as it is, and nothing else is."""
    assert len(tried["constant"].sent) == 1
    assert tried["other constant"].error_field == "constant"


def test_a_reply_to_head_has_no_body(tried: dict[str, Tried]) -> None:
    """Whatever the contract says that it would be."""
    assert (tried["head"].sent[0][0], tried["head"].error, tried["head"].plain) == ("HEAD", None, None)


def test_an_object_of_which_one_member_or_another_must_be_there_is_an_object(tried: dict[str, Tried]) -> None:
    """Its members are read as what they are."""
    assert tried["either"].type_name == "GetValuesResponse200"
    assert tried["either"].plain == {"inner": {"z": 1}}
    assert tried["either wrong"].type_name == "ContractBroken"


def test_listed_values_may_be_of_any_type(tried: dict[str, Tried]) -> None:
    """Lists and objects among them."""
    refused = [name for name, result in tried.items() if name.startswith("listed") and not result.sent]
    assert refused == ["listed [2]"]


@pytest.mark.parametrize(("text", "count"), [("[", 1), ("&", 1), ("b", 1), ("d", 0)])
def test_a_set_holds_what_it_names(text: str, count: int, tried: dict[str, Tried]) -> None:
    """A bracket or a doubled sign in it is no operator, and no warning comes of it."""
    assert len(tried[f"set {text}"].sent) == count, tried[f"set {text}"].error
