"""The command line of the harness. Only the standard library is imported until the rest is known to be there."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from contract_tests.arguments import parse
from contract_tests.rules import SetUpError

PROGRAM = "contract_tests"
NEEDED = ("pytest", "schemathesis", "jsonschema", "openapi_spec_validator", "yaml", "fastapi", "uvicorn")
COULD_NOT_RUN = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Judge what the command line says; give the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(arguments)
        _check_extra()
        status: int = import_module("contract_tests.conduct").conduct(options)
    except SetUpError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        sys.stderr.write(f"{PROGRAM}: interrupted\n")
        return COULD_NOT_RUN
    return status


def _check_extra() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SetUpError(f"{missing[0]} is not installed: pip install 'workflow-runs[conformance]'")


if __name__ == "__main__":
    sys.exit(main())
