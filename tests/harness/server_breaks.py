"""What breaks of servers are made of: which request is meant, and what becomes of it or of its reply."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from breaking_proxy import Break, Reply, Request

Change = Callable[[Any], Any]


def is_run(request: Request) -> bool:
    """Whether PromptLayer's run is asked for."""
    return request.path.endswith("/run")


def is_results(request: Request) -> bool:
    """Whether results are asked for."""
    return request.path.startswith("/workflow-version-execution-results")


def members(request: Request) -> dict[str, Any]:
    """The body's members, none if it is no object."""
    body = request.json
    return body if isinstance(body, dict) else {}


def wants_all(request: Request) -> bool:
    """Whether all nodes' outputs are asked for."""
    return parse_qs(urlsplit(request.path).query).get("return_all_outputs") == ["true"]


def body(when: Callable[[Request], bool], change: Change, statuses: tuple[int, ...] = (200, 201, 202)) -> Break:
    """Answer with another body."""

    def after(request: Request, reply: Reply) -> None:
        if when(request) and reply.status in statuses:
            reply.replace_json(change(reply.json))

    return Break(after=after)


def accepting(when: Callable[[Request], bool], instead: dict[str, Any]) -> Break:
    """Take a request that has to be refused, as if its body had been this one."""

    def before(request: Request) -> None:
        if when(request):
            request.replace_json(instead)

    return Break(before=before)


def without(member: str) -> Change:
    """Leave a member out."""
    return lambda value: {key: inner for key, inner in value.items() if key != member}
