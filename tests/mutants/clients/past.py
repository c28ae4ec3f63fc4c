"""Clients that get wrong what comes after a call: its cancelling, its log, a redirect, its error, a long wait."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect, generated

TIMED_OUT: Final = "    except (httpx.TimeoutException, TimeoutError) as error:\n"
PARTS: Final = '(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))'


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield defect(
        "cancelled.as-time-out",
        "takes the cancelling of its task for a time-out",
        "cancelling lost",
        "CL-REL-26",
        generated(
            "transport.py",
            TIMED_OUT,
            '    except sys.modules["asyncio"].CancelledError:\n'
            '        raise httpx.ReadTimeout("cancelled") from None\n' + TIMED_OUT,
        ),
    )
    yield defect(
        "key.in-log-of-a-part",
        "masks keys in the log of httpcore, and not in those of its parts",
        "key in log",
        "CL-SEC-09",
        generated("transport.py", f'("httpx", *{PARTS})', '("httpx", "httpcore")'),
    )
    yield defect(
        "key.follows",
        "follows a redirect of a GET, with the key",
        "redirect followed",
        "CL-SEC-10",
        generated(
            "transport.py",
            "follow_redirects=False, stream=True",
            'follow_redirects=request.method == "GET", stream=True',
            times=2,
        ),
        generated(
            "own_clients.py",
            "    if response.has_redirect_location:\n",
            '    if response.has_redirect_location and response.request.method != "GET":\n',
        ),
    )
    yield defect(
        "error.pickled-without-response",
        "loses the response of an error that is pickled",
        "deepcopy and pickle broken",
        "CL-OBJ-08",
        generated("errors.py", '"response": _without_jar(self.response)', '"response": None'),
    )
    yield defect(
        "wait.deadline-moves",
        "waits longer for every refusal that it meets while waiting",
        "deadline moved",
        "CL-RUN-06",
        client(
            "waiting.py",
            "        self._retry_after = problem.retry_after\n",
            "        self._retry_after = problem.retry_after\n"
            "        self._deadline += max(self._further_try or 0.0, problem.retry_after or 0.0)\n",
        ),
    )
    yield defect(
        "run_created.equal-but-for-unknown",
        "finds results equal that differ in a property that the contract does not name",
        "equality broken",
        "CL-OBJ-03",
        generated(
            "models/run_created.py",
            "    additional_properties: dict[str, Any] = _field(factory=dict)\n",
            "    additional_properties: dict[str, Any] = _field(factory=dict, eq=False)\n",
        ),
        operation="runWorkflow",
    )
