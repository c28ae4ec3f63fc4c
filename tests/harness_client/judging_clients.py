"""Judges a client by single rules in this process, with few generated cases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType

from warm_subjects import forked_subjects

from contract_tests.budget import Budget
from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.generation import Generator
from contract_tests.client.judging import judge, open_client
from contract_tests.client.subject_process import Choice
from contract_tests.client.trials import ClientTrials, Trials
from contract_tests.openapi.document import Contract, Operation
from contract_tests.options import Options
from contract_tests.registry import chapters
from contract_tests.rules import NotApplicable, NotExercised, Rule, Verdict, Violation, Violations, rule_of
from contract_tests.runner.command_line import parse

CASES = 4


@dataclass(frozen=True)
class Judged:
    """A rule's verdict on one operation; on the whole client if that has no name."""

    rule: Rule
    operation: str
    verdict: Verdict
    found: tuple[Violation, ...] = ()

    @property
    def constraints(self) -> list[str]:
        """Which constraints were broken."""
        return [violation.constraint for violation in self.found]


class Judge:
    """Judges one client by a contract."""

    def __init__(self, client: ClientTrials, options: Options) -> None:
        self.client = client
        self.options = options

    def trials(self, operation: str) -> Trials:
        """Return what is played with an operation."""
        return self.client.of(self.client.contract.operation(operation))

    def verdicts(self, *rule_ids: str, operation: str = "") -> list[Judged]:
        """Give the verdicts of some rules, or of all, on one operation or on every one."""
        return [
            self._verdict(check, rule, judged)
            for rule, check in client_rules().items()
            for judged in self._operations(rule)
            if (not rule_ids or rule.id in rule_ids) and operation in {"", judged and judged.id}
        ]

    def violations(self, *rule_ids: str, operation: str = "") -> list[Judged]:
        """Give the violations among them."""
        verdicts = self.verdicts(*rule_ids, operation=operation)
        return [judged for judged in verdicts if judged.verdict is Verdict.VIOLATION]

    def _operations(self, rule: Rule) -> Sequence[Operation | None]:
        return self.client.contract.operations if rule.is_property else (None,)

    def _verdict(self, check: FunctionType, rule: Rule, operation: Operation | None) -> Judged:
        name = operation.id if operation else ""
        try:
            judge(check, self.client, operation, self.options)
        except Violations as violations:
            return Judged(rule, name, Verdict.VIOLATION, tuple(violations.found))
        except NotApplicable:
            return Judged(rule, name, Verdict.NOT_APPLICABLE)
        except NotExercised:
            return Judged(rule, name, Verdict.NOT_EXERCISED)
        return Judged(rule, name, Verdict.PASS)


def client_rules() -> dict[Rule, FunctionType]:
    """Give all rules of the client side with their checks."""
    modules = [import_module(name) for name in chapters() if name.startswith("contract_tests.client.")]
    checks = [value for module in modules for value in vars(module).values() if isinstance(value, FunctionType)]
    return {rule: check for check in checks if (rule := rule_of(check)) is not None}


@cache
def case_book(spec: Path, cases: int, seed: int, path: str = "") -> CaseBook:
    """Give the cases of a contract, or of one of its paths; several clients are judged by the same ones."""
    contract = Contract.load(spec)
    if path:
        contract = Contract({**contract.document, "paths": {path: contract.document["paths"][path]}}, str(spec))
    return CaseBook(contract, Generator(contract, random_seed=seed, budget=Budget(cases=cases)))


@contextmanager
def judging(choice: Choice, spec: Path, *, cases: int = CASES, seed: int = 1, path: str = "") -> Iterator[Judge]:
    """Start a client and give its judge, who tries the operations of one path alone if that is named."""
    options = parse(["--side", "client", "--spec", str(spec), "--seed", str(seed), "--adapter", choice.adapter])
    assert isinstance(options, Options)
    starts = nullcontext() if choice.packages else forked_subjects()
    with starts, open_client(choice, case_book(spec, cases, seed, path)) as client:
        yield Judge(client, options)
