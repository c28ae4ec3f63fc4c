"""One break for every rule of the server side: what a server has to do for the rule to find it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from breaking_proxy import Break, Reply, Request

Change = Callable[[Any], Any]


def is_run(request: Request) -> bool:
    """Whether PromptLayer's run is asked for."""
    return request.path.endswith("/run")


def is_results(request: Request) -> bool:
    """Whether results are asked for."""
    return request.path.startswith("/workflow-version-execution-results")


def is_execute(request: Request) -> bool:
    """Whether Interactly's execute is asked for."""
    return "/execute" in request.path


def members(request: Request) -> dict[str, Any]:
    """The body's members, none if it is no object."""
    body = request.json
    return body if isinstance(body, dict) else {}


def wants_all(request: Request) -> bool:
    """Whether all nodes' outputs are asked for."""
    return parse_qs(urlsplit(request.path).query).get("return_all_outputs") == ["true"]


def status(when: Callable[[Request], bool], new: int, old: int | None = None) -> Break:
    """Answer with another status."""

    def after(request: Request, reply: Reply) -> None:
        if when(request) and old in (None, reply.status):
            reply.status = new

    return Break(after=after)


def body(when: Callable[[Request], bool], change: Change, statuses: tuple[int, ...] = (200, 201, 202)) -> Break:
    """Answer with another body."""

    def after(request: Request, reply: Reply) -> None:
        if when(request) and reply.status in statuses:
            reply.replace_json(change(reply.json))

    return Break(after=after)


def accepting(when: Callable[[Request], bool], instead: dict[str, Any]) -> Break:
    """Take a request that has to be refused, as if its body had been this one."""

    def before(request: Request) -> None:
        if when(request):
            request.replace_json(instead)

    return Break(before=before)


def rewriting(when: Callable[[Request], bool], change: Callable[[Request], None]) -> Break:
    """Change a request before it is carried out."""

    def before(request: Request) -> None:
        if when(request):
            change(request)

    return Break(before=before)


def without(member: str) -> Change:
    """Leave a member out."""
    return lambda value: {key: inner for key, inner in value.items() if key != member}


def having(member: str, inner: Any) -> Change:
    """Give a member another value."""
    return lambda value: {**value, member: inner}


def each_entry(change: Change) -> Change:
    """Change every node's entry."""
    return lambda value: {name: change(entry) for name, entry in value.items()}


def letting_in(request: Request) -> None:
    """Forget that there is a key."""
    request.headers |= {"x-api-key": "sandbox-key", "authorization": "Bearer sandbox-key"}


def to_path(path: str) -> Callable[[Request], None]:
    """Carry a request out on another path."""

    def change(request: Request) -> None:
        request.path = path

    return change


def fixed_id(value: Any) -> Any:
    """Give every execution the same id."""
    return {**value, "workflow_version_execution_id": 1}


