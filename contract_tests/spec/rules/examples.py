"""The contract's examples."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from contract_tests.openapi.document import Contract, Example, Media, Operation, join
from contract_tests.openapi.reference_cycles import ReferenceCycles
from contract_tests.openapi.schema import all_schemas
from contract_tests.rules import DOCUMENT, EVERY_OPERATION, Checks, Violation, report_all, shown
from contract_tests.rules import rule as card

OAS = "https://spec.openapis.org/oas/v3.1.0"
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/json-schema-validation"
rule: Final = partial(card, operations=EVERY_OPERATION, side="spec")


def judge(contract: Contract, examples: Iterator[tuple[Example, str]]) -> None:
    """Demand that each example fits its schema; raises NotExercised for those that no validator can judge."""
    circles = ReferenceCycles(contract)
    report_all(_invalid(contract, examples, circles))
    circles.report()


@rule(
    "SPEC-04",
    "Every example of an operation is valid against its schema.",
    says="An example of a parameter, a request, a response or a callback matches the schema beside it.",
    source=f"{OAS}#media-type-object",
    basis="documented",
)
def test_examples_are_valid(contract: Contract, operation: Operation) -> None:
    judge(contract, _examples(operation))


@rule(
    "SPEC-05",
    "Every example and default inside a schema is valid against that schema.",
    says="examples and default of a schema are values that the schema describes.",
    source=f"{JSON_SCHEMA}#section-9",
    basis="documented",
    operations=DOCUMENT,
)
def test_examples_of_schemas_are_valid(contract: Contract) -> None:
    judge(contract, _of_schemas(contract))


@rule(
    "SPEC-06",
    "Every operation and every documented status with a body has an example.",
    says="An example shows readers what the schema means, and tests what to send and expect.",
    source="this project",
    basis="inferred",
)
def test_everything_has_an_example(operation: Operation) -> Checks:
    lacking = [media.pointer for media in _bodies(operation) if not media.examples]
    lacking += [one.pointer for one in operation.parameters if one.required and not one.examples]
    return (Violation(received=f"at {pointer}: there is no example", constraint=pointer) for pointer in lacking)


def _invalid(
    contract: Contract, examples: Iterator[tuple[Example, str]], circles: ReferenceCycles
) -> Iterator[Violation]:
    for example, schema in examples:
        if not circles.is_decidable(schema):
            continue
        for problem in contract.problems(example.value, schema):
            yield Violation(
                received=f"at {example.pointer}{problem.at}: {shown(problem.message)}",
                constraint=f"{example.pointer} {problem.constraint}",
                documented=f"The example fits {schema}.",
            )


def _examples(operation: Operation) -> Iterator[tuple[Example, str]]:
    for parameter in operation.parameters:
        yield from ((example, parameter.schema) for example in parameter.examples if parameter.schema)
    for media in _bodies(operation):
        yield from ((example, media.schema) for example in media.examples if media.schema)


def _bodies(operation: Operation) -> Iterator[Media]:
    if operation.body:
        yield from operation.body.media.values()
    for response in operation.responses.values():
        yield from response.media.values()
    for expressions in operation.callbacks.values():
        for called in expressions.values():
            for one in called:
                yield from _bodies(one)


def _of_schemas(contract: Contract) -> Iterator[tuple[Example, str]]:
    for pointer, schema in all_schemas(contract.document):
        if not isinstance(schema, dict):
            continue
        listed: Any = schema.get("examples")
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            yield Example(join(pointer, "examples", index), value), pointer
        for keyword in ("example", "default"):
            if keyword in schema:
                yield Example(join(pointer, keyword), schema[keyword]), pointer
