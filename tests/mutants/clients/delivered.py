"""Clients that receive callbacks and webhooks wrongly: parser, signatures and the application that is served."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect, generated
from mutants.clients.operators import optional, unchecked

COMPARED: Final = '    if not hmac.compare_digest(expected.encode(), received.encode(errors="replace")):\n'
CHECKED: Final = "        check_dashboard_signature(payload, headers, secret, operation=_DASHBOARD)\n"
SIGNED: Final = "    _check(canonical(payload), DASHBOARD_SIGNATURE, headers, secret, operation)\n"
ADDRESS: Final = "return self._token is None or _same("
REFUSED: Final = "            return refusal_of(error)\n"
HANDLED: Final = (
    "                    await _call(self._handler, event)\n"
    "                    await _awaited(self._memory.remember(key))\n"
)
RUN_KEY: Final = 'return f"promptlayer:run:{finished.execution_id}"'
OUTPUT: Final = "return RunFinished(execution_id, output, None, None if output is UNSET else True, payload)"
EXTRA: Final = "        self.additional_properties = _extra\n"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _forged()
    yield from _told()
    yield from _illegal()
    yield from _again()
    yield from _payloads()


def _forged() -> Iterator[ClientDefect]:
    for id_, title, new in (
        ("not-compared", "takes any signature", "    if False:\n"),
        (
            "first-digit",
            "does not compare the first digit of a signature",
            COMPARED.replace("expected.encode()", "expected[1:].encode()").replace("received.enc", "received[1:].enc"),
        ),
        (
            "length",
            "takes any signature of the right length",
            "    if len(expected) != len(received):\n",
        ),
        (
            "first-eight",
            "compares the first eight digits of a signature",
            "    if expected[:8] != received[:8]:\n",
        ),
        (
            "any-part",
            "takes the beginning of a signature for the whole",
            "    if not expected.startswith(received):\n",
        ),
    ):
        yield defect(
            f"signature.{id_}",
            title,
            "signature not checked",
            "CL-CB-03",
            client("callbacks/signatures.py", COMPARED, new),
        )
    yield defect(
        "signature.absent",
        "takes a webhook without a signature",
        "signature not checked",
        "CL-CB-03",
        client(
            "callbacks/webhooks.py",
            CHECKED,
            "        if any(name.lower() == 'x-promptlayer-signature' for name in headers):\n    " + CHECKED,
        ),
        client("callbacks/signatures.py", 'if error.reason != "wrong":', 'if error.reason == "malformed":'),
    )
    yield defect(
        "signature.of-bytes",
        "checks the signature of the payload as it is spelled, not of its sorted form",
        "signature of something else",
        "CL-CB-01",
        client("callbacks/signatures.py", SIGNED, SIGNED.replace("canonical(payload)", "json.dumps(payload).encode()")),
    )
    yield defect(
        "signature.letters",
        "checks the signature of letters that are not escaped",
        "signature of something else",
        ("CL-CB-01", "CL-CB-15"),
        client(
            "callbacks/signatures.py",
            'json.dumps(payload, sort_keys=True).encode("ascii")',
            'json.dumps(payload, sort_keys=True, ensure_ascii=False).encode(errors="surrogatepass")',
        ),
    )
    yield defect(
        "delivery.ascii",
        "reads a delivery only if its letters beyond ASCII are escaped",
        "delivery lost",
        "CL-CB-15",
        client("callbacks/payloads.py", "else decoded(bytes(body))", 'else bytes(body).decode("ascii")'),
    )
    yield defect(
        "event.of-one-run",
        "takes all events of one run for one",
        "delivery lost",
        "CL-CB-16",
        client(
            "callbacks/receivers.py",
            "{_short(event.event_id) if event.event_id else _digest(body)}",
            "{_short(event.workflow_run_id or event.event_id or '') or _digest(body)}",
        ),
    )
    yield defect(
        "listener.falsy-output",
        "takes a callback's output that is false, null or empty for a failure",
        "outcome mistaken",
        "CL-CB-14",
        client("callbacks/run_finished.py", "if self.succeeded is not False:", "if self.output:"),
    )
    yield defect(
        "listener.no-continue",
        "leaves a sender waiting that wants to hear that it may go on",
        "delivery lost",
        "CL-CB-11",
        client("callbacks/http_server.py", 'lower() == "100-continue":', 'lower() == "100-Continue":'),
    )
    yield defect(
        "listener.chunk-in-pieces",
        "takes what has come of a chunk for more than that",
        "delivery lost",
        "CL-CB-11",
        client("callbacks/http_server.py", "self._received[: end - len(body)]", "self._received[:size]"),
    )
    yield defect(
        "token.any",
        "takes callbacks at any address",
        "address not checked",
        "CL-CB-03",
        client("callbacks/responses.py", ADDRESS, "return True or _same("),
    )
    yield defect(
        "token.any-part",
        "takes callbacks at the beginning of the address",
        "address not checked",
        "CL-CB-03",
        client(
            "callbacks/responses.py", ADDRESS, ADDRESS.replace("_same(", "(lambda given, own: own.startswith(given))(")
        ),
    )
    yield defect(
        "token.any-case",
        "takes callbacks at the address in small letters and in capital ones",
        "address not checked",
        "CL-CB-03",
        client(
            "callbacks/responses.py",
            '_same(path.rstrip("/").rpartition("/")[2], self._token)',
            '_same(path.rstrip("/").rpartition("/")[2].lower(), self._token.lower())',
        ),
    )
    yield defect(
        "time-window.ignored",
        "takes what Interactly sent a year ago",
        "check removed",
        "CL-CB-03",
        client("callbacks/signatures.py", "    if abs(time.time() - int(timestamp)) > max_age:\n", "    if False:\n"),
        equivalent="the contract describes no webhook of Interactly's, and no time in either of those that it has",
    )


def _told() -> Iterator[ClientDefect]:
    yield defect(
        "signature.told",
        "answers a wrong signature with the right one",
        "secret shown",
        "CL-CB-08",
        client(
            "callbacks/signatures.py",
            'f"{name} is not that of this payload", reason="wrong"',
            'f"{name} is not {expected}", reason="wrong"',
        ),
    )
    yield defect(
        "signature.secret-told",
        "answers a wrong signature with the secret",
        "secret shown",
        "CL-CB-08",
        client(
            "callbacks/signatures.py",
            'f"{name} is not that of this payload", reason="wrong"',
            'f"{name} is not made with {secret}", reason="wrong"',
        ),
    )
    yield defect(
        "token.told",
        "answers a wrong address with the right one",
        "secret shown",
        "CL-CB-08",
        client(
            "callbacks/responses.py",
            'Response(404, "nothing is received here")',
            'Response(404, f"expected .../{self._token}")',
        ),
    )


def _illegal() -> Iterator[ClientDefect]:
    for id_, title, new in (
        ("taken", "answers an illegal delivery with 204", "            return HANDLED\n"),
        ("failed", "answers an illegal delivery with 500", "            return FAILED\n"),
        ("raised", "lets its exception for an illegal delivery through", "            raise\n"),
    ):
        yield defect(
            f"illegal.{id_}",
            title,
            "wrong answer",
            "CL-CB-02",
            client("callbacks/asgi.py", REFUSED, new.replace("raise", "raise error")),
        )
    yield defect(
        "delivery.any-method",
        "takes deliveries that are not posted",
        "check removed",
        "CL-CB-02",
        client("callbacks/responses.py", '        if method != "POST":\n', "        if False:\n"),
    )
    yield defect(
        "delivery.put",
        "takes deliveries that are put",
        "check removed",
        "CL-CB-02",
        client("callbacks/responses.py", 'method != "POST":', 'method not in {"POST", "PUT"}:'),
    )
    yield defect(
        "delivery.nan",
        "takes NaN for JSON in a delivery",
        "check removed",
        "CL-CB-02",
        client("callbacks/payloads.py", "return value_in(", "return json.loads("),
        client("callbacks/payloads.py", "\n\nfrom collections", "\n\nimport json\nfrom collections"),
    )
    yield defect(
        "delivery.any-media-type",
        "takes deliveries of any media type",
        "check removed",
        "CL-CB-02",
        client("callbacks/responses.py", "        if not _is_json(headers):\n", "        if False:\n"),
    )
    yield defect(
        "delivery.not-json.foreign",
        "fails with a foreign exception on what is no JSON",
        "error changed",
        "CL-CB-02",
        client(
            "callbacks/payloads.py",
            '    except ValueError:\n        raise Problem("JSON"',
            '    except LookupError:\n        raise Problem("JSON"',
        ),
    )
    yield defect(
        "delivery.no-object",
        "fails with a foreign exception where an object belongs",
        "type check removed",
        "CL-CB-02",
        client("callbacks/payloads.py", "    if not isinstance(parsed, dict):\n", "    if False:\n"),
        generated(
            "models/workflow_finished.py",
            '        if source.__class__ is not dict:\n            raise types.Problem("an object", source)\n',
            "",
        ),
    )
    yield from (
        defect(id_, title, operator, "CL-CB-02", edit)
        for id_, title, operator, edit in (
            (
                "execution-id.unchecked",
                "takes an execution id of any type",
                "type check removed",
                unchecked("workflow_finished", "workflow_version_execution_id"),
            ),
            (
                "execution-id.optional",
                "takes a callback without an execution id",
                "required check removed",
                optional("workflow_finished", "workflow_version_execution_id"),
            ),
            (
                "event-type.unchecked",
                "takes an event type of any type",
                "type check removed",
                unchecked("dashboard_event", "event_type"),
            ),
            (
                "details.optional",
                "takes an event without details",
                "required check removed",
                optional("dashboard_event", "details"),
            ),
        )
    )


def _again() -> Iterator[ClientDefect]:
    yield defect(
        "duplicate.handed-on",
        "hands a delivery on as often as it comes",
        "duplicate not recognised",
        "CL-CB-04",
        client("callbacks/asgi.py", "if not await _awaited(self._memory.seen(key)):", "if True:"),
    )
    yield defect(
        "duplicate.refused",
        "answers a delivery that it knows with 409",
        "wrong answer",
        "CL-CB-04",
        client(
            "callbacks/asgi.py",
            "                if not await _awaited(self._memory.seen(key)):\n",
            "                if await _awaited(self._memory.seen(key)):\n"
            '                    return Response(409, "known")\n                if True:\n',
        ),
    )
    yield from (
        defect(
            id_,
            title,
            "wrong key",
            "CL-CB-05",
            client("callbacks/receivers.py", old, new),
        )
        for id_, title, old, new in (
            ("run.one-for-all", "takes every callback for the same", RUN_KEY, 'return "promptlayer:run"'),
            (
                "run.last-digits",
                "takes callbacks whose ids end in the same digits for the same",
                RUN_KEY,
                RUN_KEY.replace("_id}", "_id % 1000}"),
            ),
            (
                "run.by-output",
                "takes callbacks with the same output for the same",
                RUN_KEY,
                RUN_KEY.replace("finished.execution_id", "finished.output or finished.nodes"),
            ),
            (
                "event.one-for-all",
                "takes every event of the dashboard for the same",
                "{_short(str(execution_id))}",
                "",
            ),
        )
    )
    yield defect(
        "failure.remembered",
        "forgets a delivery whose handler has failed",
        "delivery lost",
        "CL-CB-07",
        client("callbacks/asgi.py", HANDLED, "".join(reversed(HANDLED.splitlines(keepends=True)))),
    )
    yield defect(
        "failure.taken",
        "answers 204 where the handler has failed",
        "error swallowed",
        "CL-CB-07",
        client("callbacks/asgi.py", "            return FAILED\n", "            return HANDLED\n"),
    )
    yield defect(
        "failure.refused",
        "answers 400 where the handler has failed",
        "wrong answer",
        "CL-CB-07",
        client(
            "callbacks/asgi.py", "            return FAILED\n", '            return Response(400, "bad delivery")\n'
        ),
    )
    yield defect(
        "failure.raised",
        "lets the handler's exception through to the server",
        "error changed",
        "CL-CB-07",
        client("callbacks/asgi.py", "            return FAILED\n", "            raise\n"),
    )


def _payloads() -> Iterator[ClientDefect]:
    nodes = "    for node in nodes.values():\n"
    yield defect(
        "nodes.refused",
        "refuses a final output with an entry for each node",
        "form refused",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py",
            nodes,
            '    if nodes:\n        raise Problem("a bare output", output).under("final_output")\n' + nodes,
        ),
    )
    yield defect(
        "nodes.failed-refused",
        "refuses a callback of a run that has failed",
        "form refused",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py",
            nodes,
            '    if any(node.status == "FAILED" for node in nodes.values()):\n'
            '        raise Problem("a success", output).under("final_output")\n' + nodes,
        ),
    )
    yield defect(
        "nodes.word-changed",
        "reads SKIPPED as FAILED",
        "value changed",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py", 'if node.status == "FAILURE":', 'if node.status in {"FAILURE", "SKIPPED"}:'
        ),
    )
    yield defect(
        "output.refused",
        "refuses a final output that is not an entry for each node",
        "form refused",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py",
            "        if return_all_outputs:\n            raise problem",
            "        if True:\n            raise problem",
        ),
    )
    yield defect(
        "output.falsy",
        "gives null for a final output that is false, 0 or empty",
        "value changed",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py",
            OUTPUT,
            OUTPUT.replace("output, None, None if", "output or None, None, None if"),
        ),
    )
    yield defect(
        "output.null-for-absent",
        "gives null where there is no final output",
        "null for absent",
        "CL-CB-01",
        client(
            "callbacks/run_finished.py",
            OUTPUT,
            OUTPUT.replace("output, None, None if", "None if output is UNSET else output, None, None if"),
        ),
    )
    yield defect(
        "delivery.small",
        "refuses deliveries of more than 100 bytes",
        "limit moved",
        "CL-CB-01",
        client("callbacks/payloads.py", "MAX_BYTES: Final = 16 * 1024 * 1024\n", "MAX_BYTES: Final = 100\n"),
    )
    yield defect(
        "callback.unknown-members.dropped",
        "drops members of a callback that it does not know",
        "unknown members dropped",
        "CL-CB-06",
        client(
            "callbacks/run_finished.py",
            "    sent = WorkflowFinished.from_dict(payload)\n",
            "    sent = WorkflowFinished.from_dict(payload)\n"
            '    known = ("workflow_version_execution_id", "final_output")\n'
            "    payload = {name: payload[name] for name in known if name in payload}\n",
        ),
    )
    yield defect(
        "event.unknown-members.dropped",
        "drops members of an event that it does not know",
        "unknown members dropped",
        "CL-CB-06",
        generated("models/dashboard_event.py", EXTRA, EXTRA.replace("_extra", "{}")),
    )
    yield defect(
        "event.details.dropped",
        "loses the details of an event",
        "dropped field",
        "CL-CB-01",
        client(
            "callbacks/webhooks.py",
            "        return DashboardEvent.from_json(payload)\n",
            '        return DashboardEvent.from_json({**payload, "details": {}})\n',
        ),
    )
