"""Every rule of the spec side tells a contract that keeps it from one that does not, and says where."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from judging import Judgement, judge

from contract_tests.__main__ import main
from contract_tests.openapi.document import Contract
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.unsatisfiable import Emptiness
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import Side
from support.contract import CONTRACT, with_paths

Document = dict[str, Any]
RUN = "#/paths/~1workflows~1{workflow_name}~1run/post"

CALLBACK = f"{RUN}/callbacks/workflowFinished/{{$request.body#~1callback_url}}/post/requestBody"


def _nullable(document: Document) -> None:
    document["components"]["schemas"]["Message"]["nullable"] = True


def _invalid_example(document: Document) -> None:
    run = document["paths"]["/workflows/{workflow_name}/run"]["post"]
    run["responses"]["201"]["content"]["application/json"]["examples"]["started"]["value"]["success"] = "yes"


def _invalid_parameter_example(document: Document) -> None:
    document["paths"]["/v1/workflows/{workflow_id}/execute"]["post"]["parameters"][0]["example"] = "UPPER"


def _invalid_callback_example(document: Document) -> None:
    run = document["paths"]["/workflows/{workflow_name}/run"]["post"]
    callback = run["callbacks"]["workflowFinished"]["{$request.body#/callback_url}"]["post"]
    callback["requestBody"]["content"]["application/json"]["examples"]["bareValue"]["value"] = {"final_output": 1}


def _overlapping_one_of(document: Document) -> None:
    content = document["components"]["responses"]["Unprocessable"]["content"]["application/json"]
    content["schema"]["oneOf"] = content["schema"].pop("anyOf")


def _overlap_of_open_objects(document: Document) -> None:
    branches = [{"type": "object", "required": [name], "properties": {name: {"type": "string"}}} for name in "ab"]
    document["components"]["schemas"]["Either"] = {"oneOf": branches}


def _no_overlap(document: Document) -> None:
    _overlap_of_open_objects(document)
    for name, branch in zip("ab", document["components"]["schemas"]["Either"]["oneOf"], strict=True):
        branch["properties"]["kind"] = {"const": name}
        branch["required"] = [name, "kind"]


OPEN = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
CLOSED = {"type": "object", "required": ["b"], "properties": {"b": {}}, "additionalProperties": False}
EMPTY: dict[str, Document] = {
    "limits": {"type": "integer", "minimum": 5, "maximum": 3},
    "ends left out": {"type": "number", "minimum": 3, "exclusiveMaximum": 3},
    "no multiple": {"type": "number", "minimum": 11, "maximum": 19, "multipleOf": 10},
    "no integer": {"type": "integer", "minimum": 0.1, "maximum": 0.9},
    "lengths": {"type": ["string", "array"], "minLength": 2, "maxLength": 1, "minItems": 2, "maxItems": 1},
    "listed values of another type": {"type": "integer", "enum": ["1", "2"]},
    "required and forbidden": {"type": "object", "required": ["a"], "properties": {"a": False}},
    "required and unknown": {**CLOSED, "required": ["a"]},
    "too many required": {"type": "object", "required": ["a", "b"], "maxProperties": 1},
    "allOf that excludes itself": {"allOf": [OPEN, CLOSED]},
    "types that exclude each other": {"allOf": [{"type": "string"}, {"type": "object"}]},
    "no branch": {"type": "string", "anyOf": [{"type": "integer"}, {"enum": [1, None]}]},
    "no end": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/Probe"}}},
    "items that may not be": {"type": "array", "minItems": 1, "items": False},
}
FULL: dict[str, Document] = {
    "limits that meet": {"type": "integer", "minimum": 3, "maximum": 3},
    "limits of another type": {"type": ["string", "integer"], "minimum": 5, "maximum": 3},
    "no type": {"minLength": 2, "maxLength": 1},
    "one multiple": {"type": "number", "minimum": 0.1, "maximum": 0.3, "multipleOf": 0.3},
    "one listed value": {"type": "integer", "enum": ["1", 2]},
    "forbidden": {"type": "object", "properties": {"a": False, "b": {"not": {}}}},
    "known by a pattern": {**CLOSED, "required": ["a"], "patternProperties": {"^a": {}}},
    "open parts": {"allOf": [OPEN, {**OPEN, "required": ["c"]}]},
    "an end": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"anyOf": [{"$ref": "#/components/schemas/Probe"}, {"type": "null"}]}},
    },
    "a branch": {"type": "string", "anyOf": [{"maxLength": 1}, {"type": "string", "minLength": 3}]},
    "exclusion": {"type": "object", "not": {"required": ["a", "b"]}},
    "empty list": {"type": "array", "items": False},
    "beside itself": {"anyOf": [{"$ref": "#/components/schemas/Probe"}, {"type": "null"}]},
}


def _contradiction(document: Document) -> None:
    document["components"]["schemas"]["Probe"] = EMPTY["limits"]


def _circle(document: Document) -> None:
    document["components"]["schemas"]["Loop"] = {"anyOf": [{"$ref": "#/components/schemas/Loop"}, {"type": "null"}]}


def _no_title(document: Document) -> None:
    del document["info"]["title"]


def _body_of_xml(document: Document) -> None:
    execute = document["paths"]["/v1/workflows/{workflow_id}/execute"]["post"]
    content = execute["requestBody"]["content"]
    content["application/xml"] = content.pop("application/json")


def _reference_to_nowhere(document: Document) -> None:
    document["components"]["schemas"]["Unused"] = {"type": "array", "items": {"$ref": "#/components/schemas/None"}}


def _no_schema(document: Document) -> None:
    document["components"]["schemas"]["Message"]["type"] = "text"


def _invalid_default(document: Document) -> None:
    document["components"]["schemas"]["Command"]["default"] = "begin"


def _no_example(document: Document) -> None:
    del document["paths"]["/workflows/{workflow_name}/run"]["post"]["responses"]["202"]["content"]["application/json"][
        "examples"
    ]


def _broken_link(document: Document) -> None:
    document["components"]["links"]["results"]["operationId"] = "getNothing"


def _broken_link_parameter(document: Document) -> None:
    document["components"]["links"]["results"]["parameters"] = {"run": "$response.body#/id"}


def _new_operation(document: Document) -> None:
    document["paths"]["/ping"] = {
        "get": {"operationId": "ping", "tags": ["promptlayer"], "responses": {"204": {"description": "Here."}}}
    }


BREAKS: dict[str, tuple[Callable[[Document], None], str, str]] = {
    "body that a generator leaves out": (_body_of_xml, "SPEC-13", "Endpoint will not be generated"),
    "no title": (_no_title, "SPEC-01", "#/info"),
    "reference to nowhere": (_reference_to_nowhere, "SPEC-01", "#/components/schemas/Unused/items/$ref"),
    "no schema": (_no_schema, "SPEC-02", "#/components/schemas/Message/type"),
    "nullable": (_nullable, "SPEC-03", "#/components/schemas/Message/nullable"),
    "invalid example": (
        _invalid_example,
        "SPEC-04",
        f"{RUN}/responses/201/content/application~1json/examples/started/value/success",
    ),
    "invalid parameter example": (
        _invalid_parameter_example,
        "SPEC-04",
        "#/paths/~1v1~1workflows~1{workflow_id}~1execute/post/parameters/0/example",
    ),
    "invalid callback example": (
        _invalid_callback_example,
        "SPEC-04",
        f"{CALLBACK}/content/application~1json/examples/bareValue/value",
    ),
    "invalid default": (_invalid_default, "SPEC-05", "#/components/schemas/Command/default"),
    "no example": (_no_example, "SPEC-06", f"{RUN}/responses/202/content/application~1json"),
    "overlapping oneOf": (
        _overlapping_one_of,
        "SPEC-07",
        "#/components/responses/Unprocessable/content/application~1json/schema/oneOf",
    ),
    "overlap of open objects": (_overlap_of_open_objects, "SPEC-07", "#/components/schemas/Either/oneOf"),
    "contradiction": (_contradiction, "SPEC-14", "#/components/schemas/Probe"),
    "circle": (_circle, "SPEC-15", "#/components/schemas/Loop: it leads back to itself"),
    "new operation without rules": (_new_operation, "SPEC-08", "#/paths/~1ping/get"),
    "broken link": (_broken_link, "SPEC-09", f"{RUN}/responses/201/links/results"),
    "broken link parameter": (_broken_link_parameter, "SPEC-09", f"{RUN}/responses/201/links/results/parameters/run"),
}


@pytest.fixture(scope="module")
def document() -> Document:
    """The part of the project's own contract that the breaks are in."""
    results = "/workflow-version-execution-results"
    return with_paths(CONTRACT, "/workflows/{workflow_name}/run", "/v1/workflows/{workflow_id}/execute", results)


