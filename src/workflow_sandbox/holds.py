"""Holds: runs and nodes that wait, before they begin or before they end, until a test releases them.

`POST /_sandbox/holds` sets one, `GET /_sandbox/holds/ID?seconds=S` waits until something is held by it, `DELETE`
releases it. They are gone with the process that they were set in: after its restart nothing is held by them.
"""

import asyncio
import contextlib
import functools
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from workflow_sandbox.database import Database
from workflow_sandbox.hold_store import Hold, HoldStore
from workflow_sandbox.json_types import Integer, String
from workflow_sandbox.outages import Outages
from workflow_sandbox.routing import Router
from workflow_sandbox.wire import JSONReply, path_value, query_integer, read_body

_MOST_HOLDS = 1000
_SECONDS_BETWEEN_LOOKS = 0.05
_MOST_LOOKS_A_SECOND = 500
_LONGEST_WAIT = 50  # below the time after which a connection that gets no reply is given up


class HoldOrder(BaseModel):
    """What is to be held: a workflow's runs or one run, in all of its nodes or in one, before it begins or ends."""

    model_config = ConfigDict(strict=True, extra="forbid")

    workflow: String | None = None
    run: Integer | None = None
    node: String | None = None
    status: Literal["QUEUED", "RUNNING"] | None = None

    @model_validator(mode="after")
    def _workflow_or_run(self) -> Self:
        if (self.workflow is None) == (self.run is None):
            raise PydanticCustomError("missing", "Give the name of a workflow or the id of a run")
        return self


class Holds:
    """All holds that are set, whichever process they were set in."""

    def __init__(self, database: Database, outages: Outages) -> None:
        self._store = HoldStore(database)
        self._outages = outages
        self._is_shared = database.is_shared
        self._own: set[str] = set()
        self._waiting = 0
        self._changes: dict[tuple[str, str], asyncio.Event] = {}

    def add(self, order: HoldOrder) -> Hold:
        """Set a hold. Without a status a whole run is held before it begins, a node before it ends."""
        status = order.status or ("QUEUED" if order.node is None else "RUNNING")
        hold = Hold(secrets.token_hex(8), order.workflow, order.run, order.node, status)
        self._store.add(hold)
        self._own.add(hold.id)
        return hold

    def get(self, id_: str) -> Hold | None:
        """Return a hold that is set, and what it holds."""
        return self._store.get(id_)

    def release(self, id_: str) -> None:
        """Let go on what a hold has held."""
        self._store.remove(id_)
        self._own.discard(id_)
        self._tell(id_, "released")

    @property
    def may_be_set(self) -> bool:
        """Whether there is any, as far as that is known without a look."""
        return self._is_shared or bool(self._own)

    @property
    def are_too_many(self) -> bool:
        """Whether no further one is taken."""
        return self._store.count() >= _MOST_HOLDS

    async def outlast(self, workflow: str, run: int, node: str, status: str) -> None:
        """Wait as long as a node is held in a status."""
        if not self.may_be_set:
            return
        find = functools.partial(self._store.holding, workflow, run, node, status)
        while (id_ := await self._outages.outlast(find)) is not None:
            if await self._outages.outlast(functools.partial(self._store.note, id_, run)):
                self._tell(id_, "arrived")
            await self._changed(id_, "released")

    async def with_something(self, hold: Hold, seconds: float) -> Hold:
        """Return a hold as soon as it holds something, is released, or the time is up."""
        ends = time.monotonic() + seconds
        while not hold.held and (left := ends - time.monotonic()) > 0:
            await self._changed(hold.id, "arrived", left)
            found = self.get(hold.id)
            if found is None:
                break
            hold = found
        return hold

    def _tell(self, id_: str, what: str) -> None:
        if event := self._changes.pop((id_, what), None):
            event.set()

    async def _changed(self, id_: str, what: str, seconds: float | None = None) -> None:
        """Wait until something may have become of a hold: of what other processes do, a look by and by has to tell."""
        event = self._changes.setdefault((id_, what), asyncio.Event())
        if self._is_shared:
            # With so many that wait it is at most 500 looks a second.
            look = _SECONDS_BETWEEN_LOOKS + self._waiting / _MOST_LOOKS_A_SECOND
            seconds = look if seconds is None else min(look, seconds)
        self._waiting += 1
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)
        finally:
            self._waiting -= 1


class HoldRoutes:
    """The operations by which a test sets and releases holds."""

    def __init__(self, holds: Holds, authenticate: Callable[[Request], Awaitable[None]]) -> None:
        self._holds = holds
        self.router = Router("/_sandbox/holds", authenticate)
        self.router.add("", self.add, methods=["POST"])
        self.router.add("/{id:segment}", self.one, methods=["GET", "DELETE"])

    async def add(self, request: Request) -> JSONReply:
        """Set a hold."""
        order, _ = await read_body(request, HoldOrder)
        if self._holds.are_too_many:
            raise HTTPException(400, f"There are {_MOST_HOLDS} holds already")
        return JSONReply(self._holds.add(order).shown(), 201)

    async def one(self, request: Request) -> JSONReply:
        """Reply with a hold once something is held by it or the time is up, or release it."""
        hold = self._holds.get(path_value(request, "id"))
        if hold is None:
            raise HTTPException(404, "No such hold; it may have been released")
        if request.method == "DELETE":
            self._holds.release(hold.id)
            return JSONReply(hold.shown())
        seconds = query_integer(request, "seconds", minimum=0, maximum=_LONGEST_WAIT) or 0
        return JSONReply((await self._holds.with_something(hold, seconds)).shown())
