"""Pytest plugin: the fixture `workflow_sandbox`, one running sandbox for the whole session.

Nothing but pytest is imported until a test asks for the fixture.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow_sandbox import Sandbox


@pytest.fixture(scope="session")
def workflow_sandbox() -> "Iterator[Sandbox]":
    """A running sandbox with a database of its own, stopped at the end of the session."""
    from workflow_sandbox.server import Sandbox  # noqa: PLC0415  # a plugin is loaded by every pytest run

    with Sandbox() as sandbox:
        yield sandbox