def _judged(directory: Path, document: Document, *breaks: Callable[[Document], None], rules: str) -> Judgement:
    broken = copy.deepcopy(document)
    for change in breaks:
        change(broken)
    spec = directory / "contract.json"
    spec.write_text(json.dumps(broken), encoding="utf-8")
    return judge(directory / "report", "--side", "spec", "--spec", str(spec), "--seed", "1", "-k", rules)


def test_own_contract_keeps_every_rule(tmp_path: Path) -> None:
    """The project's own contract passes every row of the spec side."""
    judgement = judge(tmp_path, "--side", "spec")

    assert judgement.status == 0
    assert {row["verdict"] for row in judgement.report["results"]} == {"pass"}


@pytest.mark.parametrize("name", BREAKS)
def test_rule_finds_a_broken_contract(name: str, tmp_path: Path, document: Document) -> None:
    """The rule, and no other, reports the break with the JSON pointer of the place."""
    change, rule, pointer = BREAKS[name]
    # SPEC-13 starts a generator, which takes longer than all other rules together.
    judgement = _judged(tmp_path, document, change, rules=rule if rule.endswith("3") else "SPEC-?[!3]")

    # What is no valid document is nothing that a generator can read, either.
    consequences = {"SPEC-01", "SPEC-04", "SPEC-13"} if rule != "SPEC-06" else set()
    assert {found for found, _ in judgement.violations} - consequences | {rule} == {rule}
    received = [row["received"] for row in judgement.report["results"] if row["id"] == rule]
    assert any(pointer in text for text in received), received


