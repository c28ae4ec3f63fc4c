"""A server whose contract has keys, bodies and responses of every kind that OpenAPI has."""

from __future__ import annotations

import base64
import json
import re
from email import message_from_bytes
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from conforming.test_stranger_services import serving
from contract_tests.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

KEY = "user:pass word"
TEXT = {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z]+$"}
FORM = {"type": "object", "required": ["name"], "properties": {"name": TEXT, "tags": {"type": "array", "items": TEXT}}}
FILE = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}, "note": TEXT},
}
SCHEMES: dict[str, Any] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {}}}},
    "digest": {"type": "http", "scheme": "digest"},
}
# By operation: the ways in.
WAYS: dict[str, list[list[str]]] = {
    "by_header": [["header"]],
    "by_query": [["query"]],
    "by_cookie": [["cookie"]],
    "by_basic": [["basic"]],
    "by_oauth": [["oauth"]],
    "by_both": [["header", "cookie"]],
    "by_either": [["digest"], ["query"]],
}


def _operation(name: str, ways: list[list[str]], **more: Any) -> dict[str, Any]:
    ok = {"description": "Done.", "content": {"application/json": {"schema": {"type": "object", "required": ["ok"]}}}}
    refused = {"description": "No.", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    responses = {"200": more.pop("told", ok), "401": refused, "422": refused}
    security = [{scheme: [] for scheme in way} for way in ways]
    return {"operationId": name, "tags": ["all"], "security": security, "responses": responses, **more}


def _body(media_type: str, schema: Any) -> dict[str, Any]:
    example = {"file": "content", "note": "words"} if schema is FILE else {"name": "words", "tags": ["a", "b"]}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, "example": example}}}}


def _told(media_type: str, schema: Any) -> dict[str, Any]:
    return {"told": {"description": "Told.", "content": {media_type: {"schema": schema}}}}


def contract() -> dict[str, Any]:
    """Return it: with a server that has variables, a callback and a webhook."""
    posted = {"post": {**_body("application/json", FORM), "responses": {"204": {"description": "Taken."}}}}
    header = [["header"]]
    others = {
        "form": {"post": _operation("send_form", header, **_body("application/x-www-form-urlencoded", FORM))},
        "file": {"post": _operation("send_file", header, **_body("multipart/form-data", FILE))},
        "text": {"get": _operation("read_text", header, **_told("text/plain", TEXT))},
        "bytes": {
            "get": _operation("read_bytes", header, **_told("image/png", {"type": "string", "format": "binary"}))
        },
        "called": {
            "post": _operation(
                "be_called",
                header,
                **_body("application/json", FORM),
                callbacks={"done": {"{$request.body#/name}": posted}},
            )
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "All kinds", "version": "1"},
        "tags": [{"name": "all"}],
        "servers": [
            {
                "url": "https://{where}.example/{version}",
                "variables": {"where": {"default": "a"}, "version": {"default": "v1"}},
            },
            {"url": "https://b.example"},
        ],
        "paths": {
            **{f"/{name}": {"get": _operation(name, ways)} for name, ways in WAYS.items()},
            **{f"/{name}": item for name, item in others.items()},
        },
        "webhooks": {"changed": posted},
        "components": {"securitySchemes": SCHEMES},
    }


def _proofs(request: Request) -> dict[str, bool]:
    authorization = request.headers.get("authorization")
    return {
        "header": request.headers.getlist("x-key") == [KEY],
        "query": request.query_params.getlist("key") == [KEY],
        "cookie": request.cookies.get("session") == KEY.replace(" ", "%20").replace(":", "%3A"),
        "basic": authorization == f"Basic {base64.b64encode(KEY.encode()).decode()}",
        "oauth": request.headers.getlist("authorization") == [f"Bearer {KEY}"],
        "digest": False,
    }


