"""``POST /books``."""

from typing import Any

from careful_shelf.api.replies import Readers, build_response
from careful_shelf.checks import check_argument
from careful_shelf.client import Client
from careful_shelf.errors import InvalidArgument
from careful_shelf.models import Book, Problem
from careful_shelf.types import Response

OPERATION = "/paths/~1books/post"
READERS: Readers[Book | Problem] = {"201": Book.from_dict, "409": Problem.from_dict}


def _get_kwargs(client: Client, body: Book) -> dict[str, Any]:
    if not isinstance(body, Book):
        raise InvalidArgument("body: this is no Book")
    value = body.to_dict()
    check_argument("body", value, f"{OPERATION}/requestBody/content/application~1json/schema")
    client.check_credentials()
    headers = {"Content-Type": "application/json"}
    return {"method": "POST", "url": "/books", "json": value, "headers": headers, "key": True}


def sync_detailed(*, client: Client, body: Book) -> Response[Book | Problem | None]:
    """Add a book."""
    return build_response(client.send(_get_kwargs(client, body)), OPERATION, READERS)


async def asyncio_detailed(*, client: Client, body: Book) -> Response[Book | Problem | None]:
    """Add a book."""
    return build_response(await client.send_async(_get_kwargs(client, body)), OPERATION, READERS)
