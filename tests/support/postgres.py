"""Has every sandbox of this process that is told no database keep everything in PostgreSQL, in a schema of its own.

`python -m support.postgres URL MODULE ARGUMENTS` runs a module so.
"""

from __future__ import annotations

import functools
import runpy
import secrets
import sys
from typing import TYPE_CHECKING, Any

import psycopg

from workflow_sandbox import InProcessSandbox, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable


def fresh_schema(url: str) -> str:
    """Return the URL of a new, empty schema on the server at `url`."""
    name = f"sandbox_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"


def keep_everything_there(url: str) -> None:
    """Have `Sandbox()` and `InProcessSandbox()` use the server at `url` from now on."""
    for kind in (Sandbox, InProcessSandbox):
        kind.__init__ = _by_default_at(url, kind.__init__)  # type: ignore[method-assign]


def _by_default_at(url: str, init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def with_database(self: object, **options: Any) -> None:
        init(self, **{**options, "database": options.get("database") or fresh_schema(url)})

    return with_database


if __name__ == "__main__":
    keep_everything_there(sys.argv[1])
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