def server(*, defect: str = "") -> FastAPI:
    """Return one that keeps the contract, but for a defect."""
    app = FastAPI(openapi_url=None)
    described = {
        path.strip("/"): (method, operation)
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
    }

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
    async def any_path(request: Request, path: str) -> Response:
        method, operation = described.get(path, ("", {}))
        if request.method.lower() != method:
            return _problem(405 if path in described else 404, {"Allow": method.upper()})
        proofs = _proofs(request)
        if path != defect and not any(all(proofs[scheme] for scheme in way) for way in operation["security"]):
            return _problem(401)
        if path != defect and not await _is_legal(request, path):
            return _problem(422)
        if path == "text":
            return PlainTextResponse("words", media_type="text/html" if path == defect else "text/plain")
        if path == "bytes":
            return Response(b"\x89PNG", media_type="image/png")
        return JSONResponse({"ok": True})

    return app


def _problem(status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": status}, status, headers, "application/problem+json")


async def _is_legal(request: Request, path: str) -> bool:
    """Whether a body is what the contract says."""
    content_type, body = request.headers.get("content-type", ""), await request.body()
    match path, content_type.partition(";")[0].lower():
        case "form", "application/x-www-form-urlencoded":
            fields = parse_qs(body.decode(), keep_blank_values=True)
            return _is_form({"name": fields.pop("name", [""])[0], **fields})
        case "called", "application/json":
            try:
                return _is_form(json.loads(body))
            except ValueError:
                return False
        case "file", "multipart/form-data":
            message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
            parts = message.get_payload() if message.is_multipart() else []
            named = {part.get_param("name", header="content-disposition"): part for part in parts}
            note = named["note"].get_payload(decode=True).decode() if "note" in named else "a"
            return "file" in named and named["file"].get_filename() is not None and _is_text(note)
        case "form" | "called" | "file", _:
            return False
    return True


def _is_form(given: Any) -> bool:
    is_object = isinstance(given, dict) and _is_text(given.get("name"))
    return is_object and isinstance(tags := given.get("tags", []), list) and all(map(_is_text, tags))


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and re.fullmatch("[a-z]{1,20}", given) is not None


def _judged(directory: Path, app: FastAPI, rules: str) -> list[str]:
    """Judge a server by some rules; return the identities of what is violated, and see that most of it was tried."""
    (directory / "spec.json").write_text(json.dumps(contract()), "utf-8")
    with serving(app) as url:
        table = {"service": "all", "base_url": url, "api_key_env": "ALL_KEY", "workflow": "none", "allow_writes": True}
        lines = [f"{name} = {json.dumps(value)}" for name, value in (table | {"requests_per_second": 10_000}).items()]
        (directory / "targets.toml").write_text("\n".join(["[targets.t]", *lines, "max_requests = 100000"]), "utf-8")
        files = [("--targets", "targets.toml"), ("--spec", "spec.json"), ("--report-dir", "report")]
        command = ["--side", "server", "--target", "t", "--seed", "1", "-k", rules]
        status = main([*command, *(word for option, name in files for word in (option, str(directory / name)))])
    report = json.loads((directory / "report" / "results.json").read_text(encoding="utf-8"))
    assert KEY not in json.dumps(report)
    assert {row["operation"] for row in report["results"] if row["verdict"] == "not_exercised"} <= {"be_called"}
    found = [row["identity"] for row in report["results"] if row["verdict"] == "violation"]
    assert status == bool(found)
    return found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_KEY", KEY)


@pytest.mark.slow
def test_a_correct_server_causes_no_alarm(tmp_path: Path) -> None:
    """Keys go where the schemes say, forms are written as forms, and what a form can't say is not asked for."""
    assert _judged(tmp_path, server(), "SRV-*") == []


@pytest.mark.parametrize(
    ("operation", "rule", "found"),
    [
        ("by_both", "SRV-05", "no key"),
        ("text", "SRV-02", "#/paths/~1text/get/responses/200/content"),
        ("form", "SRV-04", "properties/name/maxLength"),
    ],
)
def test_a_defect_is_found(operation: str, rule: str, found: str, tmp_path: Path) -> None:
    """An operation that lets everybody in, takes any body, or answers in another media type."""
    violated = _judged(tmp_path, server(defect=operation), rule)
    assert violated
    assert any(found in identity for identity in violated), violated
