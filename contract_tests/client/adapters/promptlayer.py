"""
Drives the ``promptlayer`` SDK (written against 1.5.16) for the two operations that it uses: run and results.

What is driven: ``promptlayer.utils._post_workflow_id_run`` and ``promptlayer.utils._get_final_output``, the coroutines
through which every run of the SDK goes; in the synchronous form inside ``asyncio.run``, as the SDK does it. The public
``run_workflow`` wraps them in exchanges that are no operations of the contract: it looks up the workflow's id, gets a
token, and listens to a WebSocket. It also makes a ``PromptLayerAPIError`` without status and response of whatever they
raise. Here foreign exceptions become that error as well, and the SDK's own ones keep their response: a caller of
``run_workflow`` never gets more than what is judged here, and in errors less.

What is not claimed: other operations; ``callback_url`` and members that the contract does not name; workflow names that
need encoding, since the SDK puts the id there that it has looked up; and time-outs by client, since
``PROMPTLAYER_HTTP_TIMEOUT`` sets one for the whole process: the default of 5 s stands.
"""

import asyncio
import importlib
import os
import re
import uuid
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from contract_tests.client.adapter import Call, CannotExpress, Connection, Explanation, NotSupported, Received, to_json

VARIABLES: Final = ("HTTP_TIMEOUT", "RE_RAISE_ORIGINAL_EXCEPTION", "RAISE_FOR_STATUS")
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
MEMBERS: Final = ("workflow_label_name", "workflow_version_number", "metadata", "input_variables", "return_all_outputs")


class PromptLayerSdk:
    """The adapter for the SDK, which is installed in the environment that it runs in."""

    def __init__(self, generated: str) -> None:  # noqa: ARG002 - the SDK is not generated
        for name in VARIABLES:
            os.environ.pop(f"PROMPTLAYER_{name}", None)
        self._functions = importlib.import_module("promptlayer.utils")
        self._errors = importlib.import_module("promptlayer.exceptions")
        self.own_errors: tuple[type[BaseException], ...] = (self._errors.PromptLayerError,)
        self._sdk = importlib.import_module("promptlayer")

    def connect(self, connection: Connection) -> Any:
        """Build the SDK's client; address and key are taken from it, as its own methods do."""
        kind = self._sdk.AsyncPromptLayer if connection.is_async else self._sdk.PromptLayer
        return kind(api_key=connection.key or None, base_url=connection.base_url)

    def invoke(self, client: Any, call: Call) -> Any:
        """Await the coroutine of the operation."""
        match call.operation.id:
            case "runWorkflow":
                coroutine = self._run(client, call)
            case "getWorkflowVersionExecutionResults":
                coroutine = self._results(client, call)
            case name:
                raise NotSupported(f"the SDK has nothing for {name}")
        wrapped = self._wrapped(coroutine)
        return wrapped if call.is_async else asyncio.run(wrapped)

    async def _wrapped(self, coroutine: Awaitable[Any]) -> Any:
        """Await it, with the errors of ``run_workflow`` for foreign ones."""
        try:
            return await coroutine
        except self._errors.PromptLayerError:
            raise
        except TimeoutError as error:
            message = "Workflow execution timed out"
            raise self._errors.PromptLayerAPITimeoutError(message, response=None, body=None) from error
        except Exception as error:
            message = f"Error running workflow: {error}"
            raise self._errors.PromptLayerAPIError(message, response=None, body=None) from error

    def _run(self, client: Any, call: Call) -> Any:
        name, body = call.path.get("workflow_name"), call.body
        if name is None:
            raise CannotExpress("workflow_id is demanded")
        if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
            raise NotSupported("the SDK puts the workflow's id there, which it looks up by its name")
        if not isinstance(body, Mapping):
            raise CannotExpress("the body's members are keywords")
        if more := body.keys() - set(MEMBERS):
            raise NotSupported(f"run_workflow has no argument for {', '.join(sorted(more))}")
        defaults = {"input_variables": {}, "return_all_outputs": False}  # those of run_workflow
        return self._functions._post_workflow_id_run(  # noqa: SLF001 - see the module's docstring
            base_url=client.base_url,
            authentication_headers={"X-API-KEY": client.api_key},
            workflow_id=name,
            channel_name_suffix=uuid.uuid4().hex,
            **{**dict.fromkeys(MEMBERS), **defaults, **body},
        )

    def _results(self, client: Any, call: Call) -> Any:
        if "workflow_version_execution_id" not in call.query:
            raise CannotExpress("execution_id is demanded")
        return self._functions._get_final_output(  # noqa: SLF001 - see the module's docstring
            client.base_url,
            call.query["workflow_version_execution_id"],
            call.query.get("return_all_outputs", False),
            headers={"X-API-KEY": client.api_key},
        )

    def read(self, value: Any, call: Call) -> Received:  # noqa: ARG002 - the protocol's
        """The execution id of a run, or the parsed results."""
        return Received(json=to_json(value), type_name=type(value).__name__)

    def explain(self, error: BaseException, call: Call) -> Explanation:  # noqa: ARG002 - the protocol's
        """Read the documented attributes ``response`` and ``body``."""
        response, body = getattr(error, "response", None), getattr(error, "body", None)
        return Explanation(
            status=getattr(response, "status_code", None),
            body=None if body is None else Received(json=to_json(body), type_name=type(body).__name__),
            content=getattr(response, "content", None),
        )
