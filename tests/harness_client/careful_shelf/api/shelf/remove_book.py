"""``DELETE /shelves/{number}/books/{title}``."""

from typing import Any

from careful_shelf.api.replies import Readers, build_response
from careful_shelf.checks import check_argument
from careful_shelf.client import Client, plain
from careful_shelf.errors import InvalidArgument
from careful_shelf.models import Problem
from careful_shelf.types import Response

OPERATION = "/paths/~1shelves~1{number}~1books~1{title}/delete"
READERS: Readers[Problem] = {"204": None, "default": Problem.from_dict}
STEPS = {".", ".."}


def _get_kwargs(client: Client, number: int, title: str) -> dict[str, Any]:
    for index, (name, value) in enumerate((("number", number), ("title", title))):
        check_argument(name, value, f"{OPERATION}/parameters/{index}/schema")
    if title in STEPS:
        raise InvalidArgument("title: this would be another path")
    url = f"/shelves/{plain(number)}/books/{plain(title)}"
    client.check_credentials()
    return {"method": "DELETE", "url": url, "headers": {}, "key": True}


def sync_detailed(number: int, title: str, *, client: Client) -> Response[Problem | None]:
    """Remove a book."""
    return build_response(client.send(_get_kwargs(client, number, title)), OPERATION, READERS)


async def asyncio_detailed(number: int, title: str, *, client: Client) -> Response[Problem | None]:
    """Remove a book."""
    return build_response(await client.send_async(_get_kwargs(client, number, title)), OPERATION, READERS)
