"""Requests and responses of one form, where the contract says by ``x-same-form`` that the one decides the other."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from contract_tests.cases.case import RequestCase
from contract_tests.cases.responses import ReplyCase
from contract_tests.http.body_kinds import request_media
from contract_tests.openapi.document import Contract
from contract_tests.openapi.schema import branches


def request_form(contract: Contract, case: RequestCase) -> int | None:
    """Return which alternative of its schema a request has, by number; None if that decides nothing."""
    media = request_media(case.operation)
    if not case.operation.has_same_form or media is None or media.schema is None or not case.has_body:
        return None
    return next(_forms(contract, media.schema, case.body), None)


def reply_form(contract: Contract, case: ReplyCase) -> int | None:
    """Return which alternative a success has or, if it is a broken one, was to have; None if that can't be told."""
    if not (case.is_success and case.schema and case.has_value):
        return None
    broken = case.problem.constraint if case.problem else ""
    return next(_forms(contract, case.schema, case.value, broken), None)


def starts_by_form(contract: Contract, start: RequestCase) -> dict[int | None, RequestCase]:
    """Return a small legal request of each form: the start, and with other examples as its body those of the others."""
    media = request_media(start.operation)
    examples = media.examples if media is not None and start.operation.has_same_form else ()
    cases = [start, *(replace(start, body=example.value) for example in examples)]
    return {request_form(contract, case): case for case in reversed(cases)}


def successes_of(contract: Contract, form: int | None, replies: Iterable[ReplyCase]) -> Iterator[ReplyCase]:
    """Return the successes of a form; all of them if there is none."""
    return (one for one in replies if one.is_success and form in {None, reply_form(contract, one)})


def _forms(contract: Contract, schema: str, value: Any, broken: str = "") -> Iterator[int]:
    forms = [contract.follow(form) for form in branches(contract, contract.follow(schema), ("oneOf",))]
    yield from (number for number, form in enumerate(forms) if contract.is_valid(value, form))
    yield from (number for number, form in enumerate(forms) if broken.startswith(f"{form}/"))
