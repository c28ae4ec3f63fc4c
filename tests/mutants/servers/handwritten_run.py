"""Hand-made defects of PromptLayer's run: what no schema can say, and what real servers get wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mutants.servers.fault import Correct, Fault, ServerDefect, Where
from mutants.servers.messages import RUN, Reply, Request
from mutants.servers.reply_faults import Cut, MemberDropped, MemberSet, Replaced, StatusChanged
from mutants.servers.request_faults import Refused, TakenAs

CREATED, ACCEPTED = Where(RUN, 201), Where(RUN, 202)
CRASHED = {"error": "Internal Server Error"}
IDS = "workflow_version_execution_id"


def handwritten_run() -> Iterator[ServerDefect]:
    """Give the hand-made defects of the run."""
    yield from _answers()
    yield from _versions()
    yield from _coercions()
    yield from _refusals()
    yield from _crashes()


def _defect(
    name: str,
    title: str,
    operator: str,
    rule: str,
    fault: Fault,
    *,
    missed: str = "",
    equivalent: str = "",
) -> ServerDefect:
    return ServerDefect(
        id=f"run.{name}", title=title, operator=operator, operation=RUN, rules=(rule,), fault=fault, missed=missed,
        equivalent=equivalent,
    )  # fmt: skip


def _answers() -> Iterator[ServerDefect]:
    yield _defect(
        "null-callback-202", "counts a callback_url of null as one", "status by callback", "PL-RUN-07-NULL",
        StatusChanged(CREATED, 202, when=_says("callback_url", None)),
    )  # fmt: skip
    yield _defect(
        "success-false", "says success false although it started the run", "semantics", "PL-RUN-66",
        MemberSet(CREATED, ("success",), value=False),
    )  # fmt: skip
    yield _defect(
        "same-id-for-equal-requests", "answers a second equal request with the first one's execution", "identity",
        "PL-RUN-18", Repeating(),
    )  # fmt: skip
    yield _defect("id-leads-nowhere", "gives an id under which there are no results", "identity", "SRV-08", OtherId())
    yield _defect("one-id-for-all", "gives every run the same id", "identity", "PL-RUN-18", OneId())
    yield _defect("input-of-the-first", "runs everything on the first run's input", "identity", "PL-RUN-80", OneInput())
    yield _defect("input-of-the-last", "runs everything on the input of the run before", "identity", "PL-RUN-80",
                  OneInput(keeps_first=False))  # fmt: skip
    yield _defect(
        "no-warning-if-missing", "warns of unused variables alone", "warning dropped", "PL-RUN-14",
        MemberSet(CREATED, ("warning",), None, when=lambda request, _: "user_message" not in _variables(request)),
    )  # fmt: skip
    yield _defect(
        "no-warning-if-unused", "warns of missing variables alone", "warning dropped", "PL-RUN-15",
        MemberSet(CREATED, ("warning",), None, when=lambda request, _: "user_message" in _variables(request)),
    )  # fmt: skip
    yield _defect(
        "warning-left-out", "never has a warning", "warning dropped", "PL-RUN-14", MemberDropped(CREATED, ("warning",))
    )
    yield _defect(
        "warning-list", "lists its warnings", "member retyped", "PL-RUN-05",
        MemberSet(CREATED, ("warning",), ["Missing: user_message"], when=lambda _, reply: _warns(reply)),
    )  # fmt: skip
    yield _defect(
        "key-error-without-object", "answers 401 with a bare text", "body retyped", "PL-RUN-01",
        Replaced(Where(RUN, 401), 401, "Unauthorized"),
    )  # fmt: skip
    yield _defect(
        "unknown-workflow-runs", "runs its one workflow whatever the name", "unknown accepted", "PL-RUN-02",
        TakenAs(RUN, lambda _: True, lambda request: request.set_workflow("canary")),
    )  # fmt: skip
    yield _defect(
        "unknown-workflow-500",
        "fails on an unknown name",
        "crash",
        "PL-RUN-02",
        Replaced(Where(RUN, 404), 500, CRASHED),
    )
    yield _defect(
        "unknown-workflow-wordless", "answers 404 with an empty object", "refusal without words", "PL-RUN-17",
        Replaced(Where(RUN, 404), 404, {}),
    )  # fmt: skip
    yield _defect("cut", "ends the connection within a reply", "cut reply", "SRV-01", Cut(CREATED))


def _versions() -> Iterator[ServerDefect]:
    yield _defect(
        "unknown-label-taken", "runs the latest version for a label that no version has", "unknown accepted",
        "PL-RUN-16", TakenAs(RUN, _has("workflow_label_name", lambda label: label != "production"), _without_label),
    )  # fmt: skip
    yield _defect(
        "unknown-number-taken", "runs the latest version for a number that no version has", "unknown accepted",
        "PL-RUN-16",
        TakenAs(RUN, _has("workflow_version_number", lambda number: number not in (1, 2)), _without_number),
    )  # fmt: skip
    yield _defect(
        "label-ignored", "runs the latest version for a label of an older one", "request ignored", "PL-RUN-08",
        TakenAs(RUN, _has("workflow_label_name", lambda label: label == "production"), _without_label),
    )  # fmt: skip
    yield _defect(
        "number-ignored", "runs the latest version for the number of an older one", "request ignored", "PL-RUN-09",
        TakenAs(RUN, _has("workflow_version_number", lambda number: number == 1), _without_number),
    )  # fmt: skip
    yield _defect(
        "label-wins", "takes a label and a number together if both fit", "not not enforced", "PL-RUN-10",
        TakenAs(RUN, lambda request: request.members.get("workflow_label_name") == "production", _without_number),
    )  # fmt: skip
    yield _defect(
        "callback-url-ignored", "creates a run with a callback like one without", "request ignored", "PL-RUN-06",
        TakenAs(RUN, _has("callback_url"), lambda request: _leave_out(request, "callback_url")),
    )  # fmt: skip


TAKEN_BY: Final = {"digits": "PL-RUN-13-DIGITS", "fraction": "SRV-04", "number": "SRV-04"}


def _coercions() -> Iterator[ServerDefect]:
    for name, kind, change in (
        ("workflow_version_number", "digits", _number_of_digits),
        ("workflow_version_number", "boolean", _number_of_boolean),
        ("workflow_version_number", "fraction", _number_of_fraction),
        ("return_all_outputs", "word", _flag_of_word),
        ("return_all_outputs", "number", _flag_of_number),
        ("return_all_outputs", "null", _flag_of_null),
    ):
        yield _defect(
            f"{name}.{kind}-taken", f"takes a {name} that is a {kind} for what it looks like", "lenient type",
            TAKEN_BY.get(kind, "SRV-11"), Coercing(RUN, name, change),
        )  # fmt: skip
    yield _defect(
        "metadata-numbers-taken", "makes texts of the numbers in metadata", "lenient type", "PL-RUN-12",
        Coercing(RUN, "metadata", _texts_of_numbers),
    )  # fmt: skip
    yield _defect(
        "number-below-zero-taken", "runs the latest version for a negative number", "unknown accepted", "PL-RUN-16",
        TakenAs(RUN, _has("workflow_version_number", lambda number: isinstance(number, int) and number < 0),
                _without_number),
    )  # fmt: skip


def _refusals() -> Iterator[ServerDefect]:
    for what, rule, when in (
        ("empty-body", "PL-RUN-03", lambda request: request.members == {}),
        ("label", "PL-RUN-08", _has("workflow_label_name")),
        ("number", "PL-RUN-09", _has("workflow_version_number")),
        ("nulls", "PL-RUN-11", _null_version),
        ("null-metadata", "PL-RUN-11-METADATA", _is("metadata", None)),
        ("callback", "PL-RUN-06", _has("callback_url")),
        ("missing-variable", "PL-RUN-03", lambda request: "user_message" not in _variables(request)),
    ):
        yield _defect(f"{what}-refused", f"refuses a run with {what}", "legal refused", rule, Refused(RUN, when))
    for what, when in (
        ("metadata", _has("metadata")),
        ("all-outputs", _is("return_all_outputs", value=True)),
        ("unknown-member", lambda request: not _known(request)),
        ("object-variable", lambda request: any(isinstance(value, dict) for value in _variables(request).values())),
    ):
        # That a schema is open says more of the page than of the server: such a value is an odd one.
        rule = "SRV-07" if what in {"unknown-member", "object-variable"} else "SRV-06"
        yield _defect(f"{what}-refused", f"refuses a run with {what}", "legal refused", rule, Refused(RUN, when))
    entry = {"loc": ["body"], "msg": "Input should be valid", "type": "invalid"}
    for what, entries in (
        ("no-words", []),
        ("a-text-as-place", [{**entry, "loc": "body"}]),
        ("no-text", [{name: value for name, value in entry.items() if name != "msg"}]),
        ("texts-alone", ["body: Input should be valid"]),
    ):
        yield _defect(f"refused-with-{what}", f"refuses with {what}", "refusal without words", "PL-RUN-17",
                      Replaced(Where(RUN, 422), 422, {"detail": entries}))  # fmt: skip


def _crashes() -> Iterator[ServerDefect]:
    for what, rule, when in (
        ("name-not-ascii", "PL-RUN-20", lambda request: not request.workflow.isascii()),
        ("text-not-ascii", "SRV-01", lambda request: not _text_of(request).isascii()),
        ("number-zero", "SRV-01", _is("workflow_version_number", 0)),
        ("number-huge", "SRV-01", _has("workflow_version_number", lambda one: isinstance(one, int) and one >= 2**31)),
        ("empty-label", "SRV-01", _is("workflow_label_name", "")),
        ("empty-metadata", "SRV-01", _is("metadata", {})),
        ("nested-variable", "SRV-01", lambda request: _has_nested(_variables(request))),
        ("array-body", "SRV-04", lambda request: isinstance(request.json, list)),
        ("null-body", "SRV-04", lambda request: request.content.strip() == b"null"),
        ("not-json", "SRV-04", lambda request: request.json is None and request.content.strip() != b"null"),
        ("no-body", "SRV-04", lambda request: not request.content),
    ):
        yield _defect(f"{what}-500", f"fails on {what.replace('-', ' ')}", "crash", rule, Crashing(RUN, when))


@dataclass
class Repeating(Fault):
    """Answers an equal request with the reply to the first."""

    _replies: dict[bytes, tuple[int, bytes]] = field(default_factory=dict, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Give the first reply again."""
        if request.operation == RUN and reply.status in {201, 202}:
            reply.status, reply.content = self._replies.setdefault(request.content, (reply.status, reply.content))


