"""Clients that are right call by call, and wrong in what one call has to do with another, with a size, or with time."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, Edit, client, defect, generated
from mutants.clients.operators import RUN, value_replaced

SENT: Final = "                response = wire.send(standing, outgoing, self._timeout, bounds, redaction)\n"
SENT_ASYNC: Final = SENT.replace("wire.send", "await wire.async_send")
COUNTED: Final = "            began, made = time.monotonic(), made + 1\n"
TIMEOUT: Final = "_limits(http, timeout)).as_dict()"
ENCODED: Final = "        text = _ENCODER.encode(body)\n"
IF_LIST: Final = " if isinstance(item, list) else item for name, item in found.items()}"
REFINED: Final = (
    "                except WorkflowRunsError as error:\n                    problem = self._refined(error)\n"
)
TOO_MANY: Final = "        if error.status == _TOO_MANY:\n            return True\n"
TOLD: Final = "            delay = tries.after(problem, repeatable=outgoing.repeatable)\n"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _from_call_to_call()
    yield from _second_tries()
    yield from _told()
    yield from _sizes_and_types()
    yield from _on_the_wire()
    yield from _deliveries()


def _from_call_to_call() -> Iterator[ClientDefect]:
    yield defect(
        "cookies.kept",
        "sends what a response has set as a cookie from then on",
        "state kept",
        "CL-REL-01",
        generated(
            "own_clients.py",
            '        """None."""\n        return _NO_COOKIES\n',
            '        """None."""\n        return self.__dict__.setdefault("_jar", httpx.Cookies())\n',
        ),
    )
    yield defect(
        "key.first",
        "sends the key that the first client was built with",
        "state shared",
        "CL-REL-03",
        generated(
            "client.py",
            "        self._api_key = _checked_key(key)\n",
            "        self._api_key = _checked_key(key)\n        if self._api_key.reveal() is not None:\n"
            '            self._api_key = Settings.__dict__.get("first") or self._api_key\n'
            "            Settings.first = self._api_key\n",
        ),
    )
    yield defect(
        "responses.mixed",
        "returns the response that came last, whichever thread has asked for it",
        "state shared",
        "CL-REL-04",
        generated(
            "client.py",
            SENT,
            SENT.replace("response", "self._latest")
            + "                wire.pause(0.01)\n                response = self._latest\n",
        ),
    )
    yield defect(
        "responses.mixed-async",
        "returns the response that came last, whichever task has asked for it",
        "state shared",
        "CL-REL-04",
        generated(
            "client.py",
            SENT_ASYNC,
            SENT_ASYNC.replace("response", "self._latest")
            + "                await wire.async_pause(0.01)\n                response = self._latest\n",
        ),
    )
    yield defect(
        "connection.old-repeated",
        "sends a run again if the connection that ended was an old one",
        "retry added",
        "CL-REL-07",
        generated(
            "pool.py",
            "            response = self._places.begin(number, request).handle_request(request)\n",
            "            transport = self._places.begin(number, request)\n            try:\n"
            "                response = transport.handle_request(request)\n"
            "            except httpx.RemoteProtocolError:\n"
            '                if not hasattr(transport, "was_used"):\n                    raise\n'
            "                response = transport.handle_request(request)\n            transport.was_used = True\n",
        ),
    )
    yield defect(
        "connection.surplus",
        "takes what has come behind a response for the response to the next call",
        "state shared",
        "CL-REL-36",
        generated("surplus.py", "    if connection is None:\n", "    if True:\n"),
    )
    yield defect(
        "view.itself",
        "changes a client with a view of it",
        "state shared",
        "CL-REL-08",
        generated(
            "client.py",
            "see `Secret`\n        view = copy.copy(self)\n",
            "see `Secret`\n        view = self\n",
        ),
    )
    yield defect(
        "async.plain-errors",
        "raises the general class of an error in its asynchronous form",
        "error changed",
        "CL-REL-02",
        generated(
            "client.py",
            REFINED,
            f"{REFINED}                    general = type(problem).__mro__[1]\n"
            '                    if self._open != "open_client" and general.__name__ == "StatusError":\n'
            "                        problem.__class__ = general\n",
            times=2,
        ),
    )


def _second_tries() -> Iterator[ClientDefect]:
    for id_, title, statement in (
        ("bare", "sends a second try without the body", "outgoing.content = None"),
        ("keyless", "sends a second try without the key", "outgoing.client_headers = NOTHING"),
        ("queryless", "sends a second try without the query", 'outgoing.url = outgoing.url.partition("?")[0]'),
    ):
        added = f"            if made > 1:\n                {statement}\n"
        yield defect(
            f"second-try.{id_}",
            title,
            "second try changed",
            "CL-REL-11",
            generated("client.py", COUNTED, COUNTED + added, times=2),
        )
    yield defect(
        "retry-after.once",
        "waits as it is asked to before the second try, and no other",
        "Retry-After ignored",
        "CL-REL-12",
        client(
            "retries.py",
            "wait = self._wait(error.retry_after)",
            "wait = self._wait(None if self._made else error.retry_after)",
        ),
    )
    for status in (408, 409, 425):
        yield defect(
            f"repeated.{status}",
            f"sends a run again after a {status}",
            "retry added",
            "CL-REL-13",
            client("retries.py", TOO_MANY, TOO_MANY.replace("== _TOO_MANY", f"in {{_TOO_MANY, {status}}}")),
        )
    yield defect(
        "throttled.reads-alone",
        "does not repeat the start of a run after a 429",
        "retry removed",
        "CL-REL-17",
        client("retries.py", TOO_MANY, TOO_MANY.replace("True", "repeatable")),
    )

    yield defect(
        "retries.once-at-least",
        "sends a request again after a 429 if it is told not to",
        "retry added",
        "CL-REL-18",
        client(
            "retries.py", "self._made >= retries.further_tries or", "self._made >= max(1, retries.further_tries) or"
        ),
    )


def _told() -> Iterator[ClientDefect]:
    yield defect(
        "error.first",
        "raises the error of the first try when the last one came to another",
        "error changed",
        "CL-REL-14",
        generated(
            "client.py",
            "tries, made = self._retries.begin(), 0\n",
            "tries, made, told = self._retries.begin(), 0, []\n",
            times=2,
        ),
        generated("client.py", TOLD, "            told.append(problem)\n" + TOLD, times=2),
        generated("client.py", "self._final(problem, outgoing", "self._final(told[0], outgoing", times=2),
    )
    yield defect(
        "doubt.after-refusals",
        "says after a refusal that something may have run",
        "doubt raised",
        "CL-REL-15",
        generated("reply.py", " and self.status not in _NOT_ACTED_UPON\n", "\n"),
    )
    yield defect(
        "doubt.not-sent",
        "says that something may have run where nothing was sent",
        "doubt raised",
        "CL-REL-15",
        generated(
            "transport.py",
            "return NotSent(told, operation=operation.name)",
            "return NotSent(told, operation=operation.name, may_have_run=not operation.repeatable)",
        ),
    )
    yield defect(
        "log.body",
        "logs the body of a request that comes to an error",
        "input shown",
        "CL-SEC-08",
        generated(
            "client.py",
            "            wire.note(operation, redaction, problem.status",
            "            wire.LOG.debug('failed: %s', outgoing.content)\n"
            "            wire.note(operation, redaction, problem.status",
            times=2,
        ),
    )
    yield defect(
        "time-out.second",
        "gives up after a second, whatever time-out it was given",
        "time-out changed",
        "CL-REL-16",
        generated("request.py", TIMEOUT, TIMEOUT.replace("timeout)", "min(timeout, 1.0))")),
    )
    yield defect(
        "time-out.minute",
        "waits a minute for a response, whatever time-out it was given",
        "time-out changed",
        "CL-REL-19",
        generated(
            "request.py", TIMEOUT, TIMEOUT.replace("_limits(http, timeout))", "httpx.Timeout(timeout, read=60))")
        ),
    )
    yield defect(
        "time-out.total",
        "gives up a call after two seconds in all",
        "time-out changed",
        "CL-REL-16",
        generated("client.py", "TOTAL_TIMEOUT: Final = 300.0", "TOTAL_TIMEOUT: Final = 2.0"),
    )


def _hooked(hook: str) -> Edit:
    """Change every object of a body before it is written."""
    return generated(
        "operation.py", ENCODED, f"        text = _ENCODER.encode(json.loads(json.dumps(body), object_hook={hook}))\n"
    )


def _sizes_and_types() -> Iterator[ClientDefect]:
    for id_, title, hook in (
        (
            "text-1024",
            "cuts texts of a body after 1,024 characters",
            "lambda found: {name: item[:1024] if isinstance(item, str) else item for name, item in found.items()}",
        ),
        (
            "text-65535",
            "cuts texts of a body after 65,535 characters",
            "lambda found: {name: item[:65535] if isinstance(item, str) else item for name, item in found.items()}",
        ),
        (
            "entries",
            "sends a thousand entries of an object at most",
            "lambda found: dict(list(found.items())[:1000])",
        ),
        (
            "true-in-lists",
            "makes a text of true in a list",
            "lambda found: {name: ['true' if one is True else one for one in item]" + IF_LIST,
        ),
        (
            "digits-in-lists",
            "makes a number of a text of digits in a list",
            "lambda found: {name: [int(one) if one == '1' else one for one in item]" + IF_LIST,
        ),
    ):
        yield defect(f"body.{id_}", title, "value changed", "CL-REQ-08", _hooked(hook))
    yield defect(
        "query.1000",
        "cuts what stands in a path or a query after 1,000 characters",
        "value changed",
        "CL-REQ-03",
        generated(
            "parameters.py",
            "        return text\n    try:\n        return quote(text, safe",
            "        return text[:1000]\n    try:\n        return quote(text[:1000], safe",
        ),
    )
    yield defect(
        "callback-url.lower",
        "writes callback addresses in small letters",
        "value changed",
        "CL-REQ-08",
        value_replaced(RUN, "callback_url", "{0}.lower() if isinstance({0}, str) else {0}"),
        operation="runWorkflow",
    )
    yield defect(
        "reply.65535",
        "cuts texts of a response after 65,535 characters",
        "value changed",
        "CL-REP-01",
        generated(
            "reply.py",
            "        self._check_media_type(media_types)\n        return self._loaded()\n",
            "        self._check_media_type(media_types)\n        import json\n"
            "        return json.loads(json.dumps(self._loaded()), "
            "object_hook=lambda found: {name: item[:65535] if isinstance(item, str) else item "
            "for name, item in found.items()})\n",
        ),
    )


def _on_the_wire() -> Iterator[ClientDefect]:
    yield defect(
        "host.without-port",
        "leaves the port out of Host",
        "header changed",
        "CL-REL-21",
        generated("request.py", '(b"Host", url.netloc)', '(b"Host", url.host.encode())'),
    )
    yield defect(
        "address.lower",
        "writes base addresses in small letters",
        "address changed",
        "CL-REL-22",
        generated(
            "client.py", 'return str(given.reveal()).rstrip("/")', 'return str(given.reveal()).rstrip("/").lower()'
        ),
    )
    yield defect(
        "address.one-step",
        "uses the first step of a base address's path alone",
        "address changed",
        "CL-REL-22",
        generated(
            "client.py",
            'return str(given.reveal()).rstrip("/")',
            'return "/".join(str(given.reveal()).rstrip("/").split("/")[:4])',
        ),
    )
    yield defect(
        "address.two-slashes",
        "adds a path to an address that ends in a slash",
        "address changed",
        "CL-REL-24",
        generated("client.py", 'return str(given.reveal()).rstrip("/")', "return str(given.reveal())"),
    )
    yield defect(
        "host.without-brackets",
        "leaves the brackets of an IPv6 address out of Host",
        "header changed",
        "CL-REL-24",
        generated("request.py", '(b"Host", url.netloc)', '(b"Host", url.netloc.translate(None, b"[]"))'),
    )
    yield defect(
        "headers.key-twice",
        "sends a key that stands among the caller's headers beside its own",
        "header changed",
        "CL-REL-47",
        generated("credentials.py", "texts[credential.name.lower()] = text", "texts[credential.name] = text"),
    )
    yield defect(
        "headers.view-key-twice",
        "sends a key that stands among a view's headers in another case beside its own",
        "header changed",
        "CL-REL-47",
        generated(
            "client.py",
            "view._headers = _both(self._headers, _checked_headers(sent))",
            "_checked_headers(sent)\n        view._headers = _both(self._headers, Secret(dict(sent.reveal() or {})))",
        ),
    )
    yield defect(
        "key.two-lines",
        "sends its key in two lines",
        "header changed",
        "CL-REL-49",
        generated(
            "request.py",
            "*own.items()]\n",
            '*own.items(), *((name, value) for name, value in own.items() if name == "x-api-key")]\n',
        ),
    )
    yield defect(
        "headers.one-space",
        "takes several spaces in a header of the caller's for one",
        "header changed",
        "CL-REL-25",
        generated(
            "client.py",
            "    return Secret({name.lower(): value for name, value in headers.reveal().items()})",
            '    return Secret({name.lower(): " ".join(value.split()) for name, value in headers.reveal().items()})',
        ),
    )
    for coding, name in (("gzip", "_Gzip"), ("deflate", "_Deflate")):
        yield defect(
            f"coding.{coding}",
            f"asks for {coding} and can't read it",
            "coding not read",
            "CL-REL-23",
            generated("decoding.py", f'"{coding}": {name}', f'"x-{coding}": {name}'),
        )


def _deliveries() -> Iterator[ClientDefect]:
    yield defect(
        "delivery.first-part",
        "takes the first part of a delivery for the whole",
        "delivery lost",
        "CL-CB-09",
        client("callbacks/asgi.py", '        more = message.get("more_body", False)\n', "        more = False\n"),
    )
    yield defect(
        "delivery.one-buffer",
        "reads deliveries that come at the same time into one place",
        "state shared",
        "CL-CB-10",
        client(
            "callbacks/asgi.py",
            "    body = bytearray()\n",
            "    body = _body.__dict__.setdefault('kept', bytearray())\n",
        ),
        client(
            "callbacks/asgi.py",
            "    return bytes(body)\n",
            "    whole = bytes(body)\n    body.clear()\n    return whole\n",
        ),
    )
    yield defect(
        "delivery.no-turns",
        "hands on a delivery twice that comes twice at the same time",
        "delivery repeated",
        "CL-CB-10",
        client("callbacks/asgi.py", "async with self._turn(key):", "async with asyncio.Lock():"),
    )
    yield from _listeners()


def _listeners() -> Iterator[ClientDefect]:
    yield defect(
        "listener.last",
        "lets a second delivery of a run take the place of the first",
        "delivery repeated",
        "CL-CB-13",
        client(
            "callbacks/listener.py",
            "            if finished.execution_id in self._finished:\n                return\n",
            "",
        ),
    )
    yield defect(
        "listener.first-piece",
        "takes what came first of a body for the whole",
        "delivery lost",
        "CL-CB-11",
        client("callbacks/http_server.py", "            if len(body) == end:\n", "            if body or not size:\n"),
    )
    yield defect(
        "listener.early",
        "loses an outcome that comes before it is waited for",
        "delivery lost",
        "CL-CB-11",
        client(
            "callbacks/listener.py",
            "            self._changed.wait_for(lambda: execution_id in self._finished",
            "            self._finished.pop(execution_id, None)\n"
            "            self._changed.wait_for(lambda: execution_id in self._finished",
        ),
    )
    yield defect(
        "listener.any",
        "gives who waits for a run the outcome that came first",
        "state shared",
        "CL-CB-12",
        client(
            "callbacks/listener.py",
            "finished = self._finished.get(execution_id)",
            "finished = next(iter(self._finished.values()), None)",
        ),
    )
