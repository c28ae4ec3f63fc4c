"""Judges a client by one rule after another."""

import os
import shlex
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature

from contract_tests.cases.case_book import CaseBook
from contract_tests.client.selection import PYTHON_VARIABLE
from contract_tests.client.session import ClientSession
from contract_tests.client.subject import Subject
from contract_tests.client.subject_process import Choice
from contract_tests.client.trials import ClientTrials
from contract_tests.coverage import Coverage
from contract_tests.http.recording_server import RecordingServer
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Operation
from contract_tests.options import Options
from contract_tests.rules import Side, Violation, Violations, rule_of, shown

Check = Callable[..., None]


@contextmanager
def open_client(
    choice: Choice, book: CaseBook, coverage: Coverage | None = None, judged: Collection[str] | None = None
) -> Iterator[ClientTrials]:
    """Start a client, opposite a server of the harness's, until the end of the block."""
    with Subject(choice) as subject, RecordingServer() as server:
        yield ClientTrials(ClientSession(book, subject, server, coverage or Coverage(book.contract)), judged)


def judge(check: Check, client: ClientTrials, operation: Operation | None, options: Options) -> None:
    """
    Judge a client by one rule, on one operation if the rule is about each.

    Raises:
        Violations: What was found, as it is reported.
        NotApplicable: If the rule says nothing about it; NotExercised if it could not be tried.
    """
    given = {"client": client, "trials": operation and client.of(operation)}
    try:
        check(**{name: given[name] for name in signature(check).parameters})
    except Violations as violations:
        secrets = Secrets([client.session.key])
        raise Violations([with_command(one, check, options, secrets) for one in violations.found]) from None


def with_command(violation: Violation, check: Check, options: Options, secrets: Secrets) -> Violation:
    """Return a violation with what is secret masked, and the command that judges its rule again on the same cases."""
    return replace(
        violation,
        received=shown(secrets.mask(violation.received)),
        documented=shown(secrets.mask(violation.documented)),
        reproduce=_command(check, options),
    )


def _command(check: Check, options: Options) -> str:
    rule, python = rule_of(check), os.environ.get(PYTHON_VARIABLE)
    words = ["env", f"{PYTHON_VARIABLE}={python}"] if python else []
    return shlex.join([*words, *options.command_for(rule.id if rule else "", Side.CLIENT)])
