"""Clients that send something else than they were given."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, Edit, client, defect, generated
from mutants.clients.operators import (
    EXECUTE,
    OPERATIONS,
    RESULTS,
    RUN,
    argument,
    arguments,
    dropped,
    renamed,
    value_replaced,
)

METHODS: Final = "api/promptlayer/__init__.py"
SEGMENT: Final = 'return _flat(value, "=" if self.explode else ",", _quoted)'
STEPS: Final = 'if filled in {"", ".", ".."}:'
MEDIA_TYPE: Final = 'content, own["content-type"] = sent'
ACCEPT: Final = '{"accept": self.accept, '
SENDING: Final = "response = wire.send(standing, outgoing, self._timeout, bounds, redaction)\n"
SENDING_ASYNC: Final = "response = await wire.async_send(standing, outgoing, self._timeout, bounds, redaction)\n"
JSON_NUMBER: Final = "    if kind is str or kind is bool or kind is int or value is None or kind is Part:\n"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _by_machine()
    yield from _members()
    yield from _paths_and_queries()
    yield from _headers()
    yield from _values()
    yield from _calls()
    yield from _python_values()


def _python_values() -> Iterator[ClientDefect]:
    yield defect(
        "time.whole-seconds",
        "loses the fraction of a second of a datetime",
        "value changed",
        "CL-REQ-12",
        generated("types.py", "or value.isoformat()", "or re.sub(r'[.][0-9]+', '', value.isoformat())"),
    )
    yield defect(
        "id.without-hyphens",
        "writes a UUID without its hyphens",
        "value changed",
        "CL-REQ-12",
        generated(
            "types.py",
            "            return str(value)\n        case _:\n",
            "            return value.hex\n        case _:\n",
        ),
    )


def _by_machine() -> Iterator[ClientDefect]:
    for module, short in ((RUN, "run"), (RESULTS, "results"), (EXECUTE, "execute")):
        for found in arguments(module):
            if found.place == "path":
                continue
            rule = "CL-REQ-08" if found.place == "members" else "CL-REQ-05"
            if module != EXECUTE or found.place == "query":
                yield defect(
                    f"{short}.{found.name}.wrong-key",
                    f"sends {found.name} under another name",
                    "wrong wire key",
                    rule,
                    *renamed(module, found.name, found.place),
                    operation=OPERATIONS[module],
                )
            elif found.place == "members":
                yield defect(
                    f"{short}.{found.name}.dropped",
                    f"never sends {found.name}",
                    "dropped field",
                    rule,
                    dropped(module, found.name),
                    operation=OPERATIONS[module],
                )


def _run(id_: str, title: str, operator: str, rules: str | tuple[str, ...], *edits: Edit) -> ClientDefect:
    return defect(id_, title, operator, rules, *edits, operation="runWorkflow")


def _results(id_: str, title: str, operator: str, rules: str | tuple[str, ...], *edits: Edit) -> ClientDefect:
    return defect(id_, title, operator, rules, *edits, operation="getWorkflowVersionExecutionResults")


def _execute(id_: str, title: str, operator: str, rules: str | tuple[str, ...], *edits: Edit) -> ClientDefect:
    return defect(id_, title, operator, rules, *edits, operation="executeWorkflow")


def _members() -> Iterator[ClientDefect]:
    absent = "{} if {} is not UNSET else "
    yield _run(
        "run.default-sent",
        "sends return_all_outputs: false though nothing was given",
        "default sent",
        "CL-REQ-09",
        value_replaced(RUN, "return_all_outputs", absent.replace("{}", "return_all_outputs") + "False"),
    )
    yield _run(
        "run.empty-object-sent",
        "sends input_variables: {} though nothing was given",
        "default sent",
        "CL-REQ-09",
        value_replaced(RUN, "input_variables", "input_variables if input_variables is not UNSET else dict()"),
    )
    yield _execute(
        "execute.default-sent",
        "sends the command start though nothing was given",
        "default sent",
        "CL-REQ-09",
        value_replaced(EXECUTE, "command", '{} if {} is not UNSET else "start"'.replace("{}", "command")),
    )
    yield _results(
        "results.default-sent",
        "sends return_all_outputs=false though nothing was given",
        "default sent",
        "CL-REQ-09",
        value_replaced(
            RESULTS, "return_all_outputs", absent.replace("{}", "return_all_outputs") + "False", place="query"
        ),
    )
    yield _results(
        "results.default-flipped",
        "asks for all outputs though nothing was given",
        "default flipped",
        "CL-REQ-05",
        value_replaced(
            RESULTS, "return_all_outputs", absent.replace("{}", "return_all_outputs") + "True", place="query"
        ),
    )
    yield _run(
        "run.null-for-absent",
        "sends metadata: null though nothing was given",
        "null for absent",
        "CL-REQ-08",
        value_replaced(RUN, "metadata", "metadata if metadata is not UNSET else None"),
    )
    yield defect(
        "null-dropped",
        "leaves out members that were given as null",
        "absent for null",
        "CL-REQ-08",
        generated(
            "operation.py",
            "in members.items() if value is not UNSET}",
            "in members.items() if value is not UNSET and value is not None}",
        ),
    )
    yield defect(
        "falsy-dropped",
        "leaves out members that are false, 0 or empty",
        "dropped field",
        "CL-REQ-08",
        generated(
            "operation.py", "in members.items() if value is not UNSET}", "in members.items() if value or value is None}"
        ),
    )
    yield _execute(
        "execute.swapped",
        "sends run_by and team_id each in the place of the other",
        "swapped fields",
        "CL-REQ-08",
        generated(EXECUTE, argument(EXECUTE, "run_by").text, '"team_id": run_by,'),
        generated(EXECUTE, argument(EXECUTE, "team_id").text, '"run_by": team_id,'),
    )
    yield _run(
        "run.member-added",
        "adds a member that tells which client it is",
        "field added",
        "CL-REQ-08",
        generated(RUN, "        members={\n", '        members={\n            "client": "python",\n'),
    )
    yield _run(
        "run.async.dropped",
        "never sends the label, in its asynchronous form only",
        "dropped field",
        "CL-REQ-08",
        generated(METHODS, *_without("return await self._call(", "workflow_label_name")),
    )
    yield _results(
        "results.sync.dropped",
        "never sends return_all_outputs, in its synchronous form only",
        "dropped field",
        "CL-REQ-05",
        generated(
            METHODS,
            "return self._call(\n            OPERATION,\n            _request(\n"
            "                workflow_version_execution_id=workflow_version_execution_id,\n"
            "                return_all_outputs=return_all_outputs,\n",
            "return self._call(\n            OPERATION,\n            _request(\n"
            "                workflow_version_execution_id=workflow_version_execution_id,\n",
        ),
    )
    yield defect(
        "extra-members.dropped",
        "drops members that go through with_options",
        "dropped field",
        "CL-REQ-08",
        generated("operation.py", "        if self.extra is None:\n", "        if self.body is not UNSET:\n"),
    )
    yield defect(
        "extra-members.kept",
        "lets with_options change the client itself, so that later calls send the same members",
        "state kept",
        "CL-REQ-08",
        generated("client.py", "view = copy.copy(self)\n        view._timeout", "view = self\n        view._timeout"),
    )


def _without(call: str, name: str) -> tuple[str, str]:
    head = f"{call}\n            OPERATION,\n            _request(\n                workflow_name,\n"
    return head + f"                {name}={name},\n", head


def _paths_and_queries() -> Iterator[ClientDefect]:
    for id_, title, quoting, equivalent in (
        ("not-quoted", "writes path values as they are", "str", ""),
        ("slash-kept", "does not quote slashes in a path", 'lambda text: quote(text, safe="/")', ""),
        ("quoted-twice", "quotes path values twice", "lambda text: _quoted(_quoted(text))", ""),
        ("plus-for-space", "writes a space in a path as +", 'lambda text: _quoted(text).replace("%20", "+")', ""),
        ("lower-cased", "changes path values to lower case", "lambda text: _quoted(text.lower())", ""),
        (
            "lower-case-digits",
            "writes percent-encodings with digits in lower case",
            "lambda text: __import__('re').sub('%..', lambda found: found[0].lower(), _quoted(text))",
            "percent-encodings are equal whatever the case of their digits (RFC 3986, section 2.1)",
        ),
    ):
        yield defect(
            f"path.{id_}",
            title,
            "path not quoted" if id_ in {"not-quoted", "slash-kept"} else "path changed",
            "CL-REQ-03",
            generated("parameters.py", SEGMENT, SEGMENT.replace("_quoted", quoting)),
            equivalent=equivalent,
        )
    yield defect(
        "path.steps",
        "lets . and .. through as path values",
        "check removed",
        "CL-REQ-04",
        generated("operation.py", STEPS, 'if filled == "":'),
    )
    yield defect(
        "path.one-step",
        "refuses .. but lets . through as a path value",
        "check narrowed",
        "CL-REQ-04",
        generated("operation.py", STEPS, 'if filled in {"", ".."}:'),
    )
    yield _run("run.method", "puts instead of posting", "method changed", "CL-REQ-03", _swap(RUN, '"POST"', '"PUT"'))
    yield _results(
        "results.method", "posts instead of getting", "method changed", "CL-REQ-03", _swap(RESULTS, '"GET"', '"POST"')
    )
    yield _run("run.path", "has another path", "path changed", "CL-REQ-03", _swap(RUN, '}/run",', '}/runs",'))
    yield _results(
        "results.path",
        "ends the path with a slash",
        "path changed",
        "CL-REQ-03",
        _swap(RESULTS, 'path="/workflow-version-execution-results"', 'path="/workflow-version-execution-results/"'),
    )
    yield _execute(
        "execute.base-path",
        "drops the path of the base address",
        "path changed",
        "CL-REQ-03",
        generated(
            "operation.py",
            'query = "&".join(call.query + _pairs(extra_query))\n',
            'query = "&".join(call.query + _pairs(extra_query))\n'
            '        base_url = "/".join(base_url.split("/")[:3])\n',
        ),
    )
    plain = '    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))\n'
    yield _results(
        "results.flag",
        "writes a truth value as Python does: True",
        "flag spelled as in Python",
        "CL-REQ-05",
        generated("parameters.py", plain, "    return str(value)\n"),
    )
    yield _results(
        "results.flag-as-number",
        "writes a truth value as 1 or 0",
        "flag spelled as a number",
        "CL-REQ-05",
        generated("parameters.py", plain, "    return json.dumps(int(value) if isinstance(value, bool) else value)\n"),
    )
    yield defect(
        "query.added",
        "adds a query parameter that tells which client it is",
        "parameter added",
        "CL-REQ-05",
        generated(
            "operation.py",
            'query = "&".join(call.query + _pairs(extra_query))',
            'query = "&".join([*call.query, "client=python"] + _pairs(extra_query))',
        ),
    )


def _swap(module: str, old: str, new: str) -> Edit:
    return generated(module, old, new)


def _headers() -> Iterator[ClientDefect]:
    key = 'operation.Credential("header", "X-API-KEY", "", "promptLayerKey")'
    bearer = 'operation.Credential("header", "Authorization", "Bearer ", "interactlyKey")'
    yield _run(
        "run.key.elsewhere",
        "sends the key as a bearer token",
        "header changed",
        "CL-REQ-07",
        generated(RUN, key, bearer),
    )
    yield _results(
        "results.key.missing", "sends no key", "header missing", "CL-REQ-07", generated(RESULTS, f"(({key},),)", "()")
    )
    yield _execute(
        "execute.key.scheme",
        "sends the key without its scheme",
        "header changed",
        "CL-REQ-07",
        generated(EXECUTE, bearer, bearer.replace('"Bearer "', '""')),
    )
    yield defect(
        "execute.key.scheme-case",
        "writes the scheme in lower case",
        "header changed",
        "CL-REQ-07",
        generated(EXECUTE, bearer, bearer.replace("Bearer", "bearer")),
        operation="executeWorkflow",
        equivalent="the scheme of credentials is written in any case (RFC 9110, section 11.1)",
    )
    yield defect(
        "key.in-query",
        "sends the key in the query as well",
        "key shown",
        "CL-REQ-07",
        generated(
            "operation.py",
            "        return Outgoing(",
            '        url += ("&" if query else "?") + "key=" + headers.reveal().get("x-api-key", "")\n'
            "        return Outgoing(",
        ),
    )
    for id_, title, new, equivalent in (
        ("wrong", "sends JSON as text", 'content, own["content-type"] = sent[0], "text/plain"', ""),
        ("missing", "sends a body without its media type", "content = sent[0]", ""),
        (
            "with-charset",
            "names the character set of JSON",
            'content, own["content-type"] = sent[0], sent[1] + "; charset=utf-8"',
            "a parameter that says what JSON always is does not change the media type (RFC 8259, section 11)",
        ),
    ):
        yield defect(
            f"media-type.{id_}",
            title,
            "wrong content type",
            "CL-REQ-08",
            generated("operation.py", MEDIA_TYPE, new),
            equivalent=equivalent,
        )
    yield _results(
        "results.body",
        "sends an empty object with a GET",
        "body added",
        "CL-REQ-08",
        generated("operation.py", BODILESS, _EMPTY_OBJECT),
    )
    yield defect(
        "accept.anything",
        "says that it accepts any media type",
        "header changed",
        "CL-REQ-11",
        generated("operation.py", ACCEPT, '{"accept": "*/*", '),
        equivalent="the contract has one media type for every reply and no header parameter Accept",
    )
    yield defect(
        "accept.pages",
        "asks for HTML where JSON comes",
        "header changed",
        "CL-REQ-11",
        generated("operation.py", ACCEPT, '{"accept": "text/html", '),
    )


BODILESS: Final = "        if self.body is None or body is UNSET:\n            return None\n"
_EMPTY_OBJECT: Final = '        if self.body is None:\n            return b"{}"\n'


def _values() -> Iterator[ClientDefect]:
    encoder = "json.JSONEncoder(ensure_ascii=False, allow_nan=False, "
    yield defect(
        "json.ascii",
        "escapes what is not ASCII",
        "spelled otherwise",
        "CL-REQ-08",
        generated("operation.py", encoder, encoder.replace("=False", "=True", 1)),
        equivalent="an escape and the character that it stands for are the same JSON text (RFC 8259, section 7)",
    )
    yield defect(
        "json.sorted",
        "sorts members by name",
        "spelled otherwise",
        "CL-REQ-08",
        generated("operation.py", encoder, encoder + "sort_keys=True, "),
        equivalent="the order of an object's members means nothing (RFC 8259, section 4)",
    )
    yield defect(
        "json.not-utf8",
        "writes JSON in Latin-1, with ? for the rest",
        "wrong encoding",
        "CL-REQ-08",
        generated("operation.py", "return text.encode()", 'return text.encode("latin-1", "replace")'),
    )
    yield defect(
        "integer.as-float",
        "sends whole numbers with a fraction",
        "value changed",
        "CL-REQ-08",
        generated("types.py", JSON_NUMBER, "    if kind is int:\n        return float(value)\n" + JSON_NUMBER),
    )
    yield defect(
        "integer.rounded",
        "sends whole numbers as exactly as a float can hold them",
        "value changed",
        "CL-REQ-08",
        generated("types.py", JSON_NUMBER, "    if kind is int:\n        return int(float(value))\n" + JSON_NUMBER),
    )
    mapping = "return {_key(key): member_to_json(key, item) for key, item in value.items()}"
    yield defect(
        "nested-null.dropped",
        "leaves out nulls inside of free-form objects",
        "absent for null",
        "CL-REQ-08",
        generated("types.py", mapping, mapping[:-1] + " if item is not None}"),
    )
    yield defect(
        "nested-key.changed",
        "changes names inside of free-form objects to lower case",
        "wrong wire key",
        "CL-REQ-08",
        generated("types.py", mapping, mapping.replace("_key(key)", "_key(key).lower()")),
    )
    listing = "return [member_to_json(index, item) for index, item in enumerate(value)]"
    yield defect(
        "list.reversed",
        "sends lists the other way round",
        "value changed",
        "CL-REQ-08",
        generated("types.py", listing, listing + "[::-1]"),
    )
    yield defect(
        "not-finite.sent",
        "sends NaN and infinities, which JSON does not have",
        "NaN sent",
        "CL-REF-09",
        generated("operation.py", encoder, encoder.replace("allow_nan=False", "allow_nan=True")),
        generated("types.py", "case float() if math.isfinite(value):", "case float():"),
    )


def _calls() -> Iterator[ClientDefect]:
    yield defect(
        "sent-twice",
        "sends every request twice",
        "request repeated",
        "CL-REQ-02",
        generated("client.py", SENDING, SENDING + "                " + SENDING),
    )
    yield defect(
        "sent-twice.async",
        "sends every request twice, in its asynchronous form only",
        "request repeated",
        "CL-REQ-02",
        generated("client.py", SENDING_ASYNC, SENDING_ASYNC + "                " + SENDING_ASYNC),
    )
    yield defect(
        "base-address.longer",
        "adds a version to the address that it was given",
        "path changed",
        "CL-REQ-03",
        client(
            "settings.py",
            'found_address = self._found("base_url", address, self._production)',
            'found_address = self._found("base_url", Secret(address.reveal() + "/v1"), self._production)',
        ),
    )
