"""``GET /books``."""

import re
from typing import Any

from careful_shelf.api.replies import Readers, build_response
from careful_shelf.checks import check_argument
from careful_shelf.client import Client, plain
from careful_shelf.errors import InvalidArgument
from careful_shelf.models import BookPage, Problem, SearchPending
from careful_shelf.types import UNSET, Response, Unset

OPERATION = "/paths/~1books/get"
READERS: Readers[BookPage | SearchPending | Problem] = {
    "200": BookPage.from_dict,
    "202": SearchPending.from_dict,
    "400": Problem.from_dict,
}
NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e]|^[\t ]|[\t ]$")


def _get_kwargs(
    *,
    client: Client,
    author: str,
    tags: list[str] | Unset,
    ids: list[int] | Unset,
    page_size: int | Unset,
    loud: bool | Unset,
    x_trace: str | Unset,
    session: str | Unset,
) -> dict[str, Any]:
    given = {"author": author, "tags": tags, "ids": ids, "pageSize": page_size, "loud": loud}
    given |= {"X-Trace": x_trace, "session": session}
    for index, (name, value) in enumerate(given.items()):
        if value is not UNSET:
            check_argument(name, value, f"{OPERATION}/parameters/{index}/schema")
    params = [("author", plain(author))]
    params += [("tags", plain(tag)) for tag in tags or ()]
    params += [("ids", ",".join(map(plain, ids)))] if not isinstance(ids, Unset) else []
    params += [(name, plain(value)) for name, value in (("pageSize", page_size), ("loud", loud)) if value is not UNSET]
    client.check_credentials()
    return {"method": "GET", "url": "/books", "params": params, "headers": _headers(x_trace, session), "key": True}


def _headers(trace: str | Unset, session: str | Unset) -> dict[str, str]:
    headers: dict[str, str] = {}
    if not isinstance(trace, Unset):
        if NOT_IN_A_HEADER.search(trace):
            raise InvalidArgument("X-Trace: a header can't hold this")
        headers["X-Trace"] = trace
    if not isinstance(session, Unset):
        headers["Cookie"] = f"session={plain(session)}"
    return headers


def sync_detailed(
    *,
    client: Client,
    author: str,
    tags: list[str] | Unset = UNSET,
    ids: list[int] | Unset = UNSET,
    page_size: int | Unset = UNSET,
    loud: bool | Unset = UNSET,
    x_trace: str | Unset = UNSET,
    session: str | Unset = UNSET,
) -> Response[BookPage | SearchPending | Problem | None]:
    """List books."""
    kwargs = _get_kwargs(
        client=client,
        author=author,
        tags=tags,
        ids=ids,
        page_size=page_size,
        loud=loud,
        x_trace=x_trace,
        session=session,
    )
    return build_response(client.send(kwargs), OPERATION, READERS)


async def asyncio_detailed(
    *,
    client: Client,
    author: str,
    tags: list[str] | Unset = UNSET,
    ids: list[int] | Unset = UNSET,
    page_size: int | Unset = UNSET,
    loud: bool | Unset = UNSET,
    x_trace: str | Unset = UNSET,
    session: str | Unset = UNSET,
) -> Response[BookPage | SearchPending | Problem | None]:
    """List books."""
    kwargs = _get_kwargs(
        client=client,
        author=author,
        tags=tags,
        ids=ids,
        page_size=page_size,
        loud=loud,
        x_trace=x_trace,
        session=session,
    )
    return build_response(await client.send_async(kwargs), OPERATION, READERS)
