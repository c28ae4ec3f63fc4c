"""Clients with modules that are wrong before any call: nobody can import them, or take their hints apart."""

from collections.abc import Iterator

from mutants.clients.edits import ClientDefect, client, defect, generated


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield defect(
        "module.of-a-name-that-is-gone",
        "imports a reader by the name that it had before",
        "module broken",
        "CL-PKG-01",
        client(
            "webhooks.py",
            "from .callbacks.webhooks import InteractlyEvent, read_dashboard_event",
            "from .callbacks.webhooks import InteractlyEvent, read_agent_event as read_dashboard_event",
        ),
    )
    yield defect(
        "module.of-another-folder",
        "imports a module from where it lay before",
        "module broken",
        "CL-PKG-01",
        client("webhooks.py", "from .callbacks.webhooks import", "from .signed_webhooks import"),
    )
    yield defect(
        "module.without-raw",
        "writes a regular expression as a text with escapes that Python does not know",
        "warning",
        "CL-PKG-02",
        generated("schema.py", '_UNRESERVED = r"', '_UNRESERVED = "'),
    )
    yield defect(
        "hint.for-checkers-alone",
        "imports what a hint names for type checkers alone",
        "hint lost",
        "CL-PKG-03",
        generated(
            "models/run_created.py",
            "from typing import Any, Final, Self\n",
            "from typing import TYPE_CHECKING, Any, Final, Self\n",
        ),
        generated(
            "models/run_created.py",
            "from ..types import UNSET, Unset, member_to_json, to_json\n",
            "from ..types import UNSET, member_to_json, to_json\n\nif TYPE_CHECKING:\n    from ..types import Unset\n",
        ),
        operation="runWorkflow",
    )
