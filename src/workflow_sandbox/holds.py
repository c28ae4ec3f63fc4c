"""Holds: runs and nodes that wait, before they begin or before they end, until a test releases them.

`POST /_sandbox/holds` sets one, `GET /_sandbox/holds/ID?seconds=S` waits until something is held by it, `DELETE`
releases it. They are gone with the process: after a restart nothing is held.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from workflow_sandbox.json_types import Integer, String
from workflow_sandbox.routing import Router
from workflow_sandbox.wire import JSONReply, path_value, query_integer, read_body

_MOST_HOLDS = 1000
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


@dataclass
class Hold:
    """One hold, until it is released.

    Attributes:
        status: In which status a node waits.
        held: Ids of the runs that have come to it, in the order in which they came.
    """

    workflow: str | None
    run: int | None
    node: str | None
    status: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    held: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def has(self, workflow: str, run: int, node: str, status: str) -> bool:
        """Return whether this holds a node in a status."""
        is_run = self.run == run if self.workflow is None else self.workflow == workflow
        return is_run and self.status == status and self.node in {None, node}

    def shown(self) -> dict[str, Any]:
        """Return the hold as it is shown."""
        return {name: getattr(self, name) for name in ("id", "workflow", "run", "node", "status", "held")}


class Holds:
    """All holds that are set."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    def add(self, order: HoldOrder) -> Hold:
        """Set a hold. Without a status a whole run is held before it begins, a node before it ends."""
        status = order.status or ("QUEUED" if order.node is None else "RUNNING")
        hold = Hold(order.workflow, order.run, order.node, status)
        self._holds[hold.id] = hold
        return hold

    def get(self, id_: str) -> Hold | None:
        """Return a hold that is set."""
        return self._holds.get(id_)

    def release(self, hold: Hold) -> None:
        """Let go on what a hold has held."""
        self._holds.pop(hold.id, None)
        hold.released.set()

    @property
    def are_too_many(self) -> bool:
        """Whether no further one is taken."""
        return len(self._holds) >= _MOST_HOLDS

    async def outlast(self, workflow: str, run: int, node: str, status: str) -> None:
        """Wait as long as a node is held in a status."""
        while hold := next((one for one in self._holds.values() if one.has(workflow, run, node, status)), None):
            if run not in hold.held:
                hold.held.append(run)
            hold.arrived.set()
            await hold.released.wait()


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
            self._holds.release(hold)
            return JSONReply(hold.shown())
        seconds = query_integer(request, "seconds", minimum=0, maximum=_LONGEST_WAIT) or 0
        _, waiting = await asyncio.wait([asyncio.ensure_future(hold.arrived.wait())], timeout=seconds)
        for one in waiting:
            one.cancel()
        return JSONReply(hold.shown())
