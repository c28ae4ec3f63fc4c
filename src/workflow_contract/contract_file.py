"""One contract, as the generator and the harness read it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflow_contract.as_meant import Remark, notes, read_as_meant
from workflow_contract.operations import completed
from workflow_contract.parameters import passed_over
from workflow_contract.patterns import set_aside
from workflow_contract.reading import SHOWN, UnreadableError, read_file
from workflow_contract.references import check_applied, decode
from workflow_contract.upgrade import VERSION, upgraded

_VERSIONS: Final = (["3", "0"], ["3", "1"])


@dataclass(frozen=True)
class ContractFile:
    """
    What a file says.

    Attributes:
        document: The contract in the words of OpenAPI 3.1, with plain JSON pointers as references.
        version: The OpenAPI version that the file is written in.
        notes: What was changed in reading, one line each.
        remarks: Where it was read otherwise than it is written, each place.
    """

    document: dict[str, Any]
    version: str
    notes: tuple[str, ...]
    remarks: tuple[Remark, ...] = ()


def read_contract(path: Path) -> ContractFile:
    """
    Read a contract from a YAML or JSON file of OpenAPI 3.0 or 3.1.

    Raises:
        UnreadableError: It can't be read within the limits, is no such document, or refers to another one.
    """
    try:
        document = read_file(path)
        return made_of(document)
    except UnreadableError as error:
        text = str(error)
        raise UnreadableError(text if text.startswith(str(path)) else f"{path}: {text}") from None


def made_of(document: Any) -> ContractFile:
    """
    Make a contract of a document, which is changed.

    Raises:
        UnreadableError: See :func:`read_contract`.
    """
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""
    if version.split(".")[:2] not in _VERSIONS:
        raise UnreadableError(f"is no OpenAPI document of version 3.0 or 3.1: 'openapi' is {version[:SHOWN]!r}")
    document["openapi"] = version
    said = []
    _drop_extensions(document)
    decode(document)
    if version.split(".")[1] == "0":
        document = upgraded(document)
        said.append(
            f"written in OpenAPI {version[:SHOWN]}, and read as {VERSION}: bounds, nullable and examples were rewritten"
        )
    remarks = [*read_as_meant(document), *completed(document), *passed_over(document)]
    check_applied(document)
    return ContractFile(document, version, (*said, *notes(remarks), *set_aside(document)), (*remarks,))


def _drop_extensions(document: dict[str, Any]) -> None:
    """Take out what would be read as a path or a status, and is an extension."""
    paths = document.get("paths")
    items = paths.values() if isinstance(paths, dict) else ()
    operations = [one for item in items if isinstance(item, dict) for one in item.values() if isinstance(one, dict)]
    for holder in (paths, *(operation.get("responses") for operation in operations)):
        if isinstance(holder, dict):
            for name in [name for name in holder if name.startswith("x-")]:
                del holder[name]
