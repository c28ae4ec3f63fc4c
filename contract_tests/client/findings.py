"""What a rule finds, with the command that shows it again."""

import os
import shlex
from dataclasses import dataclass

from contract_tests.client.selection import PYTHON_VARIABLE
from contract_tests.client.session import Played
from contract_tests.http.redaction import Secrets
from contract_tests.options import Options
from contract_tests.rules import Violation, shown


@dataclass(frozen=True)
class Findings:
    """Makes the violations of one row."""

    rule_id: str
    options: Options
    secrets: Secrets

    def of(
        self,
        constraint: str,
        received: str,
        *,
        played: Played | None = None,
        documented: str = "",
        number: int | None = None,
    ) -> Violation:
        """
        Return a violation, with what is secret masked.

        Args:
            constraint: Which part of the rule was broken, without values.
            received: What was seen instead.
            played: The case in which it was seen.
            documented: What should have been seen; by default what the rule says.
            number: How many cases had been played by then, where there is no such case.
        """
        mode = f" ({played.mode} call)" if played else ""
        text = shown(self.secrets.mask(received)) + mode
        documented = shown(self.secrets.mask(documented))
        after = played.number if played else number
        return Violation(text, constraint, documented, self.reproduce, found_after=after)

    @property
    def reproduce(self) -> str:
        """A command that judges this rule again on the same cases."""
        given = self.options
        named = {
            "--spec": given.spec if given.has_own_spec else None,
            "--generated": given.generated,
            "--client": given.client,
            "--adapter": given.adapter,
        }
        words = ["env", f"{PYTHON_VARIABLE}={python}"] if (python := os.environ.get(PYTHON_VARIABLE)) else []
        words += ["python", "-m", "contract_tests", "--side", "client"]
        words += [word for option, value in named.items() if value is not None for word in (option, str(value))]
        return shlex.join([*words, "-k", self.rule_id, "--seed", str(given.seed)])
