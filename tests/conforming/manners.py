"""Where the contract leaves a choice: each field is one, and every combination keeps the contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How a correct server behaves where it may.

    Attributes:
        foreign: Status for a body in a media type that the contract does not list.
        float_ids: Whether an execution's id is written with a fraction of zero, which JSON Schema calls an integer.
        same_versions: Whether the versions of the workflow have the same output.
        invalid: Status for a request that is not what the contract says.
        unauthorized: Status for a missing or wrong key, where no page says which of 401 and 403 it is.
        no_execution: Status for results of an execution that does not exist.
        no_version: Status for a label or a number that no version has.
        refused_command: Status for a command that the run's status does not allow.
        error_member: Which member of an error's body holds the words.
        detail_list: Whether an invalid request is answered with a list of problems.
        content_type: Of every reply, parameters and capitals included.
        more_members: Whether replies have members that the contract does not know.
        strange_word: Whether some node ends in a status that no page lists.
        fewer_members: Whether members that may be absent are.
        pending_body: What stands in a 202 where the main output is asked for.
        flags_null: Whether is_output_node is null for a node that is no output.
        main_callback: Whether a callback has the bare main output even if all outputs were asked for.
        callback_word: The word for a failed node in a callback.
        callback_first: Whether a run with a callback is answered once the callback is posted, or after a second.
        callback_seconds: Pause between the end of an execution and its callback.
        latency: Seconds before each reply.
        chunked: Whether replies come in chunks without a length.
        closing: Whether each connection is closed after its reply, without a word of that before.
        always_fails: Whether the workflow's output node always fails.
        failed_is_200: Whether an execution without output is answered 200 with the nodes' entries, not 500.
        one_turn: Whether an Interactly run ends with its first turn.
        node_seconds: Seconds that each node takes.
        shuffled: Whether the properties of a reply come in another order each time.
        indent: Spaces by which replies are indented; None for one line.
        raw_text: Whether replies have text as it is, not escaped.
        gzip: Whether replies are compressed for who takes that.
        first_id: Id of the first execution.
        http_1_0: Whether replies are those of HTTP/1.0.
        throttled: Of so many requests one is answered 429 with Retry-After; 0 for none.
        most_running: How many executions may run at a time before a further one is answered 429; 0 for any number.
        idle_seconds: How long a connection stays open without a request.
        largest_body: Bytes of a body beyond which it is answered 413.
        longest_text: Characters of a value in metadata or a label beyond which it is answered 422.
        refuses_unused: Whether a run with an input variable that the workflow has not is refused.
        output: What nodes make of their input: show it, show it in other words each time, or nothing of it.
        as_python: Whether values that are no text are shown as Python writes them.
        head: Whether HEAD is answered like GET.
        needs_length: Whether a body in chunks is answered 411.
        keeps_input: Whether an Interactly run shows what was given to it.
        running: For how many seconds an Interactly run is running after its start and after data.
        turns: How much an Interactly run that goes on turn by turn takes before it ends; 0 for the other form.
        needs_thread: Whether a turn that starts a run, or gives it data, needs a thread.
        fills: Whether an Interactly run says and tells what variables of all kinds it has.
        sole_version: Whether a command that asks for another version than that of its run is refused.
        clocks: Whether records of Interactly runs have times, that of the last change by a clock that is late.
        message: Words for a person of a started run.
    """

    foreign: int = 422
    float_ids: bool = False
    same_versions: bool = False
    invalid: int = 422
    unauthorized: int = 401
    no_execution: int = 404
    no_version: int = 404
    refused_command: int = 409
    error_member: str = "message"
    detail_list: bool = True
    content_type: str = "application/json"
    more_members: bool = False
    strange_word: bool = False
    fewer_members: bool = False
    pending_body: object = None
    flags_null: bool = False
    main_callback: bool = False
    callback_word: str = "FAILED"
    callback_first: bool = False
    callback_seconds: float = 0.0
    latency: float = 0.0
    chunked: bool = False
    closing: bool = False
    always_fails: bool = False
    failed_is_200: bool = False
    one_turn: bool = False
    node_seconds: float = 0.04
    shuffled: bool = False
    indent: int | None = None
    raw_text: bool = False
    gzip: bool = False
    first_id: int = 7_000_000_019
    http_1_0: bool = False
    throttled: int = 0
    most_running: int = 0
    idle_seconds: float = 300.0
    largest_body: int = 16 * 1024 * 1024
    longest_text: int = 16 * 1024 * 1024
    refuses_unused: bool = False
    output: str = "shown"
    as_python: bool = False
    head: bool = False
    needs_length: bool = False
    keeps_input: bool = False
    running: float = 0.0
    turns: int = 0
    needs_thread: bool = False
    fills: bool = False
    sole_version: bool = False
    clocks: bool = False
    message: str = "On its way"


