"""The Interactly clients: the contract's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_runs_api.api.interactly import AsyncInteractlyOperations, InteractlyOperations

from .settings import Configured, Http

if TYPE_CHECKING:
    from typing import Literal  # noqa: F401 - what the bases below name

    import httpx  # noqa: F401

__all__ = ["AsyncInteractly", "Interactly"]


class _Interactly(Configured[Http]):
    """Only a QA address is documented, and nobody should land there by accident: the address has no default."""

    _service = "INTERACTLY"
    _production = None


class Interactly(_Interactly["httpx.Client"], InteractlyOperations):
    """A client for Interactly: key from `INTERACTLY_API_KEY`, address from `INTERACTLY_BASE_URL` if not given.

    Example:
        >>> with Interactly(api_key="key", base_url="https://api-qa.interactly.ai/workflows") as client:
        ...     client.base_url
        'https://api-qa.interactly.ai/workflows'
    """


class AsyncInteractly(_Interactly["httpx.AsyncClient | Literal['aiohttp']"], AsyncInteractlyOperations):
    """The same for asyncio: its methods are awaited, and it is closed by `async with` or `aclose()`."""
