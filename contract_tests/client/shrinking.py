"""Replaces a violation that drawn data has shown by one that the smallest such data shows."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.cases.responses import ReplyCase
from contract_tests.client.findings import Findings
from contract_tests.client.trials import ReplyTrial, RequestTrial, Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import NotApplicable, NotExercised, Violation, Violations, shown

Check = Callable[..., None]
LONGEST: Final = 600


class SingleTrial:
    """Trials of which there is one of a kind: what a rule says of that one alone."""

    def __init__(self, trials: Trials, kind: str, trial: RequestTrial | ReplyTrial) -> None:
        self._trials = trials
        setattr(self, kind, lambda _: [trial])

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._trials, name)


def with_smallest_data(check: Check, given: dict[str, Any], found: list[Violation]) -> Iterator[Violation]:
    """Return violations with the smallest drawn request or response that breaks the same constraint, if any does."""
    trials, operation, findings = (given.get(name) for name in ("trials", "operation", "findings"))
    for violation in found:
        data = None
        if isinstance(trials, Trials) and isinstance(operation, Operation) and isinstance(findings, Findings):
            data = _smallest(check, trials, operation, findings, violation)
        yield replace(violation, received=f"{violation.received}; smallest: {data}") if data else violation


def _smallest(
    check: Check, trials: Trials, operation: Operation, findings: Findings, violation: Violation
) -> str | None:
    book, stage = trials.book, trials.stage
    trial = trials.drawn(operation, violation.found_after)
    if trial is None:
        return None
    start, mode = book.start(operation), trial.played.mode

    def is_request_wrong(case: RequestCase) -> bool:
        played = stage.play(case, [book.success(operation)], mode)
        return breaks("legal_requests", RequestTrial(case, played))

    def is_reply_wrong(case: ReplyCase) -> bool:
        return breaks("legal_replies", ReplyTrial(case, stage.play(start, [case.answer], mode)))

    def breaks(kind: str, again: RequestTrial | ReplyTrial) -> bool:
        named = {"trials": SingleTrial(trials, kind, again), "operation": operation, "findings": findings}
        with suppress(NotApplicable, NotExercised):
            try:
                check(**named)
            except Violations as violations:
                return any(one.constraint == violation.constraint for one in violations.found)
        return False

    if isinstance(trial, RequestTrial):
        request = book.smallest_request(operation, is_request_wrong)
        return None if request is None else shown(findings.secrets.mask(_words(request)), LONGEST)
    reply = book.smallest_reply(trial.case, is_reply_wrong)
    return (
        None
        if reply is None
        else shown(findings.secrets.mask(f"{reply.answer.status} {json.dumps(reply.value)}"), LONGEST)
    )


def _words(case: RequestCase) -> str:
    parameters = {**case.path, **case.query, **case.headers, **case.cookies}
    body = "no body" if case.body is ABSENT else f"body {json.dumps(case.body)}"
    return f"{json.dumps(parameters)}, {body}" if parameters else body
