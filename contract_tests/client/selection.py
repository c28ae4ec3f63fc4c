"""Which client is judged, and how it is driven, by the command line."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from contract_tests.client.adapters import SHIPPED
from contract_tests.client.adapters.python_names import python_name
from contract_tests.client.subject_process import Choice
from contract_tests.openapi.document import Contract
from contract_tests.options import Options
from contract_tests.rules import SetUpError

OWN_GENERATED: Final = "workflow_runs_api"
OWN_CLIENT: Final = "workflow_runs"
PYTHON_VARIABLE: Final = "CONTRACT_TESTS_CLIENT_PYTHON"
STOCK_CLASS: Final = "class AuthenticatedClient"
STOCK_FUNCTION: Final = "def sync_detailed("


def choose_client(options: Options) -> Choice:
    """
    Say which client is judged.

    Raises SetUpError if a directory holds no package or several, or an adapter is not known.
    """
    has_known_layout = options.adapter in {None, "workflow_runs", "openapi-python-client"}
    is_candidate = is_generated if has_known_layout else is_package
    generated = None if options.generated is None else package_in(options.generated, "--generated", is_candidate)
    adapter = options.adapter or _default_adapter(generated, is_own_contract=not options.has_own_spec)
    if ":" not in adapter and adapter not in SHIPPED:
        raise SetUpError(f"--adapter: {adapter!r} is neither MODULE:ATTRIBUTE nor one of {', '.join(SHIPPED)}")
    if options.client is not None and adapter in SHIPPED and adapter != "workflow_runs":
        raise SetUpError(f"--client is a copy of workflow_runs, which the adapter {adapter} does not drive")
    is_own = adapter == "workflow_runs"
    packages: dict[str, Path] = {}
    name = OWN_GENERATED
    if generated is not None:
        name = OWN_GENERATED if is_own else import_name(generated)
        packages[name] = generated
    if options.client is not None:
        packages[OWN_CLIENT] = _client_in(options.client)
    return Choice(adapter=SHIPPED.get(adapter, adapter), generated=name, packages=packages, python=_interpreter())


def check_has_client(options: Options, contract: Contract) -> None:
    """
    Demand that there is a client of the contract.

    Raises:
        SetUpError: If the contract is somebody's, and neither a generated package nor an adapter of one's own is named.
    """
    drives_installed = options.adapter is None or options.adapter in SHIPPED
    if options.generated is None and drives_installed and options.has_own_spec and options.adapter != "promptlayer":
        strange = {python_name(service) for service in contract.services} - own_services()
        if strange:
            raise SetUpError(
                f"--generated DIR is missing: the installed client is not one of {options.spec.name}, whose services "
                f"are {', '.join(map(repr, contract.services))}"
            )


def own_services() -> set[str]:
    """Return the services of the installed client, as the generator names their folders."""
    found = find_spec(OWN_GENERATED)
    places = found.submodule_search_locations if found else None
    return {path.parent.name for place in places or () for path in Path(place, "api").glob("*/__init__.py")}


def _interpreter() -> str:
    """
    Return the interpreter of the environment that has the client: this one, unless a variable names another.

    Raises SetUpError if it names no file.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    if named is not None and not Path(named).is_file():
        raise SetUpError(f"{PYTHON_VARIABLE}: there is no such interpreter: {named}")
    return sys.executable if named is None else str(Path(named).absolute())


def package_in(directory: Path, option: str, is_candidate: Callable[[Path], bool]) -> Path:
    """Return the one package that a directory is or holds; raises SetUpError if there is none or more than one."""
    if is_candidate(directory):
        return directory
    found = sorted(folder for folder in directory.iterdir() if folder.is_dir() and is_candidate(folder))
    if len(found) != 1:
        names = ", ".join(folder.name for folder in found) or "none"
        raise SetUpError(f"{option}: {directory} is no such package and has to hold exactly one; it holds {names}")
    return found[0]


def is_package(folder: Path) -> bool:
    """Whether a folder is a Python package."""
    return (folder / "__init__.py").is_file()


def is_generated(folder: Path) -> bool:
    """Whether a folder is a package with the layout that openapi-python-client writes."""
    return is_package(folder) and (folder / "client.py").is_file() and (folder / "api").is_dir()


def import_name(package: Path) -> str:
    """Return the name under which a generated package is imported; a copy may lie in a folder of any name."""
    return package.name if package.name.isidentifier() else "generated_client"


def is_stock(package: Path) -> bool:
    """Whether a generated package is one that openapi-python-client writes by itself."""
    if STOCK_CLASS in (package / "client.py").read_text(encoding="utf-8"):
        return True
    modules = (package / "api").rglob("*.py")
    return any(STOCK_FUNCTION in module.read_text(encoding="utf-8") for module in modules)


def _default_adapter(generated: Path | None, *, is_own_contract: bool) -> str:
    if generated is None:
        return "workflow_runs"
    if is_stock(generated):
        return "openapi-python-client"
    is_own = is_own_contract or any((generated / "api" / service).is_dir() for service in own_services())
    return "workflow_runs" if is_own else "operation-classes"


def _client_in(directory: Path) -> Path:
    inner = directory / OWN_CLIENT
    return inner if not is_package(directory) and is_package(inner) else package_in(directory, "--client", is_package)
