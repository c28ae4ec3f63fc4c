"""The contract as data: operations, pointers, strict verdicts, generated and broken requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from schemathesis.transport.serialization import Binary

from contract_tests.budget import BATCH, Budget
from contract_tests.cases.generation import Generator, RequestCase, request_problems
from contract_tests.cases.negative import with_sole_violation
from contract_tests.http.parameters import encode_path, encode_query
from contract_tests.openapi.document import Contract
from contract_tests.rules import SetUpError
from contract_tests.runner.command_line import default_spec


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The project's own contract."""
    return Contract.load(default_spec())


@pytest.fixture
def generator(contract: Contract) -> Generator:
    """A small and reproducible source of data."""
    return Generator(contract, random_seed=1, budget=Budget(cases=15))


def of_parameter(parameter: dict[str, Any], path: str = "/things") -> Contract:
    """A contract with one operation that has this parameter."""
    operation = {"operationId": "find", "parameters": [parameter], "responses": {"200": {"description": "Found."}}}
    info = {"title": "Things", "version": "1"}
    return Contract({"openapi": "3.1.0", "info": info, "paths": {path: {"get": operation}}})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "swagger: 2.0\npaths: {}", "no OpenAPI document of version 3.0 or 3.1"),
        ("a.yaml", "a: [", "neither YAML nor JSON"),
        ("a.json", "[]", "no OpenAPI document of version 3.0 or 3.1"),
        ("a.yaml", "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{$ref: '#/no'}]}}}", "nothing stands at #/no"),
        ("a.yaml", "openapi: 3.1.0\npaths: {/a: {$ref: 'other.yaml'}}", "leads out of the document"),
        ("a.yaml", "openapi: 3.1.0\npaths: {/a: {$ref: '#/paths/~1a'}}", "'#/paths/~1a' leads back to itself"),
        ("a.yaml", "openapi: 3.1.0\npaths: {/a: {get: 7}}", "is no OpenAPI document"),
    ],
)
def test_unreadable_contract_is_one_line(name: str, text: str, words: str, tmp_path: Path) -> None:
    """What is no contract is refused with the file and the reason."""
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(SetUpError, match=words) as refusal:
        Contract.load(path)
    assert "\n" not in str(refusal.value)


def test_yaml_has_the_types_of_json(tmp_path: Path) -> None:
    """Dates and words like `on` stay text, statuses without quotes are names, 1e3 is a number."""
    path = tmp_path / "contract.yaml"
    path.write_text(
        "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {description: on}}}}}\n"
        "x-values: [2020-01-01, off, 1e3, ~, 012, true]\n"
    )
    contract = Contract.load(path)

    assert list(contract.operations[0].responses) == ["200"]
    assert contract.document["x-values"] == ["2020-01-01", "off", 1000.0, None, 12, True]
    assert contract.at("#/paths/~1a/get/responses/200/description") == "on"


def test_operation_is_read_in_full(contract: Contract) -> None:
    """Service, servers, security, references and callbacks of an operation are there."""
    run = contract.operation("runWorkflow")

    assert (run.method, run.path, run.service) == ("POST", "/workflows/{workflow_name}/run", "promptlayer")
    assert run.servers == ("https://api.promptlayer.com",)
    assert run.security == (("promptLayerKey",),)
    assert run.responses["422"].pointer == "#/components/responses/Unprocessable"
    called = run.callbacks["workflowFinished"]["{$request.body#/callback_url}"][0]
    assert called.method == "POST"
    assert run.response(418) is None


def test_problem_names_both_places(contract: Contract) -> None:
    """A problem has the pointer of the value and, through references, the pointer of the keyword."""
    schema = contract.operation("runWorkflow").responses["201"].media["application/json"].schema
    assert schema is not None
    problems = contract.problems({"success": "yes", "warning": 1, "workflow_version_execution_id": 2**70}, schema)

    assert {(problem.at, problem.constraint) for problem in problems} == {
        ("", "#/components/schemas/RunCreated/required/1"),
        ("/success", "#/components/schemas/Success/type"),
        ("/warning", "#/components/schemas/Warning/type"),
        ("/workflow_version_execution_id", "#/components/schemas/ExecutionId/format"),
    }