def test_three_breaks_are_three_findings(tmp_path: Path, document: Document) -> None:
    """A nullable, an invalid example and an overlap in one contract are each reported, and the run fails."""
    judgement = _judged(tmp_path, document, _nullable, _invalid_example, _overlapping_one_of, rules="SPEC-0[347]")

    assert judgement.status == 1
    assert {"SPEC-03", "SPEC-04", "SPEC-07"} <= {rule for rule, _ in judgement.violations}


def test_overlap_is_proven_by_a_value(tmp_path: Path, document: Document) -> None:
    """The finding shows a value that fits both branches."""
    received = _judged(tmp_path, document, _overlap_of_open_objects, rules="SPEC-07").row("SPEC-07")["received"]

    witness = json.loads(received.split(": ", 1)[1].split(" fits branch", 1)[0])
    assert received.endswith("branch 0 (without a name)")
    assert isinstance(witness["a"], str)
    assert isinstance(witness["b"], str)


def test_branches_that_differ_by_a_word_do_not_overlap(tmp_path: Path, document: Document) -> None:
    """Two open objects with a word each that the other can't have are no finding."""
    assert _judged(tmp_path, document, _no_overlap, rules="SPEC-07").row("SPEC-07")["verdict"] == "pass"


def _is_proven_empty(schema: Document) -> bool:
    return Emptiness(Contract({"components": {"schemas": {"Probe": schema}}})).is_proven("#/components/schemas/Probe")


@pytest.mark.parametrize("name", EMPTY)
def test_contradiction_is_proven(name: str) -> None:
    """What no value fits is proven to be so."""
    assert _is_proven_empty(EMPTY[name])


@pytest.mark.parametrize("name", FULL)
def test_no_contradiction_is_seen_where_none_is(name: str) -> None:
    """What looks like a contradiction and is none is let alone."""
    assert not _is_proven_empty(FULL[name])