@dataclass
class OneId(Fault):
    """Gives every run the id of the first."""

    _first: Any = field(default=None, init=False)

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put the first id."""
        if request.operation == RUN and IDS in reply.members:
            self._first = self._first or reply.members[IDS]
            reply.put({**reply.members, IDS: self._first})


@dataclass
class OneInput(Fault):
    """Gives a run the input that an earlier one had for the same variables."""

    keeps_first: bool = True
    _earlier: Any = field(default=None, init=False)

    def change_request(self, request: Request) -> None:
        """Put the earlier input."""
        given = request.members.get("input_variables")
        if request.operation != RUN or not isinstance(given, dict) or not given:
            return
        earlier, self._earlier = self._earlier, (self._earlier or given) if self.keeps_first else given
        if earlier is not None and earlier.keys() == given.keys():
            request.put({**request.members, "input_variables": earlier})


@dataclass
class OtherId(Fault):
    """Gives every run an id that is not its own."""

    def change_reply(self, request: Request, reply: Reply) -> None:
        """Put an id that no execution has."""
        if request.operation == RUN and IDS in reply.members:
            reply.put({**reply.members, IDS: reply.members[IDS] + 10**9})


@dataclass
class Coercing(Fault):
    """Takes a member of a wrong type for what it looks like."""

    operation: str
    name: str
    change: Callable[[Any], Any]

    def change_request(self, request: Request) -> None:
        """Put what it looks like; what looks like nothing stays."""
        if request.operation == self.operation and self.name in request.members:
            value = request.members[self.name]
            changed = self.change(value)
            if changed is not value:
                request.put({**request.members, self.name: changed})


@dataclass
class Crashing(Fault):
    """Answers 500 to some requests of whoever has a key."""

    operation: str
    when: Callable[[Request], bool]

    async def answer(self, request: Request, correct: Correct) -> Reply:
        """Fail where it is meant."""
        fails = request.operation == self.operation and self.when(request)
        reply = await correct.ask(request)
        if fails and reply.status not in {401, 403}:
            return Reply(500, [("content-type", "application/json")], json.dumps(CRASHED).encode())
        return reply


def _says(name: str, value: Any) -> Callable[[Request, Reply], bool]:
    return lambda request, _: request.members.get(name, ...) == value


def _is(name: str, value: Any) -> Callable[[Request], bool]:
    return lambda request: name in request.members and _same(request.members[name], value)


def _has(name: str, fits: Callable[[Any], bool] = lambda _: True) -> Callable[[Request], bool]:
    return lambda request: request.members.get(name) is not None and fits(request.members[name])


def _null_version(request: Request) -> bool:
    return any(request.members.get(name, ...) is None for name in ("workflow_label_name", "workflow_version_number"))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _variables(request: Request) -> dict[str, Any]:
    variables = request.members.get("input_variables")
    return variables if isinstance(variables, dict) else {}


def _warns(reply: Reply) -> bool:
    return isinstance(reply.members.get("warning"), str)


def _known(request: Request) -> bool:
    return request.members.keys() <= {
        "workflow_label_name", "workflow_version_number", "metadata", "input_variables", "return_all_outputs",
        "callback_url",
    }  # fmt: skip


def _text_of(request: Request) -> str:
    return json.dumps(request.json, ensure_ascii=False)


def _has_nested(variables: dict[str, Any]) -> bool:
    inner = [
        value if isinstance(value, list) else list(value.values()) for value in variables.values() if _holds(value)
    ]
    return any(_holds(one) for values in inner for one in values)


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _leave_out(request: Request, *names: str) -> None:
    request.put({name: value for name, value in request.members.items() if name not in names})


def _without_label(request: Request) -> None:
    _leave_out(request, "workflow_label_name")


def _without_number(request: Request) -> None:
    _leave_out(request, "workflow_version_number")


def _number_of_digits(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _number_of_boolean(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _number_of_fraction(value: Any) -> Any:
    return int(value) + 1 if isinstance(value, float) and not value.is_integer() else value


def _flag_of_word(value: Any) -> Any:
    return value.lower() in {"true", "yes", "1", "on"} if isinstance(value, str) else value


def _flag_of_number(value: Any) -> Any:
    return bool(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _flag_of_null(value: Any) -> Any:
    return False if value is None else value


def _texts_of_numbers(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: str(one) if isinstance(one, int | float) else one for name, one in value.items()}
