"""Clients that hand over something else than came."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, Edit, client, defect, generated
from mutants.clients.operators import (
    EXECUTE,
    RESULTS,
    RUN,
    not_written,
    null_for_absent,
    read_from,
    reads,
)

DECODING: Final = "        try:\n            return value_of(self.response.content)\n"
ERROR_BODY: Final = 'return self._error(self._body(read), "")'
FAILURE: Final = "    raise _failure(reply)\n"
_404_AS_VALUE: Final = (
    '    if reply.status == 404:\n        return ExecutionResults(reply.json(reading.anything, "application/json"))\n'
)
READ_422: Final = "        return reply.error(_read_422)\n"
EXTRA: Final = "        self.additional_properties = _extra\n"
PROBLEM_FORMS: Final = (
    "                HTTPValidationError.from_json,\n                ErrorResponse.from_json,\n",
    "                ErrorResponse.from_json,\n                HTTPValidationError.from_json,\n",
)


BOTH_FORMS: Final = (
    "a body of the first form of a 422 fits the second as well; the contract allows both names for it, and no member "
    "is lost on either way"
)


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _members()
    yield from _unknown()
    yield from _forms()
    yield from _statuses()
    yield from _errors()
    yield from _values()


def _members() -> Iterator[ClientDefect]:
    yield from (
        defect(
            f"{model}.{member}.wrong-key",
            f"reads {member} of {model} from {other}",
            "wrong wire key",
            rules,
            read_from(model, member, other),
            equivalent=BOTH_FORMS if model == "validation_error" else "",
        )
        for model, member, other, rules in (
            ("run_created", "workflow_version_execution_id", "execution_id", "CL-REP-01"),
            ("workflow_run", "status", "state", "CL-REP-01"),
            ("workflow_run", "version_name", "versionName", "CL-REP-01"),
            ("error_response", "error", "errors", "CL-REP-04"),
            ("validation_error", "msg", "message", "CL-REP-02"),
        )
    )
    yield from (
        defect(
            f"{model}.{member}.dropped",
            f"loses {member} of {model}",
            "dropped field",
            rules,
            not_written(model, member),
        )
        for model, member, rules in (
            ("run_created", "warning", "CL-REP-01"),
            ("workflow_run", "run_by", "CL-REP-01"),
            ("error_response", "message", "CL-REP-04"),
            ("token_usage", "total_tokens", "CL-REP-01"),
        )
    )
    yield from (
        defect(
            f"{model}.{member}.null-for-absent",
            f"gives null where {member} of {model} is absent",
            "null for absent",
            rules,
            null_for_absent(model, member),
        )
        for model, member, rules in (
            ("workflow_run", "termination_source", "CL-REP-01"),
            ("run_accepted", "warning", "CL-REP-01"),
            ("error_response", "detail", "CL-REP-04"),
        )
    )
    warning = reads("run_created", "warning")
    yield defect(
        "run_created.warning.absent-for-null",
        "gives nothing where warning of run_created is null",
        "absent for null",
        "CL-REP-01",
        generated("models/run_created.py", warning, "self.warning = source.get(_at) or UNSET"),
    )
    yield defect(
        "error_response.message.falsy-dropped",
        "loses a message that is empty",
        "dropped field",
        "CL-REP-04",
        generated("models/error_response.py", "if self.message is not UNSET:", "if self.message:"),
    )


def _unknown() -> Iterator[ClientDefect]:
    yield defect(
        "unknown-members.dropped",
        "drops members that it does not know",
        "unknown members dropped",
        "CL-REP-05",
        generated(
            "reading.py", "return {name: value for name, value in source.items() if name not in known}", "return {}"
        ),
    )
    yield from (
        defect(
            f"{model}.unknown-members.dropped",
            f"drops members of {model} that it does not know",
            "unknown members dropped",
            "CL-REP-05",
            generated(f"models/{model}.py", EXTRA, EXTRA.replace("_extra", "{}")),
        )
        for model in ("workflow_run", "token_usage")
    )
    status = reads("workflow_run", "status")
    words = "from typing import get_args; value = source.get(_at, 'paused')"
    for id_, title, end in (
        ("refused", "refuses a status that it does not know", "raise types.Problem('a known word', value)"),
        ("replaced", "gives another status for one that it does not know", "value = 'not_started'"),
    ):
        new = f"{words}\n            if value not in get_args(RunStatus):\n                {end}\n            {status}"
        if id_ == "replaced":
            new = new.replace(status, "self.status = value if _at in source else UNSET")
        yield defect(
            f"unknown-word.{id_}",
            title,
            "unknown enum refused",
            "CL-REP-06",
            generated("models/workflow_run.py", status, new),
            operation="executeWorkflow",
        )


def _forms() -> Iterator[ClientDefect]:
    yield defect(
        "422.order",
        "tries the forms of a 422 in another order",
        "union order",
        "CL-REP-02",
        generated(RUN, *PROBLEM_FORMS),
        operation="runWorkflow",
        equivalent=BOTH_FORMS,
    )
    yield defect(
        "422.one-form",
        "knows one form of a 422 only",
        "union narrowed",
        "CL-REP-02",
        generated(EXECUTE, READ_422, READ_422.replace("_read_422", "ErrorResponse.from_json")),
        operation="executeWorkflow",
        equivalent=BOTH_FORMS,
    )
    yield defect(
        "422.location-as-text",
        "makes texts of the numbers in a location",
        "value changed",
        "CL-REP-04",
        generated("models/validation_error.py", "            reading.string,\n", "            str,\n"),
    )
    yield defect(
        "execute.one-form",
        "reads a run by itself as a run of a turn, whose members may all be absent",
        "union narrowed",
        ("CL-REP-07", "CL-REP-02"),
        generated(EXECUTE, "            InteractiveRun.from_json,\n", ""),
        generated(EXECUTE, "    answers=(\n        WorkflowRun,\n        InteractiveRun,\n    ),\n", ""),
        operation="executeWorkflow",
    )
    yield defect(
        "500.other-form",
        "reads the end of an execution without an output as any other error",
        "union narrowed",
        ("CL-REP-02", "CL-REP-04"),
        generated(
            RESULTS, "return reply.error(ExecutionFailed.from_json)", "return reply.error(ErrorResponse.from_json)"
        ),
        operation="getWorkflowVersionExecutionResults",
    )


def _statuses() -> Iterator[ClientDefect]:
    yield defect(
        "results.202-for-200",
        "takes what there is so far for the results",
        "202 taken for 200",
        "CL-REP-03",
        generated(
            RESULTS,
            "        return ExecutionPending(reply.json(",
            "        return ExecutionResults(reply.json(",
        ),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "run.202-for-201",
        "takes an accepted run for a created one",
        "202 taken for 200",
        ("CL-REP-03", "CL-REP-02"),
        generated(RUN, "reply.json(RunAccepted.from_json", "reply.json(RunCreated.from_json"),
        operation="runWorkflow",
    )
    yield defect(
        "run.swapped",
        "calls an accepted run created, and a created one accepted",
        "status class wrong",
        "CL-REP-02",
        generated(RUN, "    if reply.status == 201:", "    if reply.status == -1:"),
        generated(RUN, "    if reply.status == 202:", "    if reply.status == 201:"),
        generated(RUN, "    if reply.status == -1:", "    if reply.status == 202:"),
        operation="runWorkflow",
    )
    yield defect(
        "run.202-refused",
        "does not know that a run can be accepted",
        "status refused",
        "CL-REP-01",
        generated(RUN, "    if reply.status == 202:\n", "    if reply.status == 203:\n"),
        operation="runWorkflow",
    )
    yield defect(
        "results.404-as-value",
        "returns a 404 as if it were the results",
        "error as value",
        "CL-REP-04",
        generated(
            RESULTS,
            FAILURE,
            _404_AS_VALUE + FAILURE,
        ),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "run.401-unknown",
        "does not know a documented status",
        "status refused",
        "CL-REP-02",
        generated(RUN, "    if reply.status == 401:\n", "    if reply.status == 499:\n"),
        operation="runWorkflow",
    )
    yield defect(
        "404.class",
        "has the class of another status for a 404",
        "status class wrong",
        "CL-REP-04",
        generated("errors.py", "    404: NotFound,\n", "    404: Conflict,\n"),
        equivalent="the contract names no classes for errors; the status and the body that it names are there",
    )


def _errors() -> Iterator[ClientDefect]:
    yield defect(
        "error.body-lost",
        "does not hand over the body of an error",
        "response lost",
        "CL-REP-04",
        generated("reply.py", ERROR_BODY, 'return self._error(None, "")'),
    )
    yield defect(
        "error.body-raw",
        "hands over the body of an error as plain JSON",
        "type lost",
        "CL-REP-02",
        generated("reply.py", ERROR_BODY, 'return self._error(self._body(None), "")'),
    )
    yield defect(
        "error.status-class",
        "says 400 or 500 for every error of that class",
        "status class wrong",
        "CL-REP-04",
        generated("errors.py", _STATUS, _STATUS.replace("self.response.status_code", _HUNDREDS)),
    )
    yield defect(
        "run-failed.body-lost",
        "loses the body where an execution has ended without an output",
        "response lost",
        "CL-REP-04",
        client("promptlayer.py", "            body=error.body,\n", ""),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "run-failed.response-lost",
        "loses the status where an execution has ended without an output",
        "response lost",
        "CL-REP-04",
        client("promptlayer.py", "            response=error.response,\n", ""),
        operation="getWorkflowVersionExecutionResults",
    )


_STATUS: Final = "return None if self.response is None else self.response.status_code"
_HUNDREDS: Final = "self.response.status_code // 100 * 100"


def _values() -> Iterator[ClientDefect]:
    yield from (
        defect(id_, title, "value changed", "CL-REP-01", _decoding(new))
        for id_, title, new in (
            (
                "reply.latin-1",
                "reads replies as Latin-1",
                '__import__("json").loads(self.response.content.decode("latin-1"))',
            ),
            ("reply.float", "reads whole numbers as exactly as a float can hold them", _ROUNDED),
            ("reply.digits", "keeps six digits of a fraction", _SIX_DIGITS),
        )
    )
    yield defect(
        "results.falsy",
        "gives null for results that are false, 0 or empty",
        "value changed",
        "CL-REP-01",
        generated(
            RESULTS,
            '        return ExecutionResults(reply.json(reading.anything, "application/json"))',
            '        return ExecutionResults(reply.json(reading.anything, "application/json") or None)',
        ),
        operation="getWorkflowVersionExecutionResults",
    )
    yield defect(
        "list.shortened",
        "loses the last item of a list",
        "value changed",
        "CL-REP-01",
        generated("reading.py", "        for entry in value:\n", "        for entry in value[:-1]:\n"),
    )
    yield defect(
        "refusal.unreadable",
        "tells nothing of a refusal whose body can't be read",
        "check left out",
        "CL-BRK-11",
        generated("transport.py", "        if self._response.status_code < _REFUSED:\n", "        if error:\n"),
    )
    yield defect(
        "refusal.page",
        "takes a refusal that is no JSON for a broken response",
        "check left out",
        "CL-BRK-11",
        generated(
            "reply.py",
            "                return self.shown(self.response.text)\n        if len",
            '                raise self.broken(Problem("JSON", received="a text")) from None\n        if len',
        ),
    )
    yield defect(
        "replies.shared",
        "hands out one object for all responses that are the same",
        "state shared",
        "CL-OBJ-09",
        generated("json_text.py", "import json\nimport math", "import functools\nimport json\nimport math"),
        generated("json_text.py", "def value_of(content", "@functools.lru_cache(maxsize=128)\ndef value_of(content"),
    )
    yield defect(
        "charset.ignored",
        "reads the words of a refusal as UTF-8",
        "check left out",
        "CL-REL-45",
        generated(
            "transport.py",
            'charset_of(response.headers.get("content-type", ""), response.content)',
            '"utf-8"',
        ),
    )
    yield defect(
        "doubt.redirect",
        "says that nothing has happened after a redirect",
        "value changed",
        "CL-REL-44",
        generated("reply.py", "_NOT_ACTED_UPON = range(400, 500)", "_NOT_ACTED_UPON = range(300, 500)"),
    )
    yield defect(
        "letters.half",
        "sends half a letter as bytes that are no UTF-8",
        "check left out",
        "CL-REF-11",
        generated(
            "operation.py",
            "            return text.encode()\n",
            '            return text.encode("utf-8", "surrogatepass")\n',
        ),
    )
    yield defect(
        "doubt.after-429",
        "sends a start again after a failure, if it was sent again after a 429 before",
        "state kept",
        "CL-NET-01",
        client(
            "retries.py",
            "        if self._made >= retries.further_tries or not retries.allows(error, repeatable=repeatable):\n",
            "        repeatable = repeatable or self._made > 0\n"
            "        if self._made >= retries.further_tries or not retries.allows(error, repeatable=repeatable):\n",
        ),
    )
    yield defect(
        "chunks.lower-case",
        "refuses a delivery in chunks whose sizes are written in capitals",
        "check added",
        "CL-CB-11",
        client("callbacks/http_server.py", 'rb"([0-9A-Fa-f]{1,15})', 'rb"([0-9a-f]{1,15})'),
    )
    yield defect(
        "form.other",
        "takes the answer to a request of another form",
        "check left out",
        "CL-BRK-10",
        generated(
            "operation.py", "        if form is not None and not isinstance", "        if False and not isinstance"
        ),
        operation="executeWorkflow",
    )
    yield defect(
        "pairs.raw",
        "leaves the pairs of a run plain JSON",
        "type lost",
        ("CL-BRK-02", "CL-BRK-01"),
        generated("models/workflow_run.py", "return reading.array(value, InputOutputPair.from_json)", "return value"),
        operation="executeWorkflow",
    )


_ROUNDED: Final = "__import__('json').loads(self.response.content, parse_int=lambda text: int(float(text)))"
_SIX_DIGITS: Final = "__import__('json').loads(self.response.content, parse_float=lambda text: round(float(text), 6))"


def _decoding(new: str) -> Edit:
    return generated("reply.py", DECODING, f"        try:\n            return {new}\n")
