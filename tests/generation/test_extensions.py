"""What our extensions of OpenAPI say reaches the client: what may be sent again, what holds for a whole query."""

from __future__ import annotations

import importlib
import re

import pytest

from support.contract import CONTRACT

OPERATIONS = {
    operation["operationId"]: (method, operation)
    for item in CONTRACT["paths"].values()
    for method, operation in item.items()
    if isinstance(operation, dict) and "operationId" in operation
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_no_get_says_whether_it_may_be_sent_again(name: str) -> None:
    """The contract says it, and the client does what it says."""
    method, operation = OPERATIONS[name]
    assert method == "get" or operation.get("x-retry") in {"safe", "not_sent_only"}
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    generated = importlib.import_module(f"workflow_runs_api.api.{operation['tags'][0]}.{module}")
    assert generated.OPERATION.repeatable is (operation.get("x-retry", "safe") == "safe")
