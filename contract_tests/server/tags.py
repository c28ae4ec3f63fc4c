"""The tag by which a person finds the harness's runs in a dashboard: where it stands in each service's requests."""

import secrets
from datetime import UTC, datetime
from typing import Final

PROMPTLAYER_TAG: Final = "contract_tests_run"
"""Key in a PromptLayer run's ``metadata``."""

INTERACTLY_TAG: Final = "run_by"
"""Member of an Interactly run input."""


def new_tag() -> str:
    """Give the tag of one run of the harness: when it was, and something that no other run has."""
    return f"contract-tests-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