MANNERS = {
    "second": Manners(),
    "different": Manners(
        foreign=415,
        float_ids=True,
        same_versions=True,
        invalid=400,
        unauthorized=403,
        no_execution=403,
        no_version=400,
        refused_command=400,
        error_member="error",
        detail_list=False,
        content_type="Application/JSON; charset=utf-8",
        more_members=True,
        strange_word=True,
        fewer_members=True,
        pending_body="",
        flags_null=True,
        main_callback=True,
        callback_seconds=1.0,
        latency=0.02,
        chunked=True,
    ),
    "callback-first": Manners(callback_first=True, closing=True, node_seconds=0.02, error_member="detail"),
    "failing": Manners(always_fails=True, callback_word="FAILURE", one_turn=True, detail_list=False),
    "failing-200": Manners(always_fails=True, failed_is_200=True, one_turn=True, fewer_members=True),
}
# One choice each, so that an alarm says which one caused it.
SINGLE = {
    "HTTP/1.0": Manners(http_1_0=True),
    "chunks": Manners(chunked=True),
    "slow": Manners(latency=0.1),
    "at once": Manners(node_seconds=0.0),
    "after five seconds": Manners(node_seconds=2.5),
    "shuffled": Manners(shuffled=True),
    "indented": Manners(indent=2),
    "raw text": Manners(raw_text=True),
    "gzip": Manners(gzip=True),
    "large ids": Manners(first_id=2**53 + 1),
    "ids with a fraction": Manners(float_ids=True),
    "other words": Manners(message="läuft 🏃", error_member="error", detail_list=False),
    "throttled": Manners(throttled=50),
    "four at a time": Manners(most_running=4),
    "closing": Manners(closing=True),
    "closing idle connections": Manners(idle_seconds=0.25),
    "415": Manners(foreign=415),
    "413": Manners(largest_body=20_000),
    "short texts": Manners(longest_text=200),
    "411": Manners(needs_length=True),
    "no unused variables": Manners(refuses_unused=True),
    "never the same words": Manners(output="varying", same_versions=True),
    "nothing of the input": Manners(output="hidden", same_versions=True),
    "as Python": Manners(as_python=True),
    "HEAD": Manners(head=True),
    "charset": Manners(content_type="application/json; charset=UTF-8"),
    "late callbacks": Manners(callback_seconds=1.5),
    "bare callbacks": Manners(main_callback=True),
    "runs that keep their input": Manners(keeps_input=True, raw_text=True),
    "runs of one turn": Manners(one_turn=True, keeps_input=True),
    "turn by turn": Manners(turns=2, keeps_input=True, raw_text=True, needs_thread=True),
    "runs with variables and times": Manners(fills=True, sole_version=True, clocks=True, keeps_input=True),
    "turns with variables and times": Manners(turns=2, fills=True, sole_version=True, clocks=True, needs_thread=True),
    "runs that take a while": Manners(running=0.15, keeps_input=True),
    "turns that take a while": Manners(running=0.15, turns=2),
    "many turns": Manners(turns=9, latency=0.02, chunked=True),
    "everything but the least": Manners(more_members=True, strange_word=True, flags_null=True, indent=1),
    "the least": Manners(fewer_members=True, unauthorized=403, no_execution=403, invalid=400),
}
ALL = MANNERS | SINGLE
