"""What all rows of one run share."""

import secrets
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from contract_tests.cases.generation import Generator
from contract_tests.coverage import Coverage
from contract_tests.http.redaction import Secrets
from contract_tests.openapi.document import Contract
from contract_tests.options import Options
from contract_tests.outcomes import Row
from contract_tests.report.folding import Folding
from contract_tests.rules import Side
from contract_tests.server.open_targets import OpenTargets
from contract_tests.targets import Target, choose


class Run:
    """What all rows of one run share."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.contract = Contract.load(options.spec)
        self.targets = choose(options, self.contract.services)
        self.secrets = Secrets(value for target in self.targets for value in target.known_secrets)
        self.coverage = Coverage(self.contract, self._services)
        budget = options.budget.for_operations(len(self.contract.operations))
        self.generator = Generator(self.contract, random_seed=options.seed, budget=budget)
        self.folding = Folding()
        self.resources = ExitStack()
        self.documented = dict[str, str]()  # rules that the judged client's own documentation states, and where
        self.tag = _new_tag()
        self.live = OpenTargets(
            self.contract, self.coverage, self.secrets, self.resources, self.tag, is_whole=options.pattern is None
        )

    @property
    def _services(self) -> set[str] | None:
        """The services whose operations can be exercised; None for all, as a client has them."""
        only_servers = self.options.sides == (Side.SERVER,)
        return {target.service for target in self.targets} if only_servers else None

    @property
    def served(self) -> list[tuple[str, str]]:
        """Targets as name and service."""
        return [(target.name, target.service) for target in self.targets]

    def target(self, row: Row) -> Target:
        """Return the target that a row of the server side is about."""
        return next(target for target in self.targets if (target.name, target.service) == (row.target, row.service))


def _new_tag() -> str:
    """Return the tag of one run of the harness: when it was, and something that no other run has."""
    return f"contract-tests-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


RUN = pytest.StashKey[Run]()
