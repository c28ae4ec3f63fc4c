"""One break for every rule of the server side: what a server has to do for the rule to find it."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
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


def small_status(entry: Any) -> Any:
    """Write the status of a node in small letters."""
    return {**entry, "status": entry["status"].lower()}


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


def _late(request: Request) -> Request:
    time.sleep(7)
    return request


def _posting_early(request: Request, reply: Reply) -> None:
    if is_run(request) and members(request).get("callback_url"):
        id_ = reply.json["workflow_version_execution_id"]
        early = {"workflow_version_execution_id": id_, "final_output": None}
        httpx.post(members(request)["callback_url"], json=early, trust_env=False)


def _first_poll_is_the_furthest(request: Request, reply: Reply) -> None:
    # A node that has not begun is shown as running: a later request shows it queued again.
    body = reply.json
    if is_results(request) and wants_all(request) and reply.status == 202 and isinstance(body, dict):
        _first_poll_is_the_furthest.count += 1  # type: ignore[attr-defined]
        word = "RUNNING" if _first_poll_is_the_furthest.count % 2 else "QUEUED"  # type: ignore[attr-defined]
        reply.replace_json({name: {**entry, "status": word} for name, entry in body.items()})


_first_poll_is_the_furthest.count = 0  # type: ignore[attr-defined]


def _never_ending(request: Request, reply: Reply) -> None:
    body = reply.json
    if is_results(request) and reply.status == 200:
        reply.status = 202
        if wants_all(request) and isinstance(body, dict):
            reply.replace_json({name: {**entry, "status": "RUNNING", "value": None} for name, entry in body.items()})


def commands(*wanted: str) -> Callable[[Request], bool]:
    """Whether a run is given one of these commands."""
    return lambda request: is_execute(request) and members(request).get("command") in wanted


def final(change: Change) -> Break:
    """Change the reply to a command for a run that has ended, which the sandbox refuses, into one that is taken."""
    ended: dict[str, Any] = {}

    def after(request: Request, reply: Reply) -> None:
        if is_execute(request) and reply.status == 200 and reply.json["status"] in {"completed", "cancelled"}:
            ended[reply.json["workflow_run_id"]] = reply.json
        elif members(request).get("workflow_run_id") in ended:
            reply.status = 200
            reply.replace_json(change(ended[members(request)["workflow_run_id"]]))

    return Break(after=after)


def _run_of_version(new: int) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        body = members(request)
        body.pop("workflow_label_name", None)
        request.replace_json({**body, "workflow_version_number": new})

    return change


def _from_the(number: int, new: int) -> Callable[[Request, Reply], None]:
    started: list[Request] = []

    def after(request: Request, reply: Reply) -> None:
        if reply.status in range(200, 300):
            started.append(request)
            if len(started) >= number:
                reply.status = new

    return after


def _has_number(request: Request) -> bool:
    return isinstance(members(request).get("workflow_version_number"), int)


def _leave_out_nulls(request: Request) -> None:
    request.replace_json({name: value for name, value in members(request).items() if value is not None})


def _odd_name(request: Request) -> bool:
    return is_run(request) and "no-such-workflow%" in request.path


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
    "a label is refused": ("PL-RUN-08", status(lambda r: bool(members(r).get("workflow_label_name")), 422, 201)),
    "a version number is refused": (
        "PL-RUN-09",
        status(lambda r: bool(members(r).get("workflow_version_number")), 422, 201),
    ),
    "label and version number go together": (
        "PL-RUN-10",
        accepting(lambda r: {"workflow_label_name", "workflow_version_number"} <= members(r).keys(), {}),
    ),
    "another version than the latest runs": (
        "PL-RUN-03",
        rewriting(
            lambda r: is_run(r) and not {"workflow_label_name", "workflow_version_number"} & members(r).keys(),
            _run_of_version(1),
        ),
    ),
    "a label is ignored": ("PL-RUN-08", rewriting(lambda r: "workflow_label_name" in members(r), _run_of_version(2))),
    "a number is ignored": (
        "PL-RUN-09",
        rewriting(lambda r: members(r).get("workflow_version_number") == 1, _run_of_version(2)),
    ),
    "null for a label is refused": (
        "PL-RUN-11",
        status(lambda r: members(r).get("workflow_label_name", 0) is None, 422),
    ),
    "null for metadata is refused": (
        "PL-RUN-11-METADATA",
        status(lambda r: "metadata" in members(r) and members(r)["metadata"] is None, 422),
    ),
    "refusals do not say why": ("PL-RUN-17", body(is_run, lambda _: {}, (404,))),
    "listed problems have no text": (
        "PL-RUN-17",
        body(is_results, lambda value: {"detail": [without("msg")(one) for one in value["detail"]]}, (422,)),
    ),
    "listed problems have a text as place": (
        "PL-RUN-17",
        body(is_results, lambda value: {"detail": [{**one, "loc": "query"} for one in value["detail"]]}, (422,)),
    ),
    "a started run says false": ("PL-RUN-66", body(is_run, having(member="success", inner=False), (201, 202))),
    "odd names are cut": ("PL-RUN-20", rewriting(_odd_name, to_path(CANARY))),
    "metadata takes numbers": ("PL-RUN-12", accepting(lambda r: bool(members(r).get("metadata")), {})),
    "a version number may be a text": (
        "PL-RUN-13",
        accepting(lambda r: isinstance(members(r).get("workflow_version_number"), str), {}),
    ),
    "a version number may be written as a text": (
        "PL-RUN-13-DIGITS",
        accepting(lambda r: str(members(r).get("workflow_version_number")).isdigit() and not _has_number(r), {}),
    ),
    "a run has another one's input": (
        "PL-RUN-80",
        accepting(lambda r: "second-of-two" in str(members(r)), {"input_variables": {"user_message": "first-of-two"}}),
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
    "words of nodes in small letters": (
        "PL-RES-26",
        body(lambda r: is_results(r) and wants_all(r), each_entry(small_status), (200, 202)),
    ),
    "entries have no raw_error_message": (
        "PL-RES-26",
        body(lambda r: is_results(r) and wants_all(r), each_entry(without("raw_error_message")), (200,)),
    ),
    "all outputs come unasked": (
        "PL-RES-27",
        rewriting(is_results, lambda r: setattr(r, "path", r.path.replace("outputs=false", "outputs=true"))),
    ),
    "the main output has an early 200": (
        "PL-RES-23",
        status(lambda r: is_results(r) and not wants_all(r), 200, 202),
    ),
    "failed nodes do not say why": (
        "PL-RES-33",
        body(lambda r: is_results(r) and wants_all(r), each_entry(having("error_message", None)), (200,)),
    ),
    "a failure is an empty text": (
        "PL-RES-34",
        Break(
            after=lambda r, reply: (
                (setattr(reply, "status", 200), reply.replace_json(""))
                if is_results(r) and reply.status == 500
                else None
            )
        ),
    ),
    "a node goes back": ("PL-RES-66", Break(after=_first_poll_is_the_furthest)),
    "unfinished results are a list": (
        "PL-RES-67",
        body(lambda r: is_results(r) and wants_all(r), lambda v: list(v.values()), (202,)),
    ),
    "an execution never ends": ("PL-RES-68", Break(after=_never_ending)),
    "unfinished entries have a value": (
        "PL-RES-29",
        body(lambda r: is_results(r) and wants_all(r), each_entry(having("value", "early")), (202,)),
    ),
    "the callback never comes": ("PL-CB-37", Break(callback=_swallowed)),
    "the callback has no final output": ("PL-CB-69", Break(callback=_altered(without("final_output")))),
    "the callback shows a running node": (
        "PL-CB-39",
        Break(
            callback=_altered(
                lambda v: {**v, "final_output": each_entry(having("status", "RUNNING"))(v["final_output"])}
            )
        ),
    ),
    "the callback comes twice": ("PL-CB-40", Break(callback=_altered(lambda v: v), deliveries=2)),
    "the callback has another output": ("PL-CB-66", Break(callback=_altered(having("final_output", "other")))),
    "the callback comes early": ("PL-CB-67", Break(after=_posting_early)),
    "the callback comes late": ("PL-CB-68", Break(callback=_late)),
    "the callback's id is a text": (
        "PL-CB-37",
        Break(callback=_altered(having("workflow_version_execution_id", "x"))),
    ),
    "the callback is a PUT": ("PL-CB-37", Break(callback=_put)),
    "the callback has another id": ("PL-CB-38", Break(callback=_altered(having("workflow_version_execution_id", 1)))),
}

SEEN_WHILE_RUNNING = {  # breaks, of PROPERTIES as well, that only a request during the run can meet
    "a new execution is unknown",
    "a node goes back",
    "a running execution is answered 200",
    "the callback comes early",
    "the main output has an early 200",
    "unfinished entries have a value",
    "unfinished results are a list",
}

INTERACTLY: dict[str, tuple[str, Break]] = {
    "any workflow id is taken": ("IA-EXE-51", rewriting(is_execute, to_path(EXECUTE))),
    "a negative version is taken": ("IA-EXE-52", rewriting(lambda r: "version=-1" in r.path, to_path(EXECUTE))),
    "no token is needed": ("IA-EXE-53", rewriting(is_execute, letting_in)),
    "an unknown workflow is answered 400": ("IA-EXE-54", status(is_execute, 400, 404)),
    "any command is taken": ("IA-EXE-55", accepting(lambda r: members(r).get("command") == "rewind", {})),
    "a version is demanded": ("IA-EXE-56", status(lambda r: is_execute(r) and "version" not in r.path, 400, 200)),
    "any version is taken": (
        "IA-EXE-16",
        rewriting(lambda r: is_execute(r) and "version=2147483647" in r.path, to_path(EXECUTE)),
    ),
    "refusals do not say why": ("IA-EXE-17", body(is_execute, lambda _: {}, (404,))),
    "a normal end has a reason": (
        "IA-EXE-63",
        body(commands("data"), having("termination_source", "execution_error"), (200,)),
    ),
    "a run that waits has an end": (
        "IA-EXE-63-OPEN",
        body(commands("start"), having("termination_source", "stale_run_reaper"), (200,)),
    ),
    "a fourth run fells it": ("IA-EXE-64", Break(after=_from_the(4, 500))),
    "every run has the same id": ("IA-EXE-66", body(commands("start"), having("logical_id", "x"), (200,))),
    "a run gets another id": (
        "IA-EXE-67",
        body(commands("data", "pause"), having("logical_id", "other"), (200,)),
    ),
    "a run gets another version": (
        "IA-EXE-68",
        body(commands("data", "pause"), having("version_number", 7), (200,)),
    ),
    "a final run goes on": ("IA-EXE-69", final(having("status", "running"))),
    "stop completes": ("IA-EXE-70", body(commands("stop"), having("status", "completed"), (200,))),
    "pause changes nothing": (
        "IA-EXE-71",
        body(commands("pause"), having("status", "waiting_for_user_input"), (200,)),
    ),
    "resume changes nothing": ("IA-EXE-72", body(commands("resume"), having("status", "paused"), (200,))),
    "earlier turns are forgotten": (
        "IA-EXE-73",
        body(commands("data"), lambda v: {**v, "input_output_pairs": v["input_output_pairs"][1:]}, (200,)),
    ),
    "the run is of another workflow": ("IA-EXE-74", body(is_execute, having("workflow_id", "f" * 24), (200,))),
    "the version of the query is ignored": (
        "IA-EXE-75",
        body(lambda r: "version=1" in r.path, having("version_number", 0), (200,)),
    ),
    "another one has started the run": ("IA-EXE-76", body(is_execute, having("run_by", "somebody"), (200,))),
    "an unknown run is started": (
        "IA-EXE-77",
        accepting(lambda r: members(r).get("workflow_run_id") == "f" * 24, {"command": "start"}),
    ),
    "a run goes back to its start": ("IA-EXE-78", body(commands("pause"), having("status", "not_started"), (200,))),
    "data is ignored": (
        "IA-EXE-79",
        body(commands("data"), lambda v: {**v, "input_output_pairs": v["input_output_pairs"][:1]}, (200,)),
    ),
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
    "a legal member is refused": (
        "SRV-06",
        "runWorkflow",
        status(lambda r: is_run(r) and members(r).get("return_all_outputs") is True, 422),
    ),
    "odd values are refused": (
        "SRV-07",
        "executeWorkflow",
        status(lambda r: is_execute(r) and len(r.content) > 400 and "000000000000" not in r.path, 422, 200),
    ),
    "a new execution is unknown": (
        "SRV-08",
        "runWorkflow",
        status(is_results, 404, 202),
    ),
    "callbacks are put": ("SRV-09", "runWorkflow", Break(callback=_put)),
    "any media type is read": (
        "SRV-10",
        "runWorkflow",
        rewriting(is_run, lambda r: r.headers.update({"content-type": "application/json"})),
    ),
    "null counts as nothing": (
        "SRV-11",
        "runWorkflow",
        rewriting(lambda r: is_run(r) and None in members(r).values(), _leave_out_nulls),
    ),
    "DELETE is taken": ("SRV-13", "runWorkflow", status(lambda r: r.method == "DELETE", 200, 405)),
    "a 405 does not say what there is": (
        "SRV-14",
        "runWorkflow",
        Break(after=lambda _, reply: reply.headers.pop("allow", None)),
    ),
    "anybody may ask": ("SRV-05", "getWorkflowVersionExecutionResults", rewriting(is_results, letting_in)),
}
