"""Serve the sandbox with one seeded defect: ``python -m mutants.servers ID [--port P]``."""

import argparse
import sys
from collections.abc import Sequence

from mutants.servers.all_defects import defects
from mutants.servers.serving import fault_of, serve, url_of
from workflow_sandbox.listener import CannotListen, bind


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mutants.servers", description=__doc__)
    parser.add_argument("id", metavar="ID", help="see `python -m mutants servers --list`")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one (0)")
    given = parser.parse_args(argv)
    if given.id not in {defect.id for defect in defects()}:
        parser.error(f"there is no defect {given.id!r}")
    try:
        with bind("127.0.0.1", given.port) as listening:
            listening.listen()
            sys.stdout.write(f"{url_of(listening)}\n")
            sys.stdout.flush()
            serve(listening, fault_of(given.id))
    except CannotListen as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
