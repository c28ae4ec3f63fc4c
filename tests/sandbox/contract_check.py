"""An httpx response hook that judges every reply of the sandbox by the contract."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from support.contract import CONTRACT

_INTERACTLY_PREFIX = "/workflows"


def check_reply(response: httpx.Response) -> None:
    """Fail unless the reply's status, media type and body are what the contract says of the operation."""
    responses = _responses(response.request.method, response.request.url.path)
    if responses is None:
        return
    response.read()
    where = f"{response.request.method} {response.request.url.path} -> {response.status_code}"
    assert str(response.status_code) in responses, f"{where} is not documented"
    assert response.headers["content-type"] == "application/json", where
    declared = _resolved(responses[str(response.status_code)])
    schema = declared["content"]["application/json"]["schema"]
    problems = Draft202012Validator({**schema, "components": CONTRACT["components"]}).iter_errors(response.json())
    assert not [f"{where}: {problem.message} at {problem.json_path}" for problem in problems]


def _responses(method: str, path: str) -> dict[str, Any] | None:
    for template, item in CONTRACT["paths"].items():
        prefix = _INTERACTLY_PREFIX if template.startswith("/v1/") else ""
        if method.lower() in item and re.fullmatch(prefix + re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] = item[method.lower()]["responses"]
            return found
    return None


def _resolved(declared: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in declared:
        return declared
    found: dict[str, Any] = CONTRACT["components"]["responses"][declared["$ref"].rpartition("/")[2]]
    return found
