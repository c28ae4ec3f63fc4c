"""Correct servers of contracts that the harness has never seen: what it can't write on the wire it doesn't ask for."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import uvicorn
from fastapi import Cookie, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contract_tests.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Colour(StrEnum):
    """A closed set of words."""

    RED = "red"
    BLUE = "dark blue"


class Thing(BaseModel):
    """A body with what may be null, and what may not."""

    name: str
    size: int | None = None
    tags: list[str | None] = Field(default_factory=list)


def shop() -> FastAPI:
    """Make a service with optional and nullable values in every place that OpenAPI has."""
    app = FastAPI()

    @app.get("/things", operation_id="listThings", tags=["svc"])
    def list_things(  # noqa: PLR0917 - one of each kind
        page: int | None = None,
        flag: bool | None = None,  # noqa: FBT001 - a parameter of a service
        ids: Annotated[list[int] | None, Query()] = None,
        gaps: Annotated[list[int | None] | None, Query()] = None,
        colour: Colour | None = None,
        x_trace: Annotated[int | None, Header()] = None,
        x_flag: Annotated[bool | None, Header()] = None,
        x_text: Annotated[str | None, Header()] = None,
        x_ratio: Annotated[float | None, Header()] = None,
        x_colour: Annotated[Colour | None, Header()] = None,
        seen: Annotated[int | None, Cookie()] = None,
    ) -> dict[str, bool]:
        """Every part may be left out."""
        del page, flag, ids, gaps, colour, x_trace, x_flag, x_text, x_ratio, x_colour, seen
        return {"ok": True}

    @app.get("/things/{number}/{name}", operation_id="getThing", tags=["svc"], responses={404: {}})
    def get_thing(number: int, name: str) -> Thing:
        """Nothing is there: no harness can know what is."""
        raise HTTPException(404, f"there is no thing {number} {name!r}")

    @app.post("/things", operation_id="addThing", tags=["svc"], status_code=201)
    def add_thing(thing: Thing) -> Thing:
        return thing

    return app


def strict(app: FastAPI) -> FastAPI:
    """Answer 415, which the contract doesn't list, to a body that is no JSON by its name."""

    @app.middleware("http")
    async def refuse(request: Request, call_next: Any) -> Response:
        named = request.headers.get("content-type", "application/json").partition(";")[0]
        if named != "application/json":
            return JSONResponse({"detail": f"{named} is no JSON"}, 415)
        reply: Response = await call_next(request)
        return reply

    return app


@contextmanager
def serving(app: FastAPI, **settings: Any) -> Iterator[str]:
    """Serve an application on a free port; give its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", **settings))
    ready = threading.Event()
    startup = server.startup

    async def started(*arguments: Any, **named: Any) -> None:
        await startup(*arguments, **named)
        ready.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def judged(directory: Path, app: FastAPI, url: str) -> tuple[int, list[str], Any]:
    """Judge an application by its own contract; give exit status, what is violated, and the report."""
    contract = {**app.openapi(), "servers": [{"url": url}], "tags": [{"name": "svc"}]}
    (directory / "spec.json").write_text(json.dumps(contract))
    table = {"service": "svc", "base_url": url, "api_key_env": "SHOP_KEY", "workflow": "none", "allow_writes": True}
    lines = [f"{name} = {json.dumps(value)}" for name, value in (table | {"requests_per_second": 10_000}).items()]
    (directory / "targets.toml").write_text("\n".join(["[targets.shop]", *lines, "max_requests = 100000"]))
    command = ["--side", "server", "--target", "shop", "--seed", "1"]
    files = [("--targets", "targets.toml"), ("--spec", "spec.json"), ("--report-dir", "report")]
    status = main([*command, *(word for option, name in files for word in (option, str(directory / name)))])
    report = json.loads((directory / "report" / "results.json").read_text(encoding="utf-8"))
    violated = [f"{row['identity']}: {row['received']}" for row in report["results"] if row["fails"]]
    return status, violated, report


@pytest.mark.slow
def test_correct_shop_causes_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Null, lists and objects that no header, path, query or cookie can carry are not sent; 415 is a refusal."""
    monkeypatch.setenv("SHOP_KEY", "shop-key")
    app = strict(shop())
    with serving(app) as url:
        status, violated, report = judged(tmp_path, app, url)

    assert violated == []
    assert status == 0
    assert report["summary"]["pass"] > 15