def test_bytes_behind_the_first_problem_are_judged() -> None:
    """A file's bytes, as schemathesis draws them, are a text wherever they stand."""
    document = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": {}}
    schemas = {"Two": {"properties": {"first": {"type": "integer"}, "second": {"type": "string"}}}}
    contract = Contract({**document, "components": {"schemas": schemas}})
    problems = contract.problems({"first": "1", "second": Binary(b"\xff")}, "#/components/schemas/Two")
    assert [problem.at for problem in problems] == ["/first"]


def test_problem_inside_an_empty_name_has_its_place(contract: Contract) -> None:
    """An empty name is a name: a node of a patch may have it, and what is wrong with that node stands below it."""
    schema = contract.operation("patchWorkflow").body.media["application/json"].schema
    body = {"nodes": {"": {"node_type": 5, "configuration": {}}}}
    assert [problem.at for problem in contract.problems(body, schema)] == ["/nodes//node_type"]


@pytest.mark.parametrize("value", ["http:// host/", "http://host:port/", "http://a b/", "http://x/%zz"])
def test_format_of_a_uri_is_checked(value: str, contract: Contract) -> None:
    """What is no URI breaks the format, and only where formats are asked for."""
    schema = "#/components/schemas/RunWorkflow/properties/callback_url"

    assert contract.problems("https://x.example/a?b=c#d", schema) == []
    assert [problem.constraint for problem in contract.problems(value, schema)] == [f"{schema}/format"]
    assert contract.is_valid(value, schema, formats=False)


def test_same_seed_same_cases(contract: Contract) -> None:
    """Cases depend on seed and operation alone, not on what was asked before."""

    def drawn(seed: int) -> list[str]:
        generator = Generator(contract, random_seed=seed, budget=Budget(cases=10))
        return [repr(case) for case in generator.requests(contract.operation("executeWorkflow"))]

    first = drawn(1)
    drawn(3)
    assert first == drawn(1)
    assert first != drawn(2)


@pytest.mark.parametrize("name", ["runWorkflow", "listWorkflows", "getWorkflow", "patchWorkflow"])
def test_generated_requests_are_what_they_say(name: str, contract: Contract, generator: Generator) -> None:
    """Legal requests break nothing, broken ones the constraint that they name, and what follows from a wrong type."""
    operation = contract.operation(name)
    legal = list(generator.requests(operation))
    broken = list(generator.broken_requests(operation))

    assert legal
    assert all(not request_problems(contract, case) for case in legal)
    assert broken
    for case in broken:
        assert case.breach is not None
        problems = request_problems(contract, case)
        schema = case.breach.constraint.rpartition("/")[0]
        assert case.breach in problems
        assert {(one.at, one.constraint.rpartition("/")[0]) for one in problems} == {(case.breach.at, schema)}
        assert len(problems) == 1 or case.breach.constraint.endswith("/type")


def test_breaches_reach_every_member(contract: Contract, generator: Generator) -> None:
    """A request is made for each member's type and each required part."""
    breaches = generator.breaches(contract.operation("runWorkflow"))
    seen = {case.breach.constraint for case in breaches if case.breach is not None}
    members = contract.at("#/components/schemas/RunWorkflow/properties")

    types = {f"#/components/schemas/RunWorkflow/properties/{name}/type" for name in members}
    assert (
        types
        | {
            "#/components/schemas/RunWorkflow/not",
            "#/components/schemas/RunWorkflow/properties/metadata/additionalProperties/type",
            "#/components/schemas/RunWorkflow/properties/callback_url/format",
            "#/paths/~1workflows~1{workflow_name}~1run/post/requestBody/required",
        }
        <= seen
    )


