"""Bytes behind a reply: nobody has asked for them, and no later call may take them for its answer (RFC 9112, 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["end_after_surplus"]

_BELOW = ("_stream", "_httpcore_stream", "_connection", "transport_stream")
_MOST_LAYERS = 16
_AT_ONCE = -1.0


def end_after_surplus(stream: Any) -> None:
    """Let the connection of a reply that was read take no other request if more than the reply has come with it.

    httpcore looks whether the socket of an idle connection has something to read. What was read together with the reply
    lies in the buffers above it, where the next request would find it.

    Args:
        stream: The body of the reply, below which its connection is found if it is one of httpcore's for HTTP/1.1.
    """
    connection = next((part for part in _layers(stream) if hasattr(part, "_h11_state")), None)
    if connection is None:
        return
    if connection._h11_state.trailing_data[0] or _is_held_back(connection._network_stream):  # noqa: SLF001
        connection._keepalive_expiry = connection._expire_at = _AT_ONCE  # noqa: SLF001 - it has no word for it


def _is_held_back(stream: Any) -> bool:
    """Whether what was read from a socket waits to be decrypted, or to be fetched from asyncio's side of it."""
    for layer in _layers(stream):
        encrypted = getattr(layer, "_read_bio", None) or getattr(layer, "_incoming", None)
        if getattr(encrypted, "pending", 0) or getattr(getattr(layer, "_protocol", None), "read_queue", ()):
            return True
    return False


def _layers(layer: Any) -> Iterator[Any]:
    for _ in range(_MOST_LAYERS):
        yield layer
        layer = next((below for name in _BELOW if (below := getattr(layer, name, None)) is not None), None)
        if layer is None:
            return
