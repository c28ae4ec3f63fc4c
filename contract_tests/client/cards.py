"""Cards of the client side's rules: about each operation, or about the client as a whole."""

from functools import partial
from typing import Final

from contract_tests.rules import DOCUMENT, EVERY_OPERATION, rule

operation_rule: Final = partial(rule, operations=EVERY_OPERATION, side="client")
client_rule: Final = partial(rule, operations=DOCUMENT, side="client")