class Counting:
    """A body that is another one each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: Any) -> Any:
        """Put the count into every entry."""
        self.count += 1
        return {name: {**entry, "value": self.count} for name, entry in value.items()}


def has_own_name(request: Request) -> bool:
    """Whether the one workflow is asked for."""
    return request.path in {"/workflows/canary/run", "/workflows/v1/workflows/5eb7cf5a86d9755df3a6c593/execute"}


CANARY = "/workflows/canary/run"
EXECUTE = "/workflows/v1/workflows/5eb7cf5a86d9755df3a6c593/execute"


def _swallowed(_: Request) -> None:
    return None


def _altered(change: Change) -> Callable[[Request], Request]:
    def callback(request: Request) -> Request:
        request.replace_json(change(request.json))
        return request

    return callback


def _put(request: Request) -> Request:
    request.method = "PUT"
    return request


PROMPTLAYER: dict[str, tuple[str, Break]] = {
    "a run needs no key": ("PL-RUN-01", rewriting(is_run, letting_in)),
    "an unknown workflow runs": ("PL-RUN-02", rewriting(is_run, to_path(CANARY))),
    "an empty body is refused": ("PL-RUN-03", status(lambda r: is_run(r) and r.json == {}, 422)),
    "the reply to a run has no message": ("PL-RUN-04", body(is_run, without("message"), (201, 202))),
    "the execution id is a text": (
        "PL-RUN-04",
        body(is_run, having("workflow_version_execution_id", "7"), (201, 202)),
    ),
    "the warning is a list": ("PL-RUN-05", body(is_run, having("warning", []), (201, 202))),
    "a run with a callback is answered 201": ("PL-RUN-06", status(is_run, 201, 202)),
    "a run without a callback is answered 202": ("PL-RUN-07", status(is_run, 202, 201)),
    "a callback of null counts as one": (
        "PL-RUN-07-NULL",
        status(lambda r: is_run(r) and members(r).get("callback_url", 0) is None, 202, 201),
    ),
    "a label is refused": ("PL-RUN-08", status(lambda r: bool(members(r).get("workflow_label_name")), 404, 201)),
    "a version number is refused": (
        "PL-RUN-09",
        status(lambda r: bool(members(r).get("workflow_version_number")), 404, 201),
    ),
    "label and version number go together": (
        "PL-RUN-10",
        accepting(lambda r: {"workflow_label_name", "workflow_version_number"} <= members(r).keys(), {}),
    ),
    "nulls are refused": (
        "PL-RUN-11",
        status(lambda r: "metadata" in members(r) and members(r)["metadata"] is None, 422),
    ),
    "metadata takes numbers": ("PL-RUN-12", accepting(lambda r: bool(members(r).get("metadata")), {})),
    "a version number may be a text": (
        "PL-RUN-13",
        accepting(lambda r: isinstance(members(r).get("workflow_version_number"), str), {}),
    ),
    "nothing is said of a missing variable": ("PL-RUN-14", body(is_run, having("warning", None), (201,))),
    "nothing is said of an unused variable": ("PL-RUN-15", body(is_run, having("warning", None), (201,))),
    "an unknown label is ignored": ("PL-RUN-16", accepting(lambda r: "workflow_label_name" in members(r), {})),
    "equal requests are one execution": ("PL-RUN-18", body(is_run, fixed_id, (201, 202))),
    "no execution id is needed": ("PL-RES-21", status(lambda r: is_results(r) and "?" not in r.path, 200)),
    "every execution exists": ("PL-RES-22", status(is_results, 200, 404)),
    "a running execution is answered 200": ("PL-RES-23", status(is_results, 200, 202)),
    "an ended execution is answered 202": (
        "PL-RES-24",
        status(lambda r: is_results(r) and wants_all(r), 201, 200),
    ),
    "results change": ("PL-RES-25", body(lambda r: is_results(r) and wants_all(r), Counting(), (200,))),
    "entries have no raw_error_message": (
        "PL-RES-26",
        body(lambda r: is_results(r) and wants_all(r), each_entry(without("raw_error_message")), (200,)),
    ),
    "all outputs come unasked": (
        "PL-RES-27",
        rewriting(is_results, lambda r: setattr(r, "path", r.path.replace("outputs=false", "outputs=true"))),
    ),
    "unfinished entries have a value": (
        "PL-RES-29",
        body(lambda r: is_results(r) and wants_all(r), each_entry(having("value", "early")), (202,)),
    ),
    "the callback never comes": ("PL-CB-37", Break(callback=_swallowed)),
    "the callback has no final output": ("PL-CB-37", Break(callback=_altered(without("final_output")))),
    "the callback's id is a text": (
        "PL-CB-37",
        Break(callback=_altered(having("workflow_version_execution_id", "x"))),
    ),
    "the callback is a PUT": ("PL-CB-37", Break(callback=_put)),
    "the callback has another id": ("PL-CB-38", Break(callback=_altered(having("workflow_version_execution_id", 1)))),
}

INTERACTLY: dict[str, tuple[str, Break]] = {
    "any workflow id is taken": ("IA-EXE-51", rewriting(is_execute, to_path(EXECUTE))),
    "a negative version is taken": ("IA-EXE-52", rewriting(lambda r: "version=-1" in r.path, to_path(EXECUTE))),
    "no token is needed": ("IA-EXE-53", rewriting(is_execute, letting_in)),
    "an unknown workflow is answered 400": ("IA-EXE-54", status(is_execute, 400, 404)),
    "any command is taken": ("IA-EXE-55", accepting(lambda r: members(r).get("command") == "rewind", {})),
    "a version is demanded": ("IA-EXE-56", status(lambda r: is_execute(r) and "version" not in r.path, 400, 200)),
    "the status is a tenth word": ("IA-EXE-57", body(is_execute, having("status", "pending"), (200,))),
}

PROPERTIES: dict[str, tuple[str, str, Break]] = {
    "an undocumented 418": ("SRV-01", "runWorkflow", status(is_run, 418, 404)),
    "an undocumented 500": ("SRV-01", "runWorkflow", status(is_run, 500, 201)),
    "no reply at all": ("SRV-01", "getWorkflowVersionExecutionResults", status(is_results, 0)),
    "text for JSON": (
        "SRV-02",
        "runWorkflow",
        Break(after=lambda _, reply: reply.headers.update({"content-type": "text/plain"})),
    ),
    "a member of the wrong type": ("SRV-03", "runWorkflow", body(is_run, having("success", "yes"), (201,))),
    "a cut body": (
        "SRV-03",
        "getWorkflowVersionExecutionResults",
        Break(after=lambda _, reply: setattr(reply, "content", b'{"success": ')),
    ),
    "bodies are not looked at": (
        "SRV-04",
        "runWorkflow",
        accepting(lambda r: is_run(r) and "sandbox-key" in str(r.headers), {}),
    ),
    "queries are not looked at": (
        "SRV-04",
        "getWorkflowVersionExecutionResults",
        Break(after=lambda _, reply: setattr(reply, "status", 200 if reply.status == 422 else reply.status)),
    ),
    "anybody may ask": ("SRV-05", "getWorkflowVersionExecutionResults", rewriting(is_results, letting_in)),
}
