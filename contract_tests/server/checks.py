"""What is wrong with the body of a response: by the contract, and in an error body."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from contract_tests.openapi.document import Contract, split
from contract_tests.openapi.validation import Problem
from contract_tests.rules import Violation, Wrong
from contract_tests.server.models.exchange import Exchange

WHOLE: Final = ""  # in place of a property: the body itself
DENIED: Final = (401, 403)
DETAIL: Final = {"loc": list, "msg": str, "type": str}  # properties of an entry that a framework's own refusal has


def body_problems(contract: Contract, exchange: Exchange) -> Iterator[tuple[Problem, Violation]]:
    """Return what the contract has against a JSON body whose status and media type it knows."""
    media = exchange.media
    if media is None or media.schema is None:
        return
    for problem in contract.problems(exchange.json, media.schema):
        received = f"at {problem.at or '/'}: {exchange.bounded(problem.message, 160)}"
        documented = f"The body fits {media.schema}, which states {problem.constraint}."
        yield problem, exchange.violation(problem.constraint, received, documented=documented, wrong=Wrong.BODY)


def member_problems(contract: Contract, exchange: Exchange, *members: str) -> list[Violation]:
    """Return what the contract has against these properties of a JSON object, missing ones too; the rule says why."""
    return [
        replace(violation, documented="", evidence=None)
        for problem, violation in body_problems(contract, exchange)
        if _member_of(contract, problem) in members
    ]


def _member_of(contract: Contract, problem: Problem) -> str:
    if problem.at:
        return split(problem.at)[0]
    tokens = split(problem.constraint)
    return str(contract.at(problem.constraint)) if "required" in tokens[-2:-1] else WHOLE


def explanation_problems(reply: Exchange) -> Iterator[Violation]:
    """Return what keeps an error body from saying why."""
    body = reply.json
    if not isinstance(body, dict):
        return  # which the schema says already
    told = [body[name] for name in ("message", "error", "detail") if body.get(name)]
    if not told:
        yield reply.violation("message, error or detail")
    detail = body.get("detail")
    for entry in detail if isinstance(detail, list) else ():
        for name, type_ in DETAIL.items():
            if not isinstance(entry, dict) or not isinstance(entry.get(name), type_):
                yield reply.violation(f"detail member {name}")
