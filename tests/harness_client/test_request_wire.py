"""How the harness reads a request: paths, query styles, headers, and what it takes for another value."""

from typing import Any

import pytest

from contract_tests.http import expected_parameters as wire
from contract_tests.openapi.document import Operation, Parameter
from contract_tests.openapi.json_equality import Kind, differences


def parameter(style: str = "form", *, explode: bool = True, location: str = "query") -> Parameter:
    """Make a parameter called p."""
    return Parameter("p", location, False, "#/p", "#/p/schema", style, explode, ())  # noqa: FBT003


def operation(path: str) -> Operation:
    """Make an operation with a path."""
    return Operation("op", "GET", path, "", "#", (), (), None, {}, ())


@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("/base/a/x%2Fy/b?q=1", {"p": "x%2Fy"}),
        ("/base/a/../b", {"p": ".."}),
        ("/base/a//b", {"p": ""}),
        ("/base/%61/1/b", {"p": "1"}),
        ("/base/a/x/y/b", None),
        ("/a/x/b", None),
        ("/base/a/x/b/", None),
    ],
)
def test_a_path_is_read_segment_by_segment(target: str, values: dict[str, str] | None) -> None:
    """A value never reaches over a slash, and a literal part may be written in any way."""
    assert wire.path_values(operation("/a/{p}/b"), "/base", target) == values


def test_several_parameters_share_a_segment() -> None:
    """What stands between them tells them apart."""
    assert wire.path_values(operation("/{a}.{b}/c"), "", "/1.json/c") == {"a": "1", "b": "json"}


@pytest.mark.parametrize(
    ("path", "target", "segment"),
    [
        ("/{a}..{b}/c", "/...1/c", "...1"),
        ("/{a}..{b}/c", "/../c", ".."),
        ("/{a}/{b}", "/x/", "x"),
        ("/{a}/{b}", "/x", None),
    ],
)
def test_a_step_is_a_whole_segment(path: str, target: str, segment: str | None) -> None:
    """A dot beside something else leads nowhere: what counts is the segment that holds the value."""
    assert wire.segment_of(operation(path), "", target, "a") == segment


@pytest.mark.parametrize(
    ("accept", "media_type", "admitted"),
    [
        ("*/*", "text/csv", True),
        ("application/json, text/plain;q=0.5", "text/plain; charset=utf-8", True),
        ("Text/*", "text/plain", True),
        ("application/json", "application/*", True),
        ("application/json", "application/problem+json", False),
        ("text/html, application/json; q=0.0", "application/json", False),
    ],
)
def test_accept_is_read_as_http_has_it(accept: str, media_type: str, *, admitted: bool) -> None:
    """Ranges let more than one media type come, and a weight of nothing none."""
    assert wire.admits(accept, media_type) is admitted


@pytest.mark.parametrize(
    ("style", "explode", "value", "query"),
    [
        ("form", True, ["a", "b,c"], "p=a&p=b%2Cc"),
        ("form", False, ["a", "b,c"], "p=a,b%2Cc"),
        ("form", False, ["a", "b"], "p=a%2Cb"),
        ("spaceDelimited", False, ["a", "b"], "p=a%20b"),
        ("pipeDelimited", False, ["a", "b"], "p=a|b"),
        ("pipeDelimited", False, ["a", "b"], "p=a%7Cb"),
        ("deepObject", True, {"x": 1, "y": "z"}, "p%5Bx%5D=1&p[y]=z"),
        ("form", True, {"x": 1, "y": True}, "x=1&y=true"),
        ("form", False, {"x": 1, "y": "z"}, "p=x,1,y,z"),
        ("form", True, "a b+c", "p=a+b%2Bc"),
        ("form", True, 1e30, "p=1e%2B30"),
        ("form", True, [], ""),
        ("form", True, False, "p=false"),
        ("form", True, "", "p="),
    ],
)
def test_a_query_reads_as_what_was_given(style: str, explode: bool, value: Any, query: str) -> None:  # noqa: FBT001
    """Each style has its form on the wire, with some freedom in what is percent-encoded."""
    declared = {"p": parameter(style, explode=explode)}
    assert list(wire.query_problems(declared, {"p": value}, wire.query_pairs(f"/x?{query}"))) == []


@pytest.mark.parametrize(
    ("value", "query"),
    [
        (["a", "b"], "p=a,b"),
        (["a"], "p=a&p=a"),
        (True, "p=True"),
        (1, "p=1.0"),
        ("a", "P=a"),
        ("é", "p=%E9"),
        ("a", ""),
    ],
)
def test_a_query_that_reads_otherwise_is_a_problem(value: Any, query: str) -> None:
    """Another style, spelling, type or encoding is not what was given."""
    problems = list(wire.query_problems({"p": parameter()}, {"p": value}, wire.query_pairs(f"/x?{query}")))
    assert problems[0][0] == "p"


def test_what_is_added_to_a_query_is_a_problem() -> None:
    """A declared parameter that was not given is named, an unknown one is not, since its name is the client's."""
    problems = wire.query_problems({"p": parameter()}, {}, wire.query_pairs("/x?p=1&zzz=2"))
    assert [name for name, _ in problems] == ["p", ""]


def test_the_query_of_a_path_has_to_be_sent() -> None:
    """It counts as no addition, whatever of it is percent-encoded, and what is missing of it is told."""
    found = wire.without_fixed(operation("/x?beta=a b&z"), wire.query_pairs("/x?beta=a%20b&p=1"))
    assert found == ([("p", "1")], ["z="])
    assert wire.path_values(operation("/x/{y}?beta=1"), "", "/x/2?beta=1") == {"y": "2"}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (1, True, [((), Kind.CHANGED)]),
        (1, 1.0, [((), Kind.CHANGED)]),
        ({"a": None}, {}, [(("a",), Kind.MISSING)]),
        ({}, {"a": None}, [(("a",), Kind.ADDED)]),
        ([1, {"b": [2]}], [1, {"b": [3]}], [((1, "b", 0), Kind.CHANGED)]),
        ([1], [1, 2], [((), Kind.CHANGED)]),
        ({"a": "x", "b": [None, 1.5]}, {"b": [None, 1.5], "a": "x"}, []),
    ],
)
def test_json_is_compared_as_json(before: Any, after: Any, found: list[Any]) -> None:
    """Types count, null is not absent, and the order of members is nothing."""
    assert [(difference.place, difference.kind) for difference in differences(before, after)] == found
