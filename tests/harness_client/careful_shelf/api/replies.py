"""Makes responses of what came."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from careful_shelf.checks import read_reply
from careful_shelf.errors import UnexpectedStatus
from careful_shelf.types import Response

T = TypeVar("T")
Readers = Mapping[str, Callable[[Any], T] | None]


def build_response(response: httpx.Response, operation: str, readers: Readers[T]) -> Response[T | None]:
    """
    Read a response.

    Args:
        response: What came.
        operation: JSON pointer of the operation.
        readers: What makes a value of a body, by status; None for a status without a body.
    """
    status = str(response.status_code) if str(response.status_code) in readers else "default"
    if status not in readers:
        raise UnexpectedStatus(f"status {response.status_code}", response.status_code, response.content)
    reader = readers[status]
    parsed = None
    if reader is not None:
        schema = f"{operation}/responses/{status}/content/application~1json/schema"
        parsed = reader(read_reply(response, schema))
    return Response(response.status_code, response.content, response.headers, parsed)
