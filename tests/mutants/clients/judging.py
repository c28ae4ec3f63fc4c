"""
Judges clients by all rules of the client side in this process.

The same as ``python -m contract_tests --side client`` does; but the cases are made once, by the first client that is
judged, so that the next one takes a fraction of the time. Several clients may be judged at a time after the first.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import signature
from types import FunctionType
from typing import Any, Final

from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.generation import Generator
from contract_tests.client.findings import Findings
from contract_tests.client.selection import choose_client
from contract_tests.client.session import ClientSession
from contract_tests.client.subject import Subject
from contract_tests.client.trials import Trials
from contract_tests.coverage import Coverage
from contract_tests.http.recording_server import RecordingServer
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Contract, Operation
from contract_tests.options import Options
from contract_tests.registry import chapters
from contract_tests.rules import EVERY_OPERATION, NotApplicable, NotExercised, Rule, Violation, Violations, rule_of
from contract_tests.runner.command_line import parse

SIDE: Final = ("--side", "client")
CHAPTERS: Final = "contract_tests.client."


class Judge:
    """
    Judges clients of one contract.

    Args:
        arguments: Of the command line: seed and budget, and the contract if it is not the project's own.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = (*SIDE, *arguments)
        options = self._options([])
        self._contract = Contract.load(options.spec)
        self._book = CaseBook(
            self._contract, Generator(self._contract, random_seed=options.seed, budget=options.budget)
        )
        self._checks = client_rules()

    def violations(self, arguments: Sequence[str], rules: Sequence[str] = ()) -> list[tuple[Rule, Violation]]:
        """
        Give what a client breaks, in the order of the rules.

        Args:
            arguments: Of the command line: what makes the client.
            rules: Ids of rules; all if there are none.

        Raises:
            SetUpError: If the client cannot be judged.
        """
        options, secrets = self._options(arguments), Secrets()
        with Subject(choose_client(options)) as subject, RecordingServer() as server:
            stage = ClientSession(self._book.outgoing, subject, server)
            secrets.add(stage.key)
            trials = Trials(self._book, stage, Coverage(self._contract))
            return [
                (rule, violation)
                for rule, check in self._checks.items()
                if not rules or rule.id in rules
                for operation in self._operations(rule)
                for violation in _found(check, operation, trials, Findings(rule.id, options, secrets))
            ]

    def _operations(self, rule: Rule) -> Sequence[Operation]:
        # A rule about the whole client is judged once, and asks for no operation.
        return self._contract.operations if rule.operations == EVERY_OPERATION else self._contract.operations[:1]

    def _options(self, arguments: Sequence[str]) -> Options:
        options = parse([*self._arguments, *arguments])
        assert isinstance(options, Options)
        return options


def client_rules() -> dict[Rule, FunctionType]:
    """Give all rules of the client side with their checks."""
    modules = [import_module(name) for name in chapters() if name.startswith(CHAPTERS)]
    checks = [value for module in modules for value in vars(module).values() if isinstance(value, FunctionType)]
    return {rule: check for check in checks if (rule := rule_of(check)) is not None}


def _found(check: FunctionType, operation: Operation, trials: Trials, findings: Findings) -> Iterator[Violation]:
    fixtures: dict[str, Any] = {"trials": trials, "operation": operation, "findings": findings}
    try:
        check(**{name: fixtures[name] for name in signature(check).parameters})
    except Violations as violations:
        yield from violations.found
    except Violation as violation:
        yield violation
    except (NotApplicable, NotExercised):
        return
