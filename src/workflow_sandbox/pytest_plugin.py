"""Pytest plugin: `workflow_sandbox` is one running sandbox for the session, `fresh_workflow_sandbox` one for each test.

Nothing but pytest is imported until a test asks for a fixture.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workflow_sandbox import InProcessSandbox, Sandbox


@pytest.fixture(scope="session")
def workflow_sandbox() -> "Iterator[Sandbox]":
    """A running sandbox with a database of its own, stopped at the end of the session."""
    from workflow_sandbox.server import Sandbox  # noqa: PLC0415  # a plugin is loaded by every pytest run

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def workflow_sandbox_options() -> "Mapping[str, Any]":
    """Arguments of `InProcessSandbox` for `fresh_workflow_sandbox`; a project or a module says its own."""
    return {}


@pytest.fixture
def fresh_workflow_sandbox(workflow_sandbox_options: "Mapping[str, Any]") -> "Iterator[InProcessSandbox]":
    """A running sandbox of this test's own, in this process: nothing of another test is in it."""
    from workflow_sandbox.in_process import InProcessSandbox  # noqa: PLC0415  # a plugin is loaded by every pytest run

    with InProcessSandbox(**workflow_sandbox_options) as sandbox:
        yield sandbox
