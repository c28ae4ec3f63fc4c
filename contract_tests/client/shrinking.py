"""Finds the smallest drawn data that breaks the same constraint as the data that has shown a violation."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import copy

from contract_tests.cases.case import ABSENT, RequestCase
from contract_tests.cases.responses import ReplyCase
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.rules import NotApplicable, NotExercised, Violation, Violations


def smallest_data(check: Callable[..., None], trials: Trials, violation: Violation) -> str | None:
    """Return the smallest drawn request or response that breaks the same constraint, in words; None if none does."""
    trial, book = trials.drawn(violation.found_after), trials.book
    if trial is None:
        return None
    mode = trial.mode

    def is_request_wrong(case: RequestCase) -> bool:
        return breaks("legal_requests", trials.session.play(case, case, [trials.success_for(case)], mode))

    def is_reply_wrong(case: ReplyCase) -> bool:
        return breaks("legal_replies", trials.session.play(case, trials.start_for(case), [case.answer], mode))

    def breaks(kind: str, again: Trial[RequestCase] | Trial[ReplyCase]) -> bool:
        with suppress(NotApplicable, NotExercised):
            try:
                check(trials=_with_single(trials, kind, again))
            except Violations as violations:
                return any(one.constraint == violation.constraint for one in violations.found)
        return False

    if isinstance(trial.case, RequestCase):
        request = book.smallest_request(trials.operation, is_request_wrong)
        return None if request is None else _words(request)
    reply = book.smallest_reply(trial.case, is_reply_wrong)
    return None if reply is None else f"{reply.answer.status} {json.dumps(reply.value)}"


def _with_single(trials: Trials, kind: str, trial: Trial[RequestCase] | Trial[ReplyCase]) -> Trials:
    """Return the same trials, but of one kind this one alone: what a rule says of it."""
    single = copy(trials)
    vars(single)["_kept"] = {**vars(trials)["_kept"], (kind,): [trial]}
    return single


def _words(case: RequestCase) -> str:
    parameters = {**case.path, **case.query, **case.headers, **case.cookies}
    body = "no body" if case.body is ABSENT else f"body {json.dumps(case.body)}"
    return f"{json.dumps(parameters)}, {body}" if parameters else body
