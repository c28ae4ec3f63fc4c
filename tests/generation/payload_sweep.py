"""Puts payloads into every text place of a contract, generates, imports and calls: a program that a test starts.

Its standard output is JSON: the kinds of places where one was refused, how many calls were made with all the others in
place, and everything that was wrong.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from growing import ROOT, generator
from payloads import HALF_A_CHARACTER, PAYLOADS, featured, merged, places, poisoned

sys.path.insert(0, str(ROOT / "scripts" / "generate"))
import document as doc
import refusals
import services

PACKAGE = "workflow_runs_api"


def main(folder: Path) -> None:
    """Sweep."""
    wrong: list[str] = []
    refused: list[str] = []
    documents = [_everywhere(number, payload, refused) for number, payload in enumerate(PAYLOADS)]
    _generate(merged(documents), folder)
    called = _use(folder, documents, wrong)
    if "RAN" in os.environ:
        wrong.append("a payload has run")
    json.dump({"refused": sorted(set(refused)), "called": called, "wrong": wrong}, sys.stdout)


def _refused(document: dict[str, Any]) -> list[refusals.Refusal]:
    read = json.loads(json.dumps(document))
    found = refusals.malformed(read)
    if not found:
        services.complete(read)
        found = refusals.find(read)
    refusals.lines(read, found)
    return found


def _everywhere(number: int, payload: str, refused: list[str]) -> dict[str, Any]:
    """The contract with the payload in all places at once where it is not refused."""
    document = featured(number)
    return _poisoned(document, range(len([*places(document)])), payload, refused)


def _poisoned(document: dict[str, Any], indices: range, payload: str, refused: list[str]) -> dict[str, Any]:
    changed = document
    for index in indices:
        # The places stay in order, but the way to one leads by names that may have changed.
        steps, is_key = [*places(changed)][index]
        changed = poisoned(changed, steps, payload, is_key=is_key)
    found = _refused(changed)
    if not found:
        return changed
    if len(indices) > 1:  # by halves, since few places refuse anything
        half = len(indices) // 2
        document = _poisoned(document, indices[:half], payload, refused)
        return _poisoned(document, indices[half:], payload, refused)
    if payload != HALF_A_CHARACTER and all(each.pointer.startswith("#/") for each in found):
        refused.append(_kind(steps, is_key=is_key))
    return document


def _kind(steps: tuple[str | int, ...], *, is_key: bool) -> str:
    return f"a key of {steps[-2]}" if is_key else "mapping" if steps[-2] == "mapping" else str(steps[-1])


def _generate(document: dict[str, Any], folder: Path) -> None:
    contract = folder / "contract.json"
    contract.write_text(json.dumps(document), encoding="utf-8")
    generator().generate(contract, ROOT / "generator-config.yml", folder)


def _use(folder: Path, documents: list[dict[str, Any]], wrong: list[str]) -> int:
    sys.path.insert(0, str(folder))
    package = importlib.import_module(PACKAGE)
    assert Path(str(package.__file__)).is_relative_to(folder)
    warnings.simplefilter("error", SyntaxWarning)
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, prefix=f"{PACKAGE}.")
    ]
    operations = {module.OPERATION.operation_id: module for module in modules if hasattr(module, "OPERATION")}
    for document in documents:
        for operation in (item["post"] for item in document["paths"].values()):
            module = operations.pop(operation["operationId"])
            wrong += [f"{operation['operationId']!a}: {each}" for each in _call(module, document, operation)]
    return len(documents)


def _call(module: Any, document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """What differs between what was given and what was sent, or between what came and what was read."""
    schema = doc.resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
    names = [*schema["properties"]]
    inner = dict.fromkeys(schema["properties"][names[2]]["properties"], "x")
    body = {
        names[0]: schema["properties"][names[0]]["enum"][0],
        names[1]: schema["properties"][names[1]]["const"],
        names[2]: inner,
        names[3]: [dict.fromkeys(schema["properties"][names[3]]["items"]["oneOf"][0]["properties"], "y"), "z"],
    }
    sent: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=body)

    parent = importlib.import_module(module.__name__.rpartition(".")[0])
    service = next(getattr(parent, name) for name in parent.__all__ if name != "SERVER" and "Async" not in name)
    given = {parameter["name"]: parameter["schema"].get("enum", ["v"])[0] for parameter in operation["parameters"]}
    given = {name: value for name, value in given.items() if name != operation["parameters"][1]["name"]}
    arguments = {each.argument: given[each.name] for each in module.OPERATION.parameters if each.name in given}
    # What a payload in a path makes look like a parameter is one.
    in_path = [each for each in module.OPERATION.parameters if each.place == "path"]
    path = [arguments.pop(each.argument, "v") for each in in_path]
    members = {module.OPERATION.body.arguments.get(name, name): value for name, value in body.items()}
    with httpx.Client(transport=httpx.MockTransport(reply)) as http:
        client = service(api_key="k", base_url="https://w.example", http_client=http)
        result = getattr(client, module.OPERATION.name)(*path, **arguments, **members)
    query = [operation["parameters"][2]["name"], given[operation["parameters"][2]["name"]]]
    expected = {
        "body": (json.loads(sent[0].content), body),
        "query": (parse_qsl(sent[0].url.query.decode()), [tuple(query)]),
        "result": (result.to_dict(), body),
        "attribute": (len({*vars(type(result))["__attrs_attrs__"]}) - 1, len(body)),
    }
    return [f"{what}: {got!a} instead of {wanted!a}" for what, (got, wanted) in expected.items() if got != wanted]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
