"""Clients that take replies for good that are not, or let an exception through that is not theirs."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, defect, generated
from mutants.clients.operators import RESULTS, RUN, optional, unchecked
from mutants.clients.reading import DECODING

NOT_JSON: Final = (
    "            size = len(self.response.content)\n"
    '            raise Problem("JSON", received=f"{size} bytes that are none" if size else "an empty body") from None\n'
)
MEDIA_TYPE: Final = "        self._check_media_type(media_types)\n        return self._loaded()\n"
FAILURE: Final = "    raise _failure(reply)\n"
UNKNOWN: Final = "    if reply.status not in {400, 401, 403, 404, 422, 500}:\n        return ExecutionResults(None)\n"
COVERS: Final = "any(_covers(pattern, received) for pattern in media_types)"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _members()
    yield from _types()
    yield from _whole()
    yield from _statuses()
    yield from _errors()


def _members() -> Iterator[ClientDefect]:
    yield from (
        defect(
            f"{model}.{member}.optional",
            f"takes {model} without {member}",
            "required check removed",
            "CL-BRK-01",
            optional(model, member),
            operation="runWorkflow",
        )
        for model, member in (
            ("run_created", "success"),
            ("run_created", "workflow_version_execution_id"),
            ("run_accepted", "message"),
        )
    )
    yield from (
        defect(
            f"{model}.{member}.unchecked",
            f"takes {member} of {model} whatever its type",
            "type check removed",
            "CL-BRK-02",
            unchecked(model, member),
        )
        for model, member in (
            ("run_created", "success"),
            ("run_created", "message"),
            ("run_accepted", "workflow_version_execution_id"),
            ("run_accepted", "warning"),
            ("workflow_run", "version_number"),
            ("workflow_run", "comments"),
            ("workflow_run", "is_evaluation_run"),
        )
    )


def _types() -> Iterator[ClientDefect]:
    yield from (
        defect(f"reading.{id_}", title, "type check removed", "CL-BRK-02", generated("reading.py", old, new))
        for id_, title, old, new in (
            (
                "text",
                "takes anything for a text",
                '    if value.__class__ is not str:\n        raise Problem("a text"',
                _ANYTHING,
            ),
            ("digits", "takes a text of digits for a whole number", _NO_INTEGER, _DIGITS + _NO_INTEGER),
            ("truth", "takes 0 and 1 for false and true", _NO_TRUTH, _NUMBERS + _NO_TRUTH),
            ("number-truth", "takes true for a whole number", _NO_INTEGER, _TRUTH + _NO_INTEGER),
        )
    )
    check = '        if source.__class__ is not dict:\n            raise types.Problem("an object", source)\n'
    yield defect(
        "run_created.no-object",
        "fails with a foreign exception where an object belongs",
        "type check removed",
        "CL-BRK-02",
        generated("models/run_created.py", check, ""),
        operation="runWorkflow",
    )


_ANYTHING: Final = '    if False:\n        raise Problem("a text"'
_NO_INTEGER: Final = '    raise Problem("a whole number", value)\n'
_DIGITS: Final = "    if value.__class__ is str and value.isdigit():\n        return int(value)\n"
_TRUTH: Final = "    if value.__class__ is bool:\n        return int(value)\n"
_NO_TRUTH: Final = "    if value is not True and value is not False:\n"
_NUMBERS: Final = "    if value.__class__ is int and value in (0, 1):\n        return bool(value)\n"


def _whole() -> Iterator[ClientDefect]:
    yield defect(
        "not-json.text",
        "hands over a page of a proxy as a text",
        "error swallowed",
        ("CL-BRK-03", "CL-BRK-06"),
        generated("reply.py", NOT_JSON, "            return self.response.text\n"),
        generated("reply.py", MEDIA_TYPE, "        return self._loaded()\n"),
    )
    yield defect(
        "not-json.foreign",
        "lets the exception of the JSON reader through",
        "error changed",
        ("CL-BRK-03", "CL-BRK-05", "CL-BRK-06"),
        generated("reply.py", "        except (ValueError, RecursionError):\n" + NOT_JSON, _RERAISED),
    )
    yield defect(
        "media-type.unchecked",
        "does not look at a reply's media type",
        "check removed",
        "CL-BRK-04",
        generated("reply.py", MEDIA_TYPE, "        return self._loaded()\n"),
    )
    yield defect(
        "media-type.any-application",
        "takes any media type of the kind application",
        "check widened",
        "CL-BRK-04",
        generated("reply.py", COVERS, 'received.startswith("application/")'),
    )
    yield defect(
        "empty.null",
        "gives null for an empty reply",
        "error swallowed",
        "CL-BRK-05",
        generated("reply.py", DECODING, "        if not self.response.content:\n            return None\n" + DECODING),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "cut.completed",
        "puts a closing brace where a reply was cut",
        "error swallowed",
        "CL-BRK-06",
        generated("reply.py", "            size = len(self.response.content)\n", _COMPLETED),
    )
    yield defect(
        "json.rest-ignored",
        "ignores what follows the JSON of a reply",
        "check removed",
        "CL-BRK-03",
        generated("reply.py", DECODING, _RAW_DECODE),
    )
    yield defect(
        "json.constants",
        "takes NaN, which is not JSON",
        "check removed",
        "CL-BRK-03",
        generated("reply.py", DECODING, DECODING.replace("value_of", "__import__('json').loads")),
    )
    yield defect(
        "json.deep",
        "fails with a foreign exception on a reply that is nested very deeply",
        "error changed",
        "CL-BRK-09",
        generated("reply.py", "        except RecursionError:\n            raise self.broken(", _NOT_CAUGHT),
        generated("reply.py", "\n        except (ValueError, RecursionError):\n", "\n        except ValueError:\n"),
    )


_RERAISED: Final = "        except (ValueError, RecursionError):\n            raise\n"
_COMPLETED: Final = (
    "            for end in (b'}', b']', b'\"'):\n"
    "                try:\n"
    "                    return value_of(self.response.content + end)\n"
    "                except ValueError:\n"
    "                    pass\n"
    "            size = len(self.response.content)\n"
)
_RAW_DECODE: Final = (
    "        try:\n            read = __import__('json').JSONDecoder().raw_decode\n"
    "            return read(self.response.content.decode(errors='replace'))[0]\n"
)
_NOT_CAUGHT: Final = "        except FloatingPointError:\n            raise self.broken("


def _statuses() -> Iterator[ClientDefect]:
    yield defect(
        "run.any-success",
        "takes any status of success for a created run",
        "undocumented status taken",
        "CL-BRK-07",
        generated(RUN, FAILURE, _ANY_SUCCESS + FAILURE),
        operation="runWorkflow",
    )
    yield defect(
        "json.replaced",
        "replaces bytes that are no UTF-8",
        "not JSON taken",
        "CL-BRK-03",
        generated("json_text.py", '"surrogatepass")', '"replace")'),
    )
    yield defect(
        "results.part-for-whole",
        "takes 206 for the whole result",
        "undocumented status taken",
        "CL-BRK-07",
        generated(RESULTS, "if reply.status == 200:", "if reply.status in (200, 206):"),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "results.unknown-status-is-null",
        "gives null for a status that it does not know",
        "error swallowed",
        "CL-BRK-07",
        generated(RESULTS, FAILURE, UNKNOWN + FAILURE),
        operation="getWorkflowVersionExecutionResults",
    )
    undocumented = "        if self.status in _REDIRECT:\n"
    yield defect(
        "status.unnamed",
        "fails with a foreign exception on a status without a name, such as 520",
        "error changed",
        "CL-BRK-07",
        generated("reply.py", undocumented, '        __import__("http").HTTPStatus(self.status)\n' + undocumented),
    )


_ANY_SUCCESS: Final = (
    '    if 200 <= reply.status < 300:\n        return reply.json(RunCreated.from_json, "application/json")\n'
)


def _errors() -> Iterator[ClientDefect]:
    about = '            "response": self.response,\n'
    broken = "            received=shown(problem.received, _NAME_SHOWN),\n            **self.about(),\n"
    yield defect(
        "broken.response-lost",
        "does not keep the reply that breaks the contract",
        "response lost",
        ("CL-BRK-01", "CL-BRK-02", "CL-BRK-03"),
        generated("reply.py", broken, broken.replace("self.about()", "{**self.about(), 'response': None}")),
    )
    yield defect(
        "error.response-lost",
        "keeps no reply in any error",
        "response lost",
        ("CL-REP-04", "CL-BRK-01"),
        generated("reply.py", about, about.replace("self.response", "None")),
    )
