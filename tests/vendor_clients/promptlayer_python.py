"""Runs workflows by the vendor's own Python library, unmodified, with a sandbox: `nox -s vendor_clients`.

Takes the sandbox's base URL; the key is `sandbox-key`. Prints a line for each thing that was seen.
"""

import asyncio
import logging
import sys

import promptlayer
from promptlayer import AsyncPromptLayer, PromptLayer

logging.disable()  # it logs the traceback of every error that it raises
KEY = "sandbox-key"
SHORT = {"user_message": "Hello"}
LONG = {"user_message": "x" * 100_000}
CALLS = {
    "by name": {"workflow_id_or_name": "canary", "input_variables": SHORT},
    "by label": {"workflow_id_or_name": "canary", "workflow_label_name": "production", "input_variables": SHORT},
    "by version": {"workflow_id_or_name": "canary", "workflow_version": 1, "input_variables": SHORT},
    "all outputs": {"workflow_id_or_name": "canary", "return_all_outputs": True, "input_variables": SHORT},
    "too long for a message": {"workflow_id_or_name": "canary", "input_variables": LONG},
}


def main(base_url: str) -> None:
    """Make every call in both forms of the library, and one of a workflow that does not exist."""
    client = PromptLayer(api_key=KEY, base_url=base_url)
    other = AsyncPromptLayer(api_key=KEY, base_url=base_url)
    for name, call in CALLS.items():
        result = client.run_workflow(**call)
        assert result == asyncio.run(other.run_workflow(**call)), name
        assert_output(name, result)
        sys.stdout.write(f"{name}: {str(result)[:100]}\n")
    try:
        client.run_workflow("no-such-workflow", input_variables={})
    except promptlayer.PromptLayerAPIError as error:
        sys.stdout.write(f"no such workflow: {type(error).__name__}\n")
    else:
        raise AssertionError("a workflow that does not exist was run")


def assert_output(name: str, result: object) -> None:
    """See whether a result holds what went in, and the nodes if all outputs were asked for."""
    text = str(result)
    assert ("x" * 100_000 if "long" in name else "Hello") in text, name
    assert not name.startswith("all") or set(result) == {"Draft", "Reply"}, name


main(sys.argv[1])
