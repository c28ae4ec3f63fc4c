"""The judged client in a process of its own: starts it, asks it, starts it again when it hangs or dies."""

import threading
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import asdict
from typing import Any, Final, Self

from contract_tests.client.adapter import ABSENT, Call, Connection
from contract_tests.client.driver.json_bytes import encode_bytes
from contract_tests.client.subject_process import Choice, SubjectProcess
from contract_tests.rules import SetUpError, shown

CALL_TIMEOUT: Final = 30.0
ANOTHER_HUNG: Final = "the client's process was ended, since another call of it hung"


class Subject:
    """A client's process; a context manager. Calls may be made from several threads at a time."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._process: SubjectProcess | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start the process now; see :meth:`ask` for what can go wrong."""
        self._running()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def ask(
        self,
        task: str,
        connection: Connection | None = None,
        call: Call | None = None,
        *,
        timeout: float = CALL_TIMEOUT,
        **more: Any,
    ) -> Mapping[str, Any]:
        """
        Have the driver do one of its tasks and return its answer.

        Args:
            task: Its name; see :class:`~contract_tests.client.driver.program.Driver`.
            connection: What the client is built with.
            call: The operation and its arguments.
            timeout: Seconds after which a task without an answer is given up and the process ended.
            more: What else the task asks for.

        Raises:
            SetUpError: If the client cannot be loaded, or its adapter breaks.
        """
        message: dict[str, Any] = {"do": task, **more}
        # Their attributes as they are: asdict copies all that is in them, a fifth of what a message costs.
        if connection is not None:
            scheme = None if connection.scheme is None else asdict(connection.scheme)
            message["connection"] = {**vars(connection), "scheme": scheme}
        if call is not None:
            arguments = {"path": call.path, "query": call.query, "header": call.header, "cookie": call.cookie}
            message["operation"] = vars(call.operation)
            message["arguments"] = arguments if call.body is ABSENT else {**arguments, "body": encode_bytes(call.body)}
        process = self._running()
        try:
            answer = process.ask(message).result(timeout)
        except FutureTimeoutError:
            self._forget(process)
            return {"kind": "lost", "is_hung": True, "reason": f"the client hung: no outcome within {timeout:g} s"}
        if answer["kind"] == "broken":
            raise SetUpError(f"adapter {self.choice.adapter}: {shown(answer['reason'])}")
        if answer["kind"] == "lost":
            self._forget(process)
        return answer

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            if self._process is not None:
                self._process.end(ANOTHER_HUNG)
            self._process = None

    def stop_calls(self, reason: str) -> None:
        """End all calls that are being made, with the process; the next one starts another."""
        if (process := self._process) is not None:
            self._forget(process, reason)

    def _running(self) -> SubjectProcess:
        with self._lock:
            if self._process is None:
                self._process = SubjectProcess(self.choice)
            return self._process

    def _forget(self, process: SubjectProcess, reason: str = ANOTHER_HUNG) -> None:
        with self._lock:
            process.end(reason)
            if self._process is process:
                self._process = None
