"""The ASGI application: both services at one origin, and what runs beside the requests."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow_sandbox.admin import Admin
from workflow_sandbox.answers import Answers, Ask
from workflow_sandbox.assumptions import Assumptions
from workflow_sandbox.callbacks import CallbackPolicy, Deliveries
from workflow_sandbox.chaos import Chaos, Profile
from workflow_sandbox.database import DatabaseFailed
from workflow_sandbox.execution import Executor
from workflow_sandbox.faulty_app import FAULTS, FaultyApp
from workflow_sandbox.fixtures import DIALOGUES
from workflow_sandbox.history import History
from workflow_sandbox.holds import HoldRoutes, Holds
from workflow_sandbox.interactly import Interactly
from workflow_sandbox.live_updates import LiveUpdates
from workflow_sandbox.outages import Outages
from workflow_sandbox.overview import Overview
from workflow_sandbox.page import Page
from workflow_sandbox.promptlayer import PromptLayer
from workflow_sandbox.sizes import Sizes, TooMuch
from workflow_sandbox.store import Store
from workflow_sandbox.wire import Invalid, JSONReply, error_body
from workflow_sandbox.workflow_files import OwnWorkflows

_log = logging.getLogger("workflow_sandbox")


@dataclass(frozen=True)
class Settings:
    """How the sandbox behaves.

    Attributes:
        api_key: PromptLayer's key and Interactly's bearer token.
        node_seconds: How long each node of a PromptLayer run takes.
        callbacks: How outcomes are delivered.
        chaos: What goes wrong unasked; nothing by default.
        assumptions: What no source says of the services.
        sizes: How much is taken: of what a request may hold; of rows the store knows.
        own: The user's own workflows, and replies to prompts; the workflows are in the store already.
        ask: What replies to prompts that no case of the user fits.
    """

    api_key: str = "sandbox-key"
    node_seconds: float = 0.05
    callbacks: CallbackPolicy = field(default_factory=CallbackPolicy)
    chaos: Profile = field(default_factory=Profile)
    assumptions: Assumptions = field(default_factory=Assumptions)
    sizes: Sizes = field(default_factory=Sizes)
    own: OwnWorkflows = field(default_factory=OwnWorkflows)
    ask: Ask | None = None


class _Segment(Convertor[str]):
    # Empty, too: that there is no such name only the operation can say, after the key.
    regex = "[^/]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _EncodedPaths:
    """Lets routes see the path as it came: decoded, a slash within a name could not be told from one between names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if raw_path := scope.get("raw_path"):
            scope = {**scope, "path": raw_path.decode("latin-1")}
        await self._app(scope, receive, send)


def create_app(store: Store, settings: Settings) -> Starlette:
    """Return the application, which goes on with what `store` holds unfinished as soon as it starts."""
    register_url_convertor("segment", _Segment())
    chaos, history = Chaos(settings.chaos), History(settings.api_key)
    outages = Outages(store.database)
    deliveries = Deliveries(store, settings.callbacks, outages, chaos, history, assumptions=settings.assumptions)
    updates = LiveUpdates(store, settings.api_key, settings.assumptions)

    async def tell_end(run_id: int) -> None:
        await updates.tell(run_id)
        await deliveries.schedule(run_id)

    holds, dialogues = Holds(store.database, outages), {**DIALOGUES, **settings.own.dialogues}
    answers = Answers(settings.own.cases, settings.ask)
    executor = Executor(store, settings.node_seconds, tell_end, outages, held=holds, answers=answers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        executor.resume()
        yield
        await executor.close()
        await deliveries.close()

    def on_accepted(request: Request, run_id: int) -> None:
        chaos.bind(run_id, request.scope.get(FAULTS, ()))

    async def reply_later(request: Request, failure: DatabaseFailed) -> JSONReply:
        outages.tell(failure)
        return JSONReply(error_body(request.url.path, f"The sandbox's database can't be used: {failure}"), 503)

    key, assumed = settings.api_key, settings.assumptions
    promptlayer = PromptLayer(store, executor, key, assumed, on_accepted=on_accepted, updates=updates)
    routers = (
        promptlayer.router,
        HoldRoutes(holds, promptlayer.authenticate).router,
        Interactly(store, key, assumed, dialogues).router,
        Page(Overview(store, history, dialogues)).router,
    )
    # By type: Starlette calls each with its own error, which its annotation does not say.
    handlers: dict[Any, Any] = {
        Invalid: _reply_invalid,
        HTTPException: _reply_refused,
        DatabaseFailed: reply_later,
        TooMuch: _reply_full,
        ClientDisconnect: _reply_nobody,
        Exception: _reply_crashed,
    }
    app = Starlette(
        routes=[*(route for router in routers for route in router.routes), updates.route],
        middleware=[Middleware(FaultyApp, chaos=chaos, history=history), Middleware(_EncodedPaths)],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.sizes = settings.sizes
    app.state.admin = Admin(chaos, history).app()
    return app


async def _reply_invalid(_: Request, error: Invalid) -> JSONReply:
    return JSONReply({"detail": error.problems}, 422)


async def _reply_refused(request: Request, error: HTTPException) -> JSONReply:
    return JSONReply(error_body(request.url.path, error.detail), error.status_code, error.headers)


async def _reply_full(request: Request, error: TooMuch) -> JSONReply:
    # No status of the contract says it better, and no client tries a 400 again.
    return JSONReply(error_body(request.url.path, str(error)), 400)


async def _reply_nobody(_: Request, __: ClientDisconnect) -> Response:
    # The caller went away while sending; without this the server would log it as a crash of its own.
    return Response(status_code=400)


async def _reply_crashed(request: Request, _: Exception) -> JSONReply:
    return JSONReply(error_body(request.url.path, "The sandbox failed; its log says why"), 500)
