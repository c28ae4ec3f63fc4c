"""Makes calls with whatever package comes first on the path: a program that `growing.try_out` starts."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys
from typing import Any

import httpx
from growing import Tried, Try


def main() -> None:
    """Read the calls from standard input, write what came of them to standard output."""
    whole, tries = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    if whole:
        kind = importlib.import_module("workflow_runs").PromptLayer
        options = {"retries": 0}
    else:
        kind = importlib.import_module("workflow_runs_api.api.promptlayer").PromptLayerOperations
        options = {"base_url": "https://api.promptlayer.com"}  # type: ignore[dict-item]
    sys.stdout.buffer.write(pickle.dumps([_tried(kind, options, each) for each in tries]))


def _tried(kind: Any, options: dict[str, Any], each: Try) -> Tried:
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        headers = {"content-type": each.media_type} if each.media_type else {}
        return httpx.Response(each.status, headers=headers, content=each.content)

    http = httpx.Client(transport=httpx.MockTransport(reply))
    client = kind(api_key="key", http_client=http, headers=each.headers, **options)
    error = error_field = None
    try:
        result = getattr(client.with_options(**each.options), each.method)(*each.positional, **each.keywords)
        plain = _plain(result)
    except Exception as caught:  # noqa: BLE001 - told to whoever asked
        result, error = caught, str(caught)
        plain, error_field = _plain(getattr(caught, "body", None)), getattr(caught, "field", None)
    sent = [
        (
            request.method,
            request.url.raw_path.decode(),
            [(name.decode().lower(), value.decode()) for name, value in request.headers.raw],
            request.content,
        )
        for request in requests
    ]
    signature = str(inspect.signature(getattr(kind, each.method)))
    return Tried(signature, sent, type(result).__name__, plain, error, error_field)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return getattr(value, "text", None) or value


if __name__ == "__main__":
    main()
