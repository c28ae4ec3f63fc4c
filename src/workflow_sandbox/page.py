"""The page at `/`: workflows, runs with their nodes and outputs, callbacks and requests, as they are and live.

It takes no key, so it is for this machine's own browser alone. Everything on it was stored by somebody: it travels as
JSON and is put into the page as text. The policy lets nothing run but the page's own script, and nothing be loaded.
"""

import base64
import hashlib
import re
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from workflow_sandbox.admin import is_local
from workflow_sandbox.overview import Overview
from workflow_sandbox.routing import Router
from workflow_sandbox.wire import JSONReply

_HTML = files("workflow_sandbox").joinpath("page.html").read_bytes()


def _hash_of(tag: str) -> str:
    found = re.search(rb"<%s>(.*?)</%s>" % (tag.encode(), tag.encode()), _HTML, re.DOTALL)
    assert found is not None
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1]).digest()).decode()}'"


_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_hash_of('script')}; style-src {_hash_of('style')}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """The routes of the page and of what it shows."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self.router = Router()
        self.router.add("/", self.page, methods=["GET"])
        self.router.add("/_sandbox/state", self.state, methods=["GET"])

    async def page(self, request: Request) -> Response:
        """Reply with the page."""
        _refuse_strangers(request)
        return Response(_HTML, headers=_HEADERS, media_type="text/html")

    async def state(self, request: Request) -> Response:
        """Reply with what the page shows, or that nothing has changed."""
        _refuse_strangers(request)
        response = JSONReply(self._overview.state(), headers=_HEADERS)
        tag = response.headers["ETag"] = f'"{hashlib.sha256(response.body).hexdigest()}"'
        return (
            Response(status_code=304, headers={"ETag": tag})
            if request.headers.get("if-none-match") == tag
            else response
        )


def _refuse_strangers(request: Request) -> None:
    if not is_local(request):
        raise HTTPException(404, "The sandbox's page is for browsers on its own machine")
