"""Clients of a contract that has what ours lacks: headers, operations without a key, limits and times in replies."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, defect, shelf

READ: Final = "else OpenDay.from_dict(data)"
ANEW: Final = (
    "\n\ndef _anew(text: str) -> str:\n    try:\n        return datetime.datetime.fromisoformat(text).isoformat()\n"
    "    except ValueError:\n        return text\n"
)


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield defect(
        "header.of-the-argument",
        "calls a header what its argument is called",
        "name changed",
        "CL-REQ-06",
        shelf("api/shelf/list_books.py", 'headers["X-Trace"] = trace', 'headers["x_trace"] = trace'),
        operation="listBooks",
    )
    yield defect(
        "cookie.with-semicolons",
        "escapes in a cookie what has to be escaped in a query alone",
        "encoding changed",
        "CL-REQ-10",
        shelf("api/shelf/list_books.py", "session={plain(session)}", "session={plain(session).replace('%3B', ';')}"),
        operation="listBooks",
    )
    yield defect(
        "key.everywhere",
        "sends the key with every request, whether the operation needs one or not",
        "key in request",
        "CL-SEC-03",
        shelf("client.py", '(self.credentials() if kwargs.get("key") else {})', "self.credentials()"),
    )
    yield defect(
        "reply.too-long",
        "does not look at the length of texts in replies",
        "check removed",
        "CL-BRK-08",
        shelf("checks.py", '{"enum": lambda *_: ()}', '{"enum": lambda *_: (), "maxLength": lambda *_: ()}'),
    )
    yield defect(
        "opening.time",
        "reads a time and writes it anew",
        "value changed",
        "CL-REP-08",
        shelf("api/shelf/get_opening.py", READ, 'else OpenDay.from_dict({**data, "opens": _anew(data["opens"])})'),
        shelf(
            "api/shelf/get_opening.py", '"/paths/~1openings~1{day}/get"\n', f'"/paths/~1openings~1{{day}}/get"\n{ANEW}'
        ),
        shelf("api/shelf/get_opening.py", "from typing import Any\n", "import datetime\nfrom typing import Any\n"),
        operation="getOpening",
    )
