"""Clients that show what is secret."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, defect, generated

REPR: Final = 'return f"{type(self).__name__}(base_url={self._base_url!r})"'
RAISE: Final = "                raise wire.concealed(self._final(problem, outgoing, began)) from None\n"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield defect(
        "key.in-repr",
        "shows the key in its repr",
        "key in repr",
        "CL-SEC-02",
        generated(
            "client.py",
            REPR,
            REPR.replace("{self._base_url!r}", "{self._base_url!r}, api_key={self._api_key.reveal()!r}"),
        ),
    )
    yield defect(
        "key.in-error",
        "shows the key in the text of its errors",
        "key in exception",
        "CL-SEC-01",
        generated(
            "client.py",
            RAISE,
            '                problem.message += f" (sent with {self._api_key.reveal()})"\n' + RAISE,
            times=2,
        ),
    )
    yield defect(
        "key.in-note",
        "adds the request's headers to a time-out as a note",
        "key in exception",
        "CL-SEC-01",
        generated(
            "client.py",
            RAISE,
            '                if type(problem).__name__ == "MaybeSent":\n'
            '                    problem.add_note(f"{outgoing.headers}")\n' + RAISE,
            times=2,
        ),
    )
    yield defect(
        "key.in-log",
        "writes the key into the log",
        "key in log",
        "CL-SEC-05",
        generated(
            "transport.py",
            "    redaction.sent = request\n",
            '    redaction.sent = request\n    LOG.info("sending %s", dict(redaction.sent.headers.raw))\n',
            times=2,
        ),
    )
    for id_, title, statement in (
        (
            "in-warning",
            "warns of something and shows the key",
            '__import__("warnings").warn(f"sent {dict(redaction.sent.headers.raw)}")',
        ),
        ("printed", "prints the key", "print(redaction.sent.headers.raw)"),
    ):
        yield defect(
            f"key.{id_}",
            title,
            "key in log",
            "CL-SEC-05",
            generated(
                "transport.py",
                "    redaction.sent = request\n",
                f"    redaction.sent = request\n    {statement}\n",
                times=2,
            ),
        )
    yield defect(
        "key.echoed",
        "shows what a service sends back of the request, the key included",
        "key in exception",
        "CL-SEC-01",
        generated(
            "redaction.py",
            "        for first, last in _spans(content, self._secrets):\n",
            "        for first, last in ():\n",
        ),
    )
    yield defect(
        "key.in-request",
        "keeps the request with its key at the reply of an error",
        "key in exception",
        "CL-SEC-06",
        generated("transport.py", "        error.response = masked(error.response)\n", "        pass\n"),
    )
    yield defect(
        "key.in-frame",
        "keeps the headers, and the key with them, in a variable while it waits",
        "key in exception",
        "CL-SEC-07",
        generated(
            "client.py",
            "        redaction = wire.Redaction(outgoing)\n",
            "        redaction = wire.Redaction(outgoing)\n        headers = [outgoing.headers]\n",
            times=2,
        ),
    )
