"""``GET /openings/{day}``."""

from typing import Any

from careful_shelf.api.replies import Readers, build_response
from careful_shelf.checks import check_argument
from careful_shelf.client import Client, plain
from careful_shelf.models import ClosedDay, OpenDay
from careful_shelf.types import Response

OPERATION = "/paths/~1openings~1{day}/get"


def _read_day(data: dict[str, Any]) -> OpenDay | ClosedDay:
    return ClosedDay.from_dict(data) if data["opens"] is None else OpenDay.from_dict(data)


READERS: Readers[OpenDay | ClosedDay] = {"200": _read_day}


def _get_kwargs(day: str) -> dict[str, Any]:
    check_argument("day", day, f"{OPERATION}/parameters/0/schema")
    return {"method": "GET", "url": f"/openings/{plain(day)}", "headers": {}}


def sync_detailed(day: str, *, client: Client) -> Response[OpenDay | ClosedDay | None]:
    """Tell when the shelf opens."""
    return build_response(client.send(_get_kwargs(day)), OPERATION, READERS)


async def asyncio_detailed(day: str, *, client: Client) -> Response[OpenDay | ClosedDay | None]:
    """Tell when the shelf opens."""
    return build_response(await client.send_async(_get_kwargs(day)), OPERATION, READERS)