PROBE: Document = {"$ref": "#/components/schemas/Probe"}
ROUND: dict[str, Document] = {
    "a branch": {"anyOf": [PROBE]},
    "one of several branches": {"oneOf": [{"type": "string"}, PROBE]},
    "a part": {"allOf": [PROBE], "enum": [1]},
    "an exclusion": {"not": PROBE, "const": 1},
    "a condition": {"if": {"type": "string"}, "then": PROBE, "enum": ["a", 1]},
    "a default": {"anyOf": [PROBE], "default": 3, "examples": ["a"]},
    "a dependency": {"dependentSchemas": {"a": PROBE}, "examples": [{"a": 1}], "enum": [{"a": 1}]},
    "two of them": {"anyOf": [{"$ref": "#/components/schemas/Other"}], "enum": [1, "a"]},
}
STRAIGHT: dict[str, Document] = {
    "the document": {"allOf": [{"$ref": "#"}]},
    "a member": {"type": "object", "properties": {"a": {"anyOf": [PROBE, {"type": "null"}]}}},
    "items": {"type": "array", "items": PROBE},
    "names": {"properties": {"$ref": {"type": "string"}, "allOf": PROBE}},
    "nowhere": {"anyOf": [{"$ref": "#/components/schemas/Nobody/allOf/0"}, {"$ref": "https://x.example/"}]},
}


def _of_probe(schema: Document) -> Document:
    content = {"application/json": {"schema": PROBE, "example": 1}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Probe", "version": "1"},
        "paths": {"/probe": {"get": {"operationId": "probe", "responses": {"200": {"content": content}}}}},
        "components": {"schemas": {"Probe": schema, "Other": {"oneOf": [PROBE]}}},
    }


@pytest.mark.parametrize("name", ROUND)
def test_schema_without_end_is_one_finding_and_no_crash(name: str, tmp_path: Path) -> None:
    """The circle is told once, what it makes undecidable is not judged, and the run comes to its end."""
    judgement = _judged(tmp_path, _of_probe(ROUND[name]), rules="SPEC-?[45]")

    assert judgement.status == 1
    assert judgement.row("SPEC-15")["received"].startswith("at #/components/schemas/Probe: it leads back to itself")
    assert "\n" not in judgement.row("SPEC-15")["received"]
    assert judgement.row("SPEC-04")["verdict"] == "not_exercised"
    assert judgement.row("SPEC-14")["verdict"] == "pass"


@pytest.mark.parametrize("name", STRAIGHT)
def test_schema_that_comes_to_an_end_is_no_circle(name: str) -> None:
    """What leads back to itself for a part of the value, or nowhere, is let alone."""
    circles = ReferenceCycles(Contract(_of_probe(STRAIGHT[name])))

    assert list(circles.all()) == []
    assert circles.is_decidable("#/components/schemas/Probe") == (name != "nowhere")


def test_contract_of_others_is_judged(tmp_path: Path) -> None:
    """A contract that no rule names an operation of is judged by the properties alone."""
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    content = {"application/json": {"schema": schema, "example": {"name": "Rex"}}}
    pets = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {"/pets": {"get": {"responses": {"200": {"description": "All.", "content": content}}}}},
    }
    judgement = _judged(tmp_path, pets, rules="SPEC-0*")

    assert judgement.status == 0
    assert judgement.row("SPEC-04")["operation"] == "GET /pets"
    assert judgement.row("SPEC-08")["verdict"] == "not_applicable"


def test_every_spec_rule_has_a_break() -> None:
    """No rule of the spec side goes without a contract that it catches."""
    assert {rule for _, rule, _ in BREAKS.values()} == {
        rule.id for rule in rules_of_this_package() if rule.side is Side.SPEC
    }


def test_server_is_not_judged_by_a_schema_without_end(
    tmp_path: Path, document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rules need values of every schema: the set-up error names the place, and the rule that tells more."""
    round_one = copy.deepcopy(document)
    _circle(round_one)
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(round_one), encoding="utf-8")
    status = main(["--side", "server", "-k", "PL-RUN-02", "--spec", str(path), "--report-dir", str(tmp_path)])
    told = "".join(capsys.readouterr())

    assert status == 2
    assert "#/components/schemas/Loop leads back to itself for the same value" in told
    assert "see SPEC-15" in told
