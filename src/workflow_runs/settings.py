"""What all clients have in common: settings from the environment, a default policy for sending again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from workflow_runs_api.client import MAX_RESPONSE_BYTES, TOTAL_TIMEOUT, Settings
from workflow_runs_api.errors import BadArgument, MaybeSent, WorkflowRunsError
from workflow_runs_api.secret import Secret

from .retries import Retries
from .version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from workflow_runs_api.operation import Outgoing

__all__ = ["Configured"]

Http = TypeVar("Http")  # httpx.Client, or httpx.AsyncClient and "aiohttp"


class Configured(Settings, Generic[Http]):
    """Built from keywords, else from the environment; views and copies share what they are set to.

    It can be pickled and copied deeply, used or not: the copy opens connections of its own. A pickle holds the key, so
    keep it as you keep the key. With an `http_client` of yours it can't be pickled, and a copy has the same one.
    """

    _service: ClassVar[str]
    _production: ClassVar[str | None]
    _user_agent = f"workflow-runs/{__version__}"
    _retries: Retries
    _tag_name: str | None = None

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        total_timeout: float | None = TOTAL_TIMEOUT,
        max_response_bytes: int | None = MAX_RESPONSE_BYTES,
        retries: int | Retries | None = None,
        headers: Mapping[str, str] | None = None,
        http_client: Http | None = None,
    ) -> None:
        """Set a client up; nothing is sent, and no connection opened.

        Args:
            api_key: The key. Default: `<SERVICE>_API_KEY` from the environment.
            base_url: The service's address. Default: `<SERVICE>_BASE_URL` from the environment, else the documented
                one for production, if there is one.
            timeout: Seconds for each of connecting, writing, and waiting for a piece of the reply, or an
                `httpx.Timeout`. Default: 5 s to connect and to write, 60 s to wait.
            total_timeout: Seconds for one try of a call, from the moment at which it has its connection to the last
                byte of the reply, however it trickles in: connecting, sending, headers, interim replies and body.
                Queueing for one of the client's hundred connections does not count, and a call that is tried again has
                as much for each try. A try whose time is over ends in `MaybeSent`. None for no bound. Default: 300.
            max_response_bytes: Bytes of a reply's body at most, before and after it is decompressed; one that is
                larger ends in `ContractBroken`, a refusal in the error of its status. None for no bound. Default:
                67,108,864 (64 MiB).
            retries: Number of further tries, or a `Retries` object. Default: `Retries()`.
            headers: Headers to send with every request.
            http_client: An httpx client of your own; it stays open when this client is closed. It serves one process,
                and with asyncio one event loop, as httpx has it; without it a client serves any number of them. With
                it `total_timeout` counts from the moment at which a try is handed to it, queueing included. An
                `httpx.Client` can't be stopped while it reads headers that trickle: there each piece may take what
                `timeout` and `total_timeout` allow, and the time is looked at again with each piece of the body.
                For the asyncio clients "aiohttp" puts aiohttp below the client's own connections, in the place of
                httpx' own library: about half the processor time of a call, and the same outcomes. It needs
                `pip install 'workflow-runs[aiohttp]'` and knows no SOCKS proxies.

        Raises:
            BadArgument: A setting makes no sense, or there is no key or no address.
        """
        key, address, sent = Secret.of(api_key), Secret.of(base_url), Secret.of(headers)
        api_key = base_url = headers = None  # before anything is refused, see `Secret`
        found_key = self._found("api_key", key, None)
        found_address = self._found("base_url", address, self._production)
        try:
            super().__init__(
                api_key=found_key,
                base_url=found_address,
                timeout=timeout,
                total_timeout=total_timeout,
                max_response_bytes=max_response_bytes,
                retries=retries,
                headers=sent,
                http_client=http_client,
            )
        except BadArgument as refusal:
            if {"api_key": found_key is not key, "base_url": found_address is not address}.get(refusal.field):
                refusal.message += f"; it comes from {self._variable(refusal.field)} in the environment"
            raise

    def _found(self, field: str, given: Secret[Any], default: str | None) -> Secret[Any]:
        variable = self._variable(field)
        found = Secret(os.environ.get(variable) or default) if given.reveal() is None else given
        if found.reveal() is None:
            raise BadArgument(f"give one, or set {variable} in the environment", field=field)
        return found

    def _variable(self, field: str) -> str:
        return f"{self._service}_{field.upper()}"

    def _policy(self, retries: Any) -> Retries:
        if isinstance(retries, bool) or not isinstance(retries, int | Retries | None):
            raise BadArgument("expected a number of further tries or a Retries object", field="retries")
        if isinstance(retries, Retries):
            return retries
        return Retries() if retries is None else Retries(further_tries=retries)

    def _final(self, error: WorkflowRunsError, outgoing: Outgoing, began: float) -> WorkflowRunsError:
        if error.may_have_run:
            from . import in_doubt  # late, since hardly any call ends like this

            error.sent_at = in_doubt.sent_at(began)
            error.how_to_find = in_doubt.how_to_find(error.operation, outgoing, began, self._tag_name)
            doubt = "" if isinstance(error, MaybeSent) else "it may have started a run: "
            error.message += f"; {doubt}{error.how_to_find}" if error.how_to_find else ""
        return error