def _breaches(contract: Contract) -> list[RequestCase]:
    generator = Generator(contract, random_seed=1, budget=Budget(cases=15))
    return list(generator.breaches(contract.operations[0]))


def test_text_that_may_be_read_leniently_is_no_breach() -> None:
    """A parameter has no types on the wire: what some reader takes for a legal value proves nothing."""
    parameter = {"name": "flag", "in": "query", "schema": {"type": "boolean"}, "example": True}
    contract = of_parameter(parameter)
    sent = [case.query["flag"] for case in _breaches(contract)]

    assert sent
    assert not {str(value).lower() for value in sent} & {"0", "1", "yes", "no", "on", "off", ""}


@pytest.mark.parametrize("value", [{"x": 1}, {}, [], ["x", "7"], "7", "1_0", " 7", "7.0"])
def test_value_that_may_get_lost_on_the_wire_is_no_breach(value: Any) -> None:
    """What stands on the wire as another parameter, as nothing, or beside a legal value need not be refused."""
    contract = of_parameter({"name": "n", "in": "query", "schema": {"type": "integer", "minimum": 5}})
    operation = contract.operations[0]

    assert with_sole_violation(contract, RequestCase(operation, query={"n": value})) is None
    assert with_sole_violation(contract, RequestCase(operation, query={"n": ["x", "y"]})) is not None
    assert with_sole_violation(contract, RequestCase(operation, query={"n": "x"})) is not None


@pytest.mark.parametrize(
    ("parameter", "value", "query"),
    [
        ({"schema": {"type": "boolean"}}, True, "?q=true"),
        ({"schema": {"type": "string"}}, "a b&c/é", "?q=a%20b%26c%2F%C3%A9"),
        ({"schema": {"type": "array"}}, ["a", "b,c"], "?q=a&q=b%2Cc"),
        ({"schema": {"type": "array"}, "explode": False}, ["a", "b,c"], "?q=a,b%2Cc"),
        ({"schema": {"type": "array"}, "style": "pipeDelimited", "explode": False}, ["a", "b"], "?q=a|b"),
        ({"schema": {"type": "array"}, "style": "spaceDelimited", "explode": False}, ["a", "b"], "?q=a%20b"),
        ({"schema": {"type": "object"}}, {"a": 1, "b": "x"}, "?a=1&b=x"),
        ({"schema": {"type": "object"}, "explode": False}, {"a": 1, "b": "x"}, "?q=a,1,b,x"),
        ({"schema": {"type": "object"}, "style": "deepObject"}, {"a": 1}, "?q%5Ba%5D=1"),
    ],
)
def test_query_styles(parameter: dict[str, Any], value: Any, query: str) -> None:
    """Every style of a query parameter stands on the wire as OpenAPI says."""
    operation = of_parameter({"name": "q", "in": "query", **parameter}).operations[0]

    assert encode_query(operation, {"q": value}) == query


@pytest.mark.parametrize(
    ("value", "path"), [("a/b?c", "/t/a%2Fb%3Fc/x"), ("..", "/t/%2E%2E/x"), ("é ", "/t/%C3%A9%20/x")]
)
def test_path_value_is_one_segment(value: str, path: str) -> None:
    """Nothing in a path value ends or shifts its segment."""
    parameter = {"name": "p", "in": "path", "required": True, "schema": {"type": "string"}}

    assert encode_path(of_parameter(parameter, "/t/{p}/x").operations[0], {"p": value}) == path


def test_budget_in_seconds_is_shared() -> None:
    """A budget in seconds gives every row at least one batch, and no row more than its share of what is left."""
    times = iter([0.0, 0.0, 0.0, 3.0, 6.0])
    budget = Budget(cases=None, seconds=10, rows_left=2, clock=lambda: next(times))
    budget.start()

    assert list(budget.batches()) == [BATCH, BATCH]


