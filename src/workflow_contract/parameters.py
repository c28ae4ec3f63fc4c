"""
Parameters that no caller gives, because something else says what is sent there.

A key is the security scheme's, even if an operation declares it a second time as a parameter; of three headers OpenAPI
itself says that their definition as a parameter is to be ignored.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from workflow_contract.as_meant import Remark
from workflow_contract.operations import METHODS, followed, parameters
from workflow_contract.places import join

_DESCRIBED_ELSEWHERE: Final = {
    "accept": "the media types of the responses are what is asked for",
    "authorization": "the security schemes describe that header",
    "content-type": "the media type of the request body stands there",
}


def is_argument(document: Mapping[str, Any], operation: Mapping[str, Any], parameter: Mapping[str, Any]) -> bool:
    """Return whether a parameter of an operation, itself and no reference, is for a caller to give."""
    return not _described_elsewhere(document, operation, parameter)


def arguments(document: Mapping[str, Any], operation: Mapping[str, Any], declared: list[Any]) -> list[Any]:
    """Return those of a list of parameters, or references to such, that are for a caller to give."""
    return [one for one in declared if is_argument(document, operation, followed(document, one))]


def passed_over(document: Mapping[str, Any]) -> Iterator[Remark]:
    """Return the parameters of a document, which may be malformed, that are no arguments."""
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method in METHODS if isinstance(item, dict) else ():
            operation = item.get(method)
            for where, holder in ((join("#/paths", path), item), (join(join("#/paths", path), method), operation)):
                for index, parameter in enumerate(parameters(document, holder) if isinstance(operation, dict) else ()):
                    if words := _described_elsewhere(document, operation, parameter):
                        pointer = join(join(where, "parameters"), index)
                        yield Remark(pointer, "name", f"{parameter['name']} is no argument of the operation: {words}")


def _described_elsewhere(
    document: Mapping[str, Any], operation: Mapping[str, Any], parameter: Mapping[str, Any]
) -> str:
    place, name = _place(parameter)
    if place == "header" and name in _DESCRIBED_ELSEWHERE:
        return _DESCRIBED_ELSEWHERE[name]
    requirements = operation.get("security", document.get("security"))
    for requirement in requirements if isinstance(requirements, list) else ():
        for scheme in requirement if isinstance(requirement, dict) else ():
            declared = followed(document, {"$ref": join("#/components/securitySchemes", scheme)})
            if declared.get("type") == "apiKey" and _place(declared) == (place, name):
                return f"it is the key of the security scheme {scheme}"
    return ""


def _place(declared: Mapping[str, Any]) -> tuple[Any, str]:
    place, name = declared.get("in"), str(declared.get("name", ""))
    return place, name.lower() if place == "header" else name
