"""What no source says of the services and the sandbox has to decide: one named setting for each.

The sandbox shows what the documentation shows. Where that ends, each default is the reading with the best reason, and
`--set NAME=VALUE` takes another one, so that a program can be tried against each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

_MOST = 10**9


class UnknownAssumption(ValueError):
    """A setting that is not there, or a value that it does not take. Its text is one line for a person."""


def _one_of(default: str, *others: str, decides: str, because: str) -> Any:
    return field(default=default, metadata={"values": (default, *others), "decides": decides, "because": because})


def _number(*, decides: str, because: str) -> Any:
    return field(default=0, metadata={"values": (), "decides": decides, "because": because})


@dataclass(frozen=True)
class Assumptions:
    """The settings. `docs/sandbox.md` has them as a table, which is made from here."""

    broken_rule_status: str = _one_of(
        "422",
        "400",
        decides="the status of a request with both label and version, or with one of the two external filters",
        because="both rules stand in the schema, and what breaks the schema is 422",
    )
    unknown_version_status: str = _one_of(
        "404",
        "400",
        decides="the status of a run of a version or label that the workflow does not have",
        because="it is what does not exist",
    )
    slash_in_name: str = _one_of(
        "accepted",
        "refused",
        decides="whether `%2F` in the name of a workflow to run is a slash of the name, or 404",
        because="reading a workflow of such a name was repaired in 2026, and a run is no different",
    )
    unfinished_output: str = _one_of(
        "null",
        "nodes",
        decides="the body of a 202 to a poll that asks for one output",
        because="there is no output yet; the page shows the nodes only for a poll that asks for all",
    )
    no_output: str = _one_of(
        "500",
        "200",
        decides="the status where one output is asked for and no output node has one; with 200 the nodes are the body",
        because="the later of two sources has it",
    )
    several_outputs: str = _one_of(
        "first",
        "object",
        decides="the output of a run in which several output nodes succeed: one value, or values by name",
        because="the page says that the first to succeed gives it; a recorded test hints at the other",
    )
    raw_error: str = _one_of(
        "text",
        "object",
        decides='what `raw_error_message` of a failed node is; as an object, `{"raw": TEXT}`',
        because="the schema says text, one former guide shows an object",
    )
    callback_output: str = _one_of(
        "nodes",
        "as_asked",
        decides="`final_output` of a callback: nodes by name, or what `return_all_outputs` of the run asks for",
        because="nodes by name are all that was ever documented",
    )
    callback_failure: str = _one_of(
        "FAILED",
        "FAILURE",
        decides="the status of a failed node in a callback",
        because="the results have FAILED; the page of the callback, since withdrawn, had FAILURE",
    )
    interactly_form: str = _one_of(
        "both",
        "a",
        "b",
        decides="the forms of execute that are served: `a` a bare run input, `b` a turn; another one is 422",
        because="nobody knows which form production serves",
    )
    interactly_version: str = _one_of(
        "query",
        "body",
        decides="what chooses the version of a new run, the query's `version` or the body's `version_number`",
        because="the body's default of 0 would always override the active version",
    )
    interactly_other_workflow: str = _one_of(
        "ignored",
        "refused",
        decides="what a `workflow_id` in the body does that is not the path's; refused with 422",
        because="the path says what is executed",
    )
    interactly_no_thread: str = _one_of(
        "422",
        "400",
        "accepted",
        decides="the status of a turn that starts a run, or gives it data, with no thread in `thread_to_node_inputs`",
        because="the vendor's library says that it is refused, and so always has a thread; the status is not known",
    )
    interactly_team_headers: str = _one_of(
        "ignored",
        "required",
        decides="whether a request needs the headers `teamid` and `uuid`; without them 401",
        because="the pages have the bearer token alone, the vendor's library sends the headers too",
    )
    interactly_runs_of_a_workflow: int = _number(
        decides="how many runs of one workflow may be under way at a time; 0 for any number",
        because="that there are limits at two levels is known, no number is; a paused run does not count",
    )
    interactly_runs_in_all: int = _number(
        decides="how many runs of all workflows may be under way at a time; 0 for any number",
        because="it is the likeliest second level",
    )
    interactly_limit_status: str = _one_of(
        "429",
        "409",
        decides="the status of a start or resume beyond a limit",
        because="the vendor's library knows 429 for limits of all kinds",
    )
    interactly_stale_seconds: int = _number(
        decides="after how long without a command a run fails with `stale_run_reaper`; 0 for never",
        because="that it happens is known, after how long is not; a paused run is spared",
    )


def read(pairs: Iterable[str]) -> Assumptions:
    """Return the settings of texts `NAME=VALUE`; the last of a name counts.

    Raises:
        UnknownAssumption: A name is not known, or does not take the value.
    """
    known = {one.name: one.metadata["values"] for one in fields(Assumptions)}
    chosen: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in known:
            raise UnknownAssumption(f"{name!r} is no setting; there are {', '.join(known)}")
        chosen[name] = _value(name, text, known[name])
    return Assumptions(**chosen)


def table() -> str:
    """Return the settings as a table in Markdown."""
    head = "| setting | values, the default first | decides | reason for the default |\n| --- | --- | --- | --- |\n"
    return head + "".join(
        f"| `{one.name}` | {', '.join(f'`{value}`' for value in one.metadata['values']) or '`0`, any number'} |"
        f" {one.metadata['decides']} | {one.metadata['because']} |\n"
        for one in fields(Assumptions)
    )


def _value(name: str, text: str, values: tuple[str, ...]) -> str | int:
    if values and text in values:
        return text
    if not values and text.isascii() and text.isdigit() and len(text) < len(str(_MOST)):
        return int(text)
    expected = f"one of {', '.join(values)}" if values else f"a number from 0 to {_MOST - 1}"
    raise UnknownAssumption(f"{name} is {expected}, not {text!r}")
