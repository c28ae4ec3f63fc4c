"""Lists are gone through page by page: lazily, within a bound, and not for ever."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from client_calls import Flavour, Wire, reply

from workflow_runs import UNSET, BadArgument

RUNS, WORKFLOWS = "iter_workflow_runs", "iter_workflows"
SERVICES = {RUNS: "interactly", WORKFLOWS: "promptlayer"}


def pages_of(total: int, size: int, *, tells: bool = True, ends: bool = True) -> Any:
    """A service with so many items, on pages of this size; it may keep back how many, or never come to an end."""

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        ids = range((number - 1) * size, min(number * size, total) if ends else number * size)
        known: dict[str, Any] = {"total": total} if tells else {}
        if request.url.path.endswith("/workflow-runs"):
            runs = [{"_id": str(id_), "workflow_run": {"status": "completed"}} for id_ in ids]
            return reply(200, {"workflow_runs": runs, **known})
        items = [{"id": id_, "workspace_id": 1, "name": "w", "is_deleted": False, "release_labels": []} for id_ in ids]
        last = -(-total // size)
        page = {"page": number, "per_page": size, "pages": last, "has_next": not ends or number < last}
        return reply(200, {"items": items, "has_prev": number > 1, **page, **known})

    return answer


def gone_through(flavour: Flavour, method: str, wire: Wire, **arguments: Any) -> list[str]:
    """Return the ids of all items that come."""
    client = flavour.client(SERVICES[method], wire)
    items = getattr(client, method)(**arguments)

    async def collected() -> list[Any]:
        return [item async for item in items]

    found = asyncio.run(collected()) if hasattr(items, "__aiter__") else list(items)
    return [str(item.id if method == WORKFLOWS else item.field_id) for item in found]


@pytest.mark.parametrize("method", SERVICES)
@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("total", [0, 1, 2, 5, 6])
def test_every_item_comes_once(flavour: Flavour, method: str, total: int, tells: bool) -> None:  # noqa: FBT001
    """In order, whether or not the service says how many there are."""
    size = {"size": 2} if method == RUNS else {"per_page": 2}
    wire = Wire(pages_of(total, 2, tells=tells))
    assert gone_through(flavour, method, wire, **size) == [str(number) for number in range(total)]
    # Without a total the end shows by an empty page: a service may make its pages smaller than it was asked to.
    assert len(wire.requests) <= total // 2 + 2 - tells


def test_a_service_may_have_smaller_pages_than_documented(flavour: Flavour) -> None:
    """Its total says how many runs there are, whatever is on a page."""
    wire = Wire(pages_of(50, 20))
    assert gone_through(flavour, RUNS, wire, page=2) == [str(number) for number in range(20, 50)]
    assert len(wire.requests) == 2
    assert len(gone_through(flavour, RUNS, Wire(pages_of(50, 20)))) == 50


@pytest.mark.parametrize("method", SERVICES)
def test_what_is_not_set_is_as_if_it_were_not_there(flavour: Flavour, method: str) -> None:
    """The page to begin with, too."""
    arguments = {"page": UNSET, "size" if method == RUNS else "per_page": UNSET}
    assert gone_through(flavour, method, Wire(pages_of(3, 100)), **arguments) == ["0", "1", "2"]


@pytest.mark.parametrize("method", SERVICES)
@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (1, 1), (2, 1), (3, 2)])
def test_no_page_is_asked_for_that_is_not_wanted(flavour: Flavour, method: str, limit: int, requests: int) -> None:
    """Not even of a service whose list has no end."""
    wire = Wire(pages_of(10, 2, tells=False, ends=False))
    assert len(gone_through(flavour, method, wire, limit=limit)) == limit
    assert len(wire.requests) == requests


def test_filters_go_with_every_page(flavour: Flavour) -> None:
    """And the page to begin with is where it begins."""
    wire = Wire(pages_of(8, 2))
    assert gone_through(flavour, WORKFLOWS, wire, per_page=2, sort_by="name", page=3) == ["4", "5", "6", "7"]
    assert [dict(request.url.params) for request in wire.requests] == [
        {"page": page, "per_page": "2", "sort_by": "name"} for page in ("3", "4")
    ]


@pytest.mark.parametrize("limit", [-1, 1.5, "2", True])
def test_a_limit_that_makes_no_sense_is_refused(flavour: Flavour, limit: Any) -> None:
    """Before anything is sent."""
    wire = Wire(httpx.Response(200, content=json.dumps({})))
    with pytest.raises(BadArgument) as caught:
        gone_through(flavour, WORKFLOWS, wire, limit=limit)
    assert (caught.value.field, wire.requests) == ("limit", [])
