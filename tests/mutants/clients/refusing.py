"""Clients that send what the contract does not allow, or refuse what it allows."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, defect, generated
from mutants.clients.operators import EXECUTE, RESULTS, RUN

OBJECT_ID: Final = '"pattern": "^[0-9a-f]{24}$"'
IN_PATH: Final = f'            schema={{"type": "string", "minLength": 24, "maxLength": 24, {OBJECT_ID}}},'
METADATA: Final = '"metadata": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},'


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _checks_removed()
    yield from _checks_of_keywords_removed()
    yield from _checks_changed()
    yield from _too_strict()


def _checks_removed() -> Iterator[ClientDefect]:
    yield defect(
        "type.unchecked",
        "sends values of any type",
        "type check removed",
        "CL-REF-01",
        generated("schema.py", "if _TYPES[name][1](value):", "if True:"),
    )
    yield defect(
        "type.truth-for-number",
        "sends true where a number belongs",
        "type check removed",
        "CL-REF-01",
        generated(
            "schema.py",
            "lambda v: v.__class__ is int or (",
            "lambda v: isinstance(v, int) or (",
        ),
    )
    yield defect(
        "type.fraction-for-integer",
        "sends a fraction where a whole number belongs",
        "type check removed",
        "CL-REF-01",
        generated(
            "schema.py",
            "(v.__class__ is float and v.is_integer())",
            "v.__class__ is float",
        ),
    )
    yield defect(
        "required.unchecked",
        "asks for results without an execution id",
        "required check removed",
        "CL-REF-05",
        generated("operation.py", "            if parameter.required:\n", "            if False:\n"),
        generated(
            RESULTS,
            "    *,\n    workflow_version_execution_id: int,\n",
            "    *,\n    workflow_version_execution_id: int | Unset = UNSET,\n",
        ),
        generated(
            "api/promptlayer/__init__.py",
            "        workflow_version_execution_id: int,\n",
            "        workflow_version_execution_id: int | Unset = UNSET,\n",
            times=4,
        ),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "refusal.foreign",
        "refuses arguments with an exception that is not its own",
        "error changed",
        "CL-REF-01",
        generated(
            "operation.py",
            'raise self._refusal(problem, "body" if members is None else "", members) from None',
            'raise ValueError("bad argument") from None',
        ),
        generated(
            "operation.py",
            "raise self._refusal(problem, parameter.argument) from None",
            'raise ValueError("bad argument") from None',
        ),
    )
    yield defect(
        "refusal.of-the-encoder",
        "refuses a number that JSON does not have with the exception of Python's own encoder",
        "error changed",
        ("CL-REF-10", "CL-REF-09"),
        generated(
            "types.py",
            'raise Problem("a finite number", received=str(value))',
            'raise ValueError("Out of range float values are not JSON compliant")',
        ),
    )
    yield defect(
        "refusal.assertion",
        "refuses exclusions with an assertion",
        "error changed",
        "CL-REF-06",
        generated("schema.py", "raise problem.under(members) if members else problem", "raise AssertionError"),
    )
    yield defect(
        "body.unchecked",
        "does not look at the body at all",
        "check removed",
        ("CL-REF-01", "CL-REF-02", "CL-REF-06"),
        generated("operation.py", "            _check_body(call, self.body)\n", ""),
    )


def _checks_of_keywords_removed() -> Iterator[ClientDefect]:
    removed: list[tuple[str, str, str, str]] = [
        ("enum", '    "enum": _enum,\n', "CL-REF-02", ""),
        ("pattern", '    "pattern": _pattern,\n', "CL-REF-03", ""),
        (
            "minLength",
            _line("minLength"),
            "CL-REF-03",
            "an empty workflow name is refused as a step in the path, a short id by its pattern",
        ),
        (
            "maxLength",
            _line("maxLength"),
            "CL-REF-03",
            "the only text with a maxLength is an id, refused by its pattern",
        ),
        ("minimum", _line("minimum"), "CL-REF-04", ""),
        (
            "multipleOf",
            '    "multipleOf": _bound(_is_number, _is_multiple, "a multiple of {}"),\n',
            "CL-REF-04",
            _UNUSED,
        ),
        ("format", '    "format": _format,\n', "CL-REF-08", ""),
        ("not", '    "not": _not,\n', "CL-REF-06", ""),
        ("anyOf", '    "anyOf": _any_of,\n', "CL-REF-06", ""),
        ("additionalProperties", '    "additionalProperties": _additional,\n', "CL-REF-01", ""),
        ("minItems", _line("minItems"), "CL-REF-07", ""),
        ("contains", '    "contains": _contains,\n', "CL-REF-07", ""),
        ("items", '    "items": _items,\n', "CL-REF-01", "the only list in a request may hold anything"),
    ]
    for keyword, line, rule, equivalent in removed:
        yield defect(
            f"keyword.{keyword}",
            f"does not look at {keyword}",
            "check removed",
            rule,
            generated("schema.py", line, ""),
            equivalent=equivalent,
        )


_UNUSED: Final = "no request of the contract has this keyword"
_BOUNDS: Final = {
    "minLength": '_bound(_is_text, lambda v, n: len(v) >= n, "a text of at least {} characters")',
    "maxLength": '_bound(_is_text, lambda v, n: len(v) <= n, "a text of at most {} characters")',
    "minimum": '_bound(_is_number, lambda v, n: v >= n, "a number of at least {}")',
    "minItems": '_bound(_is_list, lambda v, n: len(v) >= n, "a list of at least {} items")',
}


def _line(keyword: str) -> str:
    return f'    "{keyword}": {_BOUNDS[keyword]},\n'


def _checks_changed() -> Iterator[ClientDefect]:
    yield defect(
        "id.capitals",
        "sends ids with capital letters",
        "check widened",
        "CL-REF-03",
        generated(EXECUTE, IN_PATH, IN_PATH.replace("a-f", "a-fA-F")),
        operation="executeWorkflow",
    )
    yield defect(
        "id.line-feed",
        "takes a line feed at the end of a text for its end",
        "check widened",
        "CL-REF-03",
        generated("schema.py", 'part.replace("$", r"\\Z")', "part"),
        equivalent="no text whose pattern has an end may hold a line feed, by its maxLength or its format",
    )
    yield defect(
        "version.below-zero",
        "sends the version -1",
        "limit moved",
        "CL-REF-04",
        generated(EXECUTE, '"minimum": 0}', '"minimum": -1}'),
        operation="executeWorkflow",
    )
    yield defect(
        "metadata.any-value",
        "sends metadata that is no text",
        "type check removed",
        "CL-REF-01",
        generated(RUN, METADATA, METADATA.replace('{"type": "string"}', "True")),
        operation="runWorkflow",
    )
    yield defect(
        "command.any-case",
        "sends commands in capital letters",
        "check widened",
        "CL-REF-02",
        generated("schema.py", "if not any(_same(value, word) for word in argument):", _ANY_CASE),
        operation="executeWorkflow",
    )
    yield defect(
        "address.relative",
        "sends a callback address that is none",
        "check widened",
        "CL-REF-08",
        generated(RUN, '"format": "uri",\n', ""),
        operation="runWorkflow",
    )


_ANY_CASE: Final = "if not any(_same(str(value).lower(), word) for word in argument):"


def _too_strict() -> Iterator[ClientDefect]:
    yield defect(
        "name.ascii",
        "refuses workflow names that are not ASCII",
        "check added",
        "CL-REQ-01",
        generated(RUN, '{"type": "string", "minLength": 1}', '{"type": "string", "pattern": "^[ -~]+$"}'),
        operation="runWorkflow",
    )
    yield defect(
        "version.above-zero",
        "refuses the version 0",
        "limit moved",
        "CL-REQ-01",
        generated(EXECUTE, '"minimum": 0}', '"minimum": 1}'),
        operation="executeWorkflow",
    )
    yield defect(
        "label.with-null",
        "refuses a label beside a version that is null",
        "check added",
        "CL-REQ-01",
        generated(RUN, '                    "workflow_version_number": {"type": "integer"},\n', ""),
        operation="runWorkflow",
    )
    yield defect(
        "callback.null",
        "refuses null for the callback address",
        "check added",
        "CL-REQ-01",
        generated(RUN, '"type": ["string", "null"],\n', '"type": "string",\n'),
        operation="runWorkflow",
    )
