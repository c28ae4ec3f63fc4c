"""Hand-made defects of what is told of runs: in lists, again, beside others, under names that are nearly right."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from mutants.servers import told
from mutants.servers.fault import Fault, ServerDefect
from mutants.servers.messages import EXECUTE, LABELS, LIST_RUNS, READ, READ_RUN, RESULTS, RUN, Request

MOST: Final = 5
Made = Iterator[tuple[str, str, str, Fault]]  # id, what the server does, the rule that names it best, the fault
Query = dict[str, str]


def handwritten_told() -> Iterator[ServerDefect]:
    """Give the hand-made defects of what is told of runs."""
    for operator, operation, family in FAMILIES:
        for name, title, rule, fault in family():
            id_ = f"told.{name}"
            yield ServerDefect(id=id_, title=title, operator=operator, operation=operation, rules=(rule,), fault=fault)


def _commands() -> Made:
    yield "stop-not-kept", "says that a run is cancelled, and lets it go on", "REL-TOLD-01", told.StopNotKept()
    forgotten = told.VariablesForgotten()
    yield "variables-forgotten", "goes on after a pause without the variables", "REL-OPEN-05", forgotten
    yield "variables-stay", "fills variables that are not given with earlier ones", "REL-OPEN-03", told.VariablesStay()


def _read() -> Made:
    yield "created-by-the-last", "names the last caller as who created a run", "REL-TOLD-01", told.LastCaller()


def _lists() -> Made:
    for name in ("status", "search", "end", "start", "workflow_id"):
        ignored = told.ListAsked(_without(name))
        yield f"{name.replace('_', '-')}-ignored", f"ignores {name}", "REL-LIST-51", ignored
    yield "offset-ignored", "takes every time for one of UTC", "REL-LIST-51", told.ListAsked(_in_utc)
    yield "search-in-capitals", "looks for capitals alone", "REL-LIST-52", told.ListAsked(_searching(str.upper))
    yield "whole-minutes", "takes start and end to the minute", "REL-LIST-52", told.ListAsked(_to_the_minute)
    again = told.ListAsked(lambda query: query | ({"page": "1"} if query.get("page") == "2" else {}))
    yield "page-again", "shows the first page as the second", "REL-LIST-53", again
    last = told.ListAsked(lambda query: query | ({"page": "3"} if query.get("page") == "4" else {}))
    yield "last-page-again", "shows the last page behind the last", "REL-LIST-53", last
    on_page = told.ListShown(lambda _, body: {**body, "total": len(body["workflow_runs"])})
    yield "total-of-the-page", "counts the runs of the page", "REL-LIST-54", on_page
    of_all = told.ListShown(_with_total_of_all())
    yield "total-of-all", "counts all runs, whatever is asked for", "REL-LIST-54", of_all
    yield "size-cap", "lists five runs at most", "REL-LIST-54", told.ListShown(lambda _, body: _shorter(body))
    yield "list-cached", "lists what was there a while ago", "REL-LIST-55", told.ListCached()
    yield "first-status-listed", "lists the status after the start", "REL-TOLD-01", told.FirstStatusListed()


def _in_a_row() -> Made:
    yield "metadata-taken", "takes metadata for input variables", "REL-ROW-04", told.MetadataTaken()
    yield "address-used-up", "posts to each address once", "REL-CB-07", told.AddressUsedUp()


def _names() -> Made:
    for name, title, rule, near in (
        ("prefix", "the beginning of", "REL-NEAR-01", lambda given, known: known.startswith(given)),
        ("longer", "more than", "REL-NEAR-01", lambda given, known: given.startswith(known) and given != f"{known} "),
        ("any-case", "in any case", "REL-NEAR-02", lambda given, known: given.lower() == known),
        ("trimmed", "with spaces round", "REL-NEAR-02", lambda given, known: given.strip() == known),
    ):
        yield f"label-{name}", f"takes {title} a label for it", rule, told.NameTaken(near)
        workflow = told.NameTaken(near, "", "canary")
        yield f"name-{name}", f"takes {title} the name of a workflow for it", rule, workflow


def _in_flight() -> Made:
    yield (
        "results-mixed-up",
        "mixes up results that are asked for at once",
        "REL-TOLD-02",
        told.InFlight(RESULTS, (RESULTS,)),
    )


def _read_in_flight() -> Made:
    mixed = told.InFlight(READ, (READ, LABELS))
    yield "reads-mixed-up", "mixes up what is read at once", "REL-ONCE-01", mixed
    public = told.Headers(READ, {"cache-control": "public, max-age=60"})
    yield "public", "lets everybody keep what a key has asked for", "REL-CACHE-01", public
    fresh = told.Headers(READ, {"cache-control": "max-age=60"})
    yield "fresh", "lets caches keep what a key has asked for", "REL-CACHE-01", fresh


def _kept_results() -> Made:
    pending = told.Headers(RESULTS, {"cache-control": "private, max-age=60"}, lambda reply: reply.status == 202)
    yield "pending-kept", "lets a client keep a 202", "REL-CACHE-01", pending


def _kept_runs() -> Made:
    public = told.Headers(READ_RUN, {"cache-control": "public"})
    yield "run-public", "lets everybody keep a run", "REL-CACHE-01", public


def _connections() -> Made:
    yield "refusal-read-next", "answers what is read after a refusal with it", "REL-HTTP-01", told.ErrorOnNextRead()


FAMILIES: Final[list[tuple[str, str, Callable[[], Made]]]] = [
    ("command not kept", EXECUTE, _commands),
    ("told otherwise", READ_RUN, _read),
    ("caching", READ_RUN, _kept_runs),
    ("list", LIST_RUNS, _lists),
    ("in a row", RUN, _in_a_row),
    ("near names", RUN, _names),
    ("in flight", RESULTS, _in_flight),
    ("in flight", READ, _read_in_flight),
    ("caching", RESULTS, _kept_results),
    ("connection", RUN, _connections),
]


def _without(name: str) -> Callable[[Query], Query]:
    return lambda query: {key: value for key, value in query.items() if key != name}


def _in_utc(query: Query) -> Query:
    return {name: f"{value[:19]}Z" if name in {"start", "end"} else value for name, value in query.items()}


def _to_the_minute(query: Query) -> Query:
    return {
        name: f"{value[:16]}:00Z" if name in {"start", "end"} and value.endswith("Z") else value
        for name, value in query.items()
    }


def _searching(change: Callable[[str], str]) -> Callable[[Query], Query]:
    return lambda query: query | ({"search": change(query["search"])} if "search" in query else {})


def _shorter(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "workflow_runs": body["workflow_runs"][:MOST]}


def _with_total_of_all() -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
    most = [0]

    def change(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        most[0] = max(most[0], body["total"])
        return {**body, "total": most[0]}

    return change