def test_budget_in_cases_is_a_number() -> None:
    """The words quick and nightly stand for numbers of cases."""
    assert list(Budget.parse("quick").batches()) == [20]
    assert list(Budget.parse("nightly").batches()) == [500]
    of_many = [list(Budget.parse(name).for_operations(41).batches()) for name in ("quick", "nightly")]
    assert (of_many, list(Budget.parse("quick").for_operations(40).batches())) == ([[10], [500]], [20])


def test_own_contract_is_json_too(contract: Contract, tmp_path: Path) -> None:
    """The same contract written as JSON has the same operations."""
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(contract.document))

    assert Contract.load(path).operations == contract.operations


def test_what_reads_like_its_type_comes_last_and_says_so(contract: Contract, generator: Generator) -> None:
    """A text of digits for a number, null for nothing: such breaches are marked, and sent after the plain ones."""
    breaches = list(generator.breaches(contract.operation("runWorkflow")))
    marks = [case.is_coercible for case in breaches]
    numbers = [
        case.body["workflow_version_number"]
        for case in breaches
        if case.is_coercible and case.breach is not None and case.breach.at == "/workflow_version_number"
    ]

    assert marks == sorted(marks)
    assert {type(value) for value in numbers} == {bool, str}
    assert not any(isinstance(value, float) for value in numbers)


def test_schemas_may_be_plain_true_or_false() -> None:
    """They are legal wherever a schema is, and what beside them states a type is broken all the same."""
    properties = {
        "any": True,
        "none": False,
        "kind": {"anyOf": [True, {"type": "string", "pattern": "^a$", "minLength": 1}]},
        "row": {"type": "array", "items": True},
        "map": {"type": "object", "additionalProperties": True},
        "inside": {"type": "object", "properties": {"any": True}},
        "but": {"not": False},
    }
    contract = of_parameter({"name": "a", "in": "query", "schema": True, "example": 1})
    operation = contract.document["paths"]["/things"]["get"]
    schema = {"type": "object", "required": ["any"], "properties": properties}
    content = {"application/json": {"schema": schema, "example": {"any": 1}}}
    operation["requestBody"] = {"required": True, "content": content}
    contract = Contract(contract.document)
    cases = _breaches(contract)

    assert {case.breach.at for case in cases if case.breach} >= {"/row", "/map", "/inside"}
    assert any(isinstance(case.body, dict) and "none" in case.body for case in cases)


def test_a_body_of_several_forms_is_broken_member_by_member() -> None:
    """One member of one form, and what is no JSON at all: not only the body as a whole."""
    forms = [
        {"type": "object", "properties": {"count": {"type": "integer"}, "name": {"type": "string", "maxLength": 3}}},
        {"type": "object", "properties": {"turn": {"type": "object"}}, "required": ["turn"]},
    ]
    forms[0]["additionalProperties"] = forms[1]["additionalProperties"] = False
    media = {"schema": {"oneOf": forms}, "example": {"count": 1, "name": "a"}}
    operation = {
        "operationId": "add",
        "requestBody": {"required": True, "content": {"application/json": media}},
        "responses": {"200": {"description": "Added."}},
    }
    info = {"title": "Things", "version": "1"}
    contract = Contract({"openapi": "3.1.0", "info": info, "paths": {"/things": {"post": operation}}})

    generator = Generator(contract, random_seed=1, budget=Budget(cases=15))
    broken = [*generator.breaches(contract.operation("add"))]

    assert any(isinstance(one.body, bytes) for one in broken)
    assert {"count": "7", "name": "a"} in [one.body for one in broken if one.is_coercible]
    assert any(isinstance(one.body, dict) and len(str(one.body.get("name"))) > 3 for one in broken)
    assert any(isinstance(one.body, dict) and "turn" in one.body for one in broken)
