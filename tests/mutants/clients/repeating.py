"""Clients that repeat what may have acted, do not end, or let exceptions of the network through."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect, generated

AFTER_STATUS: Final = "return error.status >= _SERVER_ERROR and (repeatable or allowed_503)"
AFTER_SILENCE: Final = "            return repeatable\n"
ERRORS: Final = "ERRORS = (httpx.HTTPError, httpx.InvalidURL,"
NEVER_LEFT: Final = "_NEVER_LEFT = (\n"
LIMIT: Final = "if self._made >= retries.further_tries or not retries.allows(error, repeatable=repeatable):"
WAIT: Final = "else max(wait, retry_after)"
TIMEOUT: Final = "(http.timeout if timeout is None else _limits(http, timeout)).as_dict()"
TRANSLATED: Final = "                problem = wire.translated(error, operation, redaction, made)\n"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _repeated()
    yield from _throttled()
    yield from _ends()
    yield from _less_repeated()


def _repeated() -> Iterator[ClientDefect]:
    yield defect(
        "repeated.5xx",
        "sends a run again after any 5xx",
        "retry added",
        "CL-NET-01",
        client("retries.py", AFTER_STATUS, "return error.status >= _SERVER_ERROR"),
    )
    yield defect(
        "repeated.after-a-hook",
        "takes what a hook or an authenticator raises for an error of the request",
        "retry added",
        "CL-REL-48",
        generated("transport.py", "    is_within = False\n", "    return True\n"),
    )
    yield defect(
        "repeated.503",
        "sends a run again after a 503",
        "retry added",
        "CL-NET-01",
        client("retries.py", "repeat_on_503: bool = False", "repeat_on_503: bool = True"),
    )
    yield defect(
        "repeated.529",
        "sends a run again after a status above 520",
        "retry added",
        "CL-NET-01",
        client(
            "retries.py", AFTER_STATUS, AFTER_STATUS.replace("repeatable or", "repeatable or error.status > 520 or")
        ),
    )
    yield defect(
        "repeated.504",
        "sends a run again after a 504, when a gateway waited in vain for what may go on",
        "retry added",
        "CL-NET-01",
        client(
            "retries.py", AFTER_STATUS, AFTER_STATUS.replace("repeatable or", "repeatable or error.status == 504 or")
        ),
    )
    yield defect(
        "repeated.silence",
        "sends a run again after a time-out or a broken connection",
        "retry added",
        ("CL-NET-02", "CL-NET-03"),
        client("retries.py", AFTER_SILENCE, "            return True\n"),
    )
    yield defect(
        "repeated.post",
        "takes a POST for something that may be repeated",
        "retry added",
        ("CL-NET-01", "CL-NET-02", "CL-NET-03"),
        generated(
            "operation.py",
            "self.repeatable = operation.repeatable",
            'self.repeatable = operation.repeatable or operation.method == "POST"',
        ),
    )
    yield defect(
        "repeated.unread",
        "sends a run again after a reply that is not what the contract says",
        "retry added",
        "CL-NET-09",
        client(
            "retries.py",
            "error.status is None:\n            return False\n",
            "error.status is None:\n            return error.status is not None\n",
        ),
    )
    yield from (
        defect(
            f"never-left.{error}",
            f"takes {error} for a proof that nothing was sent",
            "retry added",
            rules,
            generated("transport.py", NEVER_LEFT, f"{NEVER_LEFT}    httpx.{error},\n"),
        )
        for error, rules in (
            ("ReadTimeout", "CL-NET-02"),
            ("WriteTimeout", "CL-NET-02"),
            ("ReadError", "CL-NET-03"),
            ("RemoteProtocolError", "CL-NET-03"),
        )
    )
    yield defect(
        "redirect.followed",
        "follows a redirect with a run",
        "redirect followed",
        "CL-NET-06",
        generated(
            "transport.py",
            "response = http.send(request, follow_redirects=False, stream=True)",
            "response = http.send(request, follow_redirects=True, stream=True)",
        ),
        generated("own_clients.py", ", event_hooks=hooks", ""),
    )


def _throttled() -> Iterator[ClientDefect]:
    yield defect(
        "throttled.storm",
        "goes on for ever when it is throttled",
        "limit removed",
        "CL-NET-04",
        client("retries.py", LIMIT, "if not retries.allows(error, repeatable=repeatable):"),
        client("retries.py", "        wait = bound * int.", "        wait = 0 * bound * int."),
    )
    yield defect(
        "throttled.many",
        "tries fifteen times",
        "limit moved",
        ("CL-NET-01", "CL-NET-04"),
        client("retries.py", "further_tries: int = 2,", "further_tries: int = 14,"),
        client("retries.py", "first_wait: float = 0.5,", "first_wait: float = 0.01,"),
        client("retries.py", "longest_wait: float = 8.0,", "longest_wait: float = 0.1,"),
    )
    yield defect(
        "retry-after.past",
        "takes a date in Retry-After that has passed for most of a day",
        "Retry-After misread",
        "CL-REL-27",
        generated("reply.py", "UTC)).total_seconds())", "UTC)).total_seconds() % 86_400)"),
    )
    yield defect(
        "retry-after.old-dates",
        "reads no date of an obsolete form in Retry-After",
        "Retry-After misread",
        "CL-NET-05",
        generated(
            "reply.py",
            "        moment = email.utils.parsedate_to_datetime(text)\n",
            "        moment = datetime.datetime.strptime(text, '%a, %d %b %Y %H:%M:%S GMT')\n",
        ),
    )
    yield from (
        defect(f"retry-after.{id_}", title, "Retry-After ignored", "CL-NET-05", client("retries.py", WAIT, new))
        for id_, title, new in (
            ("ignored", "does not wait for as long as it is asked to", "else wait"),
            ("milliseconds", "takes seconds for milliseconds", "else max(wait, retry_after / 1000)"),
            ("at-most", "waits for at most as long as it is asked to", "else min(wait, retry_after)"),
            ("capped", "waits for a second and a half at most", "else max(wait, min(retry_after, 1.5))"),
        )
    )
    yield defect(
        "retry-after.only-429",
        "waits as it is asked to only when it is throttled",
        "Retry-After ignored",
        "CL-NET-05",
        client(
            "retries.py",
            "wait = self._wait(error.retry_after)",
            "wait = self._wait(error.retry_after if error.status == _TOO_MANY else None)",
        ),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "retry-after.lost",
        "does not read how long it is asked to wait",
        "Retry-After ignored",
        "CL-NET-05",
        generated("reply.py", '"retry_after": self.retry_after,', '"retry_after": None,'),
    )
    yield defect(
        "retry-after.date",
        "does not read a date in Retry-After",
        "Retry-After ignored",
        "CL-NET-05",
        generated(
            "reply.py", "        moment = email.utils.parsedate_to_datetime(text)\n", "        raise ValueError(text)\n"
        ),
    )


def _ends() -> Iterator[ClientDefect]:
    yield defect(
        "time-out.removed",
        "waits for a reply for ever",
        "time-out removed",
        "CL-NET-07",
        generated("request.py", TIMEOUT, "httpx.Timeout(None).as_dict()"),
    )
    yield defect(
        "time-out.ignored",
        "does not heed the time-out that it was given",
        "time-out removed",
        "CL-NET-07",
        generated("request.py", TIMEOUT, "http.timeout.as_dict()"),
    )
    yield defect(
        "network.foreign",
        "lets exceptions of its HTTP library through",
        "error changed",
        "CL-NET-07",
        generated("transport.py", ERRORS, ERRORS.replace("httpx.HTTPError, ", "")),
    )
    yield defect(
        "network.foreign-time-out",
        "lets time-outs of its HTTP library through",
        "error changed",
        "CL-NET-07",
        generated("transport.py", ERRORS, ERRORS.replace("httpx.HTTPError", "httpx.NetworkError, httpx.ProtocolError")),
    )
    yield defect(
        "network.swallowed",
        "gives null where no reply came",
        "error swallowed",
        "CL-NET-07",
        generated("client.py", TRANSLATED, "                return None\n", times=2),
    )
    yield defect(
        "doubt.denied",
        "says that a run that may have started has not",
        "fact wrong",
        "CL-NET-08",
        generated(
            "transport.py", "operation=operation.name, may_have_run=in_doubt)", "operation=operation.name)", times=2
        ),
    )

    yield defect(
        "doubt.denied-when-empty",
        "says that a run has not started where a success is empty",
        "fact wrong",
        "CL-NET-08",
        generated(
            "reply.py",
            "_NAME_SHOWN),\n            **self.about(),",
            "_NAME_SHOWN),\n"
            '            **{**self.about(), "may_have_run": self.may_have_run and self.response.content != b""},',
        ),
    )


def _less_repeated() -> Iterator[ClientDefect]:
    yield defect(
        "get.once",
        "does not repeat a GET after a 5xx",
        "retry removed",
        "CL-REL-17",
        client("retries.py", AFTER_STATUS, "return allowed_503"),
    )
    yield defect(
        "throttled.once",
        "does not repeat a request after a 429",
        "retry removed",
        "CL-REL-17",
        client("retries.py", "        if error.status == _TOO_MANY:\n", "        if error.status == -1:\n"),
    )
    yield defect(
        "waits.shorter",
        "waits half as long before it repeats",
        "wait changed",
        "CL-NET-05",
        client("retries.py", "first_wait: float = 0.5,", "first_wait: float = 0.25,"),
        equivalent="how long to wait is the client's own business where no Retry-After says so",
    )
