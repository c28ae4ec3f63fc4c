"""
Writes ``docs/contract.md`` from the contract: ``python -m contract_tests.runner.contract_page [--check] [FILE]``.

It has each operation with its sources, where they disagree and which one is followed, and what none of them says.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contract_tests.openapi.document import Contract, Operation
from contract_tests.report.generated_page import write_or_check
from contract_tests.runner.command_line import default_spec

DEFAULT: Final = Path(__file__).resolve().parents[2] / "docs" / "contract.md"
COMMAND: Final = "python -m contract_tests.runner.contract_page"
OPENING: Final = f"""\
<!-- Generated from openapi.yaml; do not edit. Rebuild with: {COMMAND} -->

# The contract

`openapi.yaml` describes both APIs as far as a source does. *Documented* is what a page of the vendor says, *recorded*
what a server was seen to do, *inferred* what follows from either. What no source says is left open. "Sent again" tells
what the client does when it can't know whether a request has acted.
"""


def page() -> str:
    """Return the text of the page."""
    contract = Contract.load(default_spec())
    parts = [OPENING, *_unknowns("Unknown of both", contract.document["info"].get("x-unknown", ()))]
    for operation in (*contract.operations, *contract.webhooks):
        parts += _operation(operation, contract.at(operation.pointer))
    return "\n".join(parts)


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; return the exit status."""
    return write_or_check(page, DEFAULT, COMMAND, arguments)


def _operation(operation: Operation, stated: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {operation.id}\n"
    again = "yes" if operation.may_be_repeated else "only if it was not received"
    forms = " The form of the request decides that of the response." if operation.has_same_form else ""
    yield f"`{operation.method} {operation.path}`. {stated['summary']} Sent again: {again}.{forms}\n"
    yield "\n".join(f"- {source['page']} ({source['basis']})" for source in stated.get("x-sources", ())) + "\n"
    disagreements = stated.get("x-disagreements", ())
    if disagreements:
        yield "| sources disagree about | followed is | because |\n| --- | --- | --- |"
        yield "\n".join(f"| {one['about']} | {one['follows']} | {one['because']} |" for one in disagreements) + "\n"
    yield from _unknowns("Unknown", stated.get("x-unknown", ()))


def _unknowns(title: str, unknown: Iterable[str]) -> Iterator[str]:
    texts = list(unknown)
    if texts:
        yield f"{title}: {'; '.join(texts)}.\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
