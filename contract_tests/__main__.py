"""The command line of the harness. Only the standard library is imported until the rest is known to be there."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from contract_tests.report.printing import Printer, failure
from contract_tests.rules import SetUpError
from contract_tests.runner.command_line import parse
from workflow_contract.printing import printable

PROGRAM = "contract_tests"
NEEDED = ("pytest", "schemathesis", "jsonschema", "openapi_spec_validator", "yaml", "starlette", "uvicorn")
COULD_NOT_RUN = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Judge what the command line says; give the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(arguments)
        _check_extra()
        status: int = import_module("contract_tests.runner.session").run(options)
    except SetUpError as error:
        return _could_not_run(str(error))
    except KeyboardInterrupt:
        return _could_not_run("interrupted")
    except Exception as error:  # noqa: BLE001 - whatever it is, no rule was found broken by it
        return _could_not_run(f"the harness failed: {failure(error)}")
    return status


def _could_not_run(why: str) -> int:
    Printer(sys.stderr).write(f"{PROGRAM}: {printable(why)}\n")
    return COULD_NOT_RUN


def _check_extra() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SetUpError(f"{missing[0]} is not installed: pip install 'workflow-runs[conformance]'")


if __name__ == "__main__":
    sys.exit(main())
