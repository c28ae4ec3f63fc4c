"""The contract as a document."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from jsonschema_rs import Draft202012Validator

from contract_tests.openapi.document import Contract, Operation, join
from contract_tests.openapi.offline import offline
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.schema import all_schemas
from contract_tests.openapi.validation import encodable
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import (
    DOCUMENT,
    EVERY_OPERATION,
    Checks,
    NotApplicable,
    NotExercised,
    Side,
    Violation,
    expect,
    shown,
)
from contract_tests.rules import rule as card
from workflow_contract.places import at, objects

OAS = "https://spec.openapis.org/oas/v3.1.0"
JSON_SCHEMA = "https://json-schema.org/draft/2020-12"
rule: Final = partial(card, basis="documented", operations=DOCUMENT, side="spec")


@rule(
    "SPEC-01",
    "The contract is a valid OpenAPI 3.1 document.",
    says="Every object of the document has the fields that the specification requires.",
    source=OAS,
)
def test_document_is_valid(contract: Contract) -> Checks:
    # Half a second to import, in a process that most often judges something else.
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415

    circle = next(ReferenceCycles(contract).all(), None)
    if circle is not None:
        raise NotExercised(f"not decidable, since {circle[0]} leads back to itself, see SPEC-15")
    nowhere = [*_references_to_nowhere(contract)]
    errors = [] if nowhere else OpenAPIV31SpecValidator(offline(contract.document)).iter_errors()
    return [
        *nowhere,
        *_misread(contract, "content", "operationId", "parameters"),
        *(_at(join("#", *error.absolute_path), error.message) for error in errors),
    ]


def _references_to_nowhere(contract: Contract) -> Iterator[Violation]:
    for place in objects(contract.document):
        reference = place.value.get("$ref")
        try:
            at(contract.document, reference if isinstance(reference, str) else "#")
        except KeyError:
            yield _at(join(place.pointer, "$ref"), f"nothing stands at {reference}")


@rule(
    "SPEC-02",
    "Every schema is valid under strict JSON Schema 2020-12.",
    says="A schema object of OpenAPI 3.1 is a JSON Schema of draft 2020-12.",
    source=f"{JSON_SCHEMA}/schema",
)
def test_schemas_are_valid(contract: Contract) -> Checks:
    meta = Draft202012Validator({"$ref": f"{JSON_SCHEMA}/schema"}, offline=True)
    errors = (
        _at(join(pointer, *error.instance_path), error.message)
        for pointer, schema in all_schemas(contract.document)
        for error in meta.iter_errors(encodable(schema))
    )
    return [*_misread(contract, "enum", "required"), *errors]


@rule(
    "SPEC-03",
    "No schema uses a keyword that only OpenAPI 3.0 knows.",
    says="3.1 has no `nullable`: null is a type, and a validator ignores the old keyword.",
    source=f"{OAS}#schema-object",
)
def test_no_keyword_of_3_0(contract: Contract) -> Checks:
    return _misread(contract, "nullable")


@rule(
    "SPEC-08",
    "Every operation is named by a rule of the server side.",
    says="Property tests hold for any operation. What no schema can say about one operation needs a rule of its own.",
    source="this project",
    basis="inferred",
    operations=EVERY_OPERATION,
)
def test_operation_has_rules(contract: Contract, operation: Operation) -> None:
    named = {name for one in rules_of_this_package() if one.side is Side.SERVER for name in one.operations}
    if not named & {one.id for one in contract.operations}:
        raise NotApplicable("no rule names any operation of this contract")
    expect(operation.id in named, "rules", received=f"no rule names {operation.id} ({operation.pointer})")


@rule(
    "SPEC-09",
    "A link leads to an operation and to parameters that exist.",
    says="A link names an operation of the document, and its parameters are parameters of that operation.",
    source=f"{OAS}#link-object",
    operations=EVERY_OPERATION,
)
def test_links_lead_somewhere(contract: Contract, operation: Operation) -> Checks:
    return _broken_links(contract, operation)


def _misread(contract: Contract, *keywords: str) -> Iterator[Violation]:
    """Say where something was written that was read as its author meant it."""
    for remark in contract.remarks:
        if remark.keyword in keywords:
            yield _at(join(remark.pointer, remark.keyword), remark.words)


def _at(pointer: str, message: str) -> Violation:
    return Violation(received=f"at {pointer}: {shown(message)}", constraint=pointer)


def _broken_links(contract: Contract, operation: Operation) -> Iterator[Violation]:
    for response in operation.responses.values():
        for name, link in response.links.items():
            pointer = join(response.pointer, "links", name)
            aim = _aim(contract, link)
            if aim is None:
                yield _at(pointer, f"there is no operation {link.get('operationId') or link.get('operationRef')!r}")
                continue
            known = {parameter.name for parameter in aim.parameters}
            known |= {f"{parameter.location}.{parameter.name}" for parameter in aim.parameters}
            for parameter in sorted(set(link.get("parameters", {})) - known):
                yield _at(join(pointer, "parameters", parameter), f"{aim.id} has no parameter {parameter}")


def _aim(contract: Contract, link: Any) -> Operation | None:
    reference = str(link.get("operationRef", "")).removeprefix(contract.source)
    for operation in contract.operations:
        if operation.id == link.get("operationId") or (reference and operation.pointer == reference):
            return operation
    return None
