"""
Judges clients by all rules of the client side in this process.

The same as ``python -m contract_tests --side client`` does; but the cases are made once, by the first client that is
judged, so that the next one takes a fraction of the time. Several clients may be judged at a time after the first.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from types import FunctionType
from typing import Final

from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.generation import Generator
from contract_tests.client.judging import judge, open_client
from contract_tests.client.selection import choose_client
from contract_tests.client.trials import ClientTrials
from contract_tests.openapi.document import Contract, Operation
from contract_tests.options import Options
from contract_tests.registry import chapters
from contract_tests.rules import NotApplicable, NotExercised, Rule, Violation, Violations, rule_of
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
        options = self._options(arguments)
        with open_client(choose_client(options), self._book) as client:
            return [
                (rule, violation)
                for rule, check in self._checks.items()
                if not rules or rule.id in rules
                for operation in (self._contract.operations if rule.is_property else (None,))
                for violation in _found(check, client, operation, options)
            ]

    def _options(self, arguments: Sequence[str]) -> Options:
        options = parse([*self._arguments, *arguments])
        assert isinstance(options, Options)
        return options


def client_rules() -> dict[Rule, FunctionType]:
    """Give all rules of the client side with their checks."""
    modules = [import_module(name) for name in chapters() if name.startswith(CHAPTERS)]
    checks = [value for module in modules for value in vars(module).values() if isinstance(value, FunctionType)]
    return {rule: check for check in checks if (rule := rule_of(check)) is not None}


def _found(
    check: FunctionType, client: ClientTrials, operation: Operation | None, options: Options
) -> Iterator[Violation]:
    try:
        judge(check, client, operation, options)
    except Violations as violations:
        yield from violations.found
    except (NotApplicable, NotExercised):
        return
