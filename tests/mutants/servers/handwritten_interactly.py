"""Hand-made defects of Interactly's runs, of each in the form of execute that it is named for."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from mutants.servers import interactly_faults as faults
from mutants.servers import interactly_lists as lists
from mutants.servers import interactly_more as more
from mutants.servers import interactly_refusals as refusals
from mutants.servers import interactly_starts as starts
from mutants.servers.fault import Fault, ServerDefect
from mutants.servers.messages import EXECUTE, LIST_RUNS, READ_RUN, Request
from mutants.servers.told import InFlight, ListAsked

Made = Iterator[tuple[str, str, str, str, Callable[[], Fault]]]  # id, forms, what it does, its rule, the fault
MOST_OF_A_PAGE: Final = 20


def handwritten_interactly() -> Iterator[ServerDefect]:
    """Give the hand-made defects of Interactly's runs."""
    families = (_runs, _starts, _refusals)
    for operation, family in (*((EXECUTE, one) for one in families), (READ_RUN, _reads), (LIST_RUNS, _lists)):
        for name, forms, title, rule, make in family():
            for form in forms:
                yield ServerDefect(
                    id=f"story.{name}-{form}",
                    title=title,
                    operator="story of a run",
                    operation=operation,
                    rules=(rule,),
                    fault=make(),
                    form=form,
                )


def _runs() -> Made:
    yield "variables-shared", "ab", "fills what is not given from earlier runs", "REL-STORY-03", faults.VariablesShared
    yield "double-command", "ab", "carries commands out twice at once", "REL-STORY-05", faults.DoubleCommand
    yield "slots-leak", "ab", "counts stopped runs as under way", "REL-CROWD-03", faults.SlotsLeak
    yield "turns-anew", "b", "counts turns from 1 after a pause", "REL-STORY-04", _turns(faults.counted_anew)
    yield "all-events", "b", "repeats the events of turns before", "REL-STORY-09", _turns(faults.with_all_events)
    waiting = _turns(faults.waiting_while_paused)
    yield "waiting-while-paused", "b", "says that a paused run waits for input", "REL-STORY-10", waiting
    yield "bare-body", "b", "starts a run for a body without run_input", "IA-EXE-58", faults.BareBody
    yield "turns-from-zero", "b", "counts turns from 0", "IA-EXE-59", _turns(faults.counted_from_zero)
    yield "turn-answered", "b", "numbers what is said as before", "IA-EXE-60", _turns(faults.numbered_as_answered)
    yield "stop-completes", "b", "says that stop completes", "IA-EXE-61", _turns(faults.completed_by_stop)
    yield "turn-completed", "b", "says that each turn is completed", "IA-EXE-62", _turns(faults.completed_as_a_turn)
    yield "ids-by-clock", "ab", "gives starts at once one id", "REL-CROWD-01", lambda: faults.InFlightTogether(_start)
    yield "start-revives", "ab", "begins ended runs again", "REL-TOLD-01", faults.StartRevives
    yield "ended-stopped", "ab", "cancels ended runs", "REL-TOLD-01", faults.EndedStopped
    yield "run-by-last", "ab", "names who sent the last command", "REL-TOLD-01", faults.LastRunsBy
    yield "kept-as-text", "ab", "makes texts of variables", "REL-STORY-08", faults.KeptAsText
    yield "latest-commanded", "b", "gives commands to the latest run", "REL-TOLD-01", faults.LatestCommanded
    yield "commands-cached", "ab", "answers commands from a cache", "REL-TOLD-01", faults.CommandsCached
    yield "pause-for-all", "ab", "takes no data while a run is paused", "REL-STORY-06", faults.PauseForAll
    yield "chunks-empty", "ab", "takes a body in chunks for an empty one", "REL-STORY-07", faults.ChunksEmpty
    yield "version-switched", "ab", "goes on with the version of a command", "REL-STORY-01", lists.VersionSwitched
    yield "path-ignored", "ab", "finds a run under any workflow", "REL-STORY-12", lists.PathIgnored
    yield "names-taken", "ab", "reads names of variables as paths", "REL-STORY-08", lists.NamesTaken
    yield "variables-cut", "b", "cuts variables at 4,096 characters", "REL-STORY-08", lists.VariablesCut
    mixed = lambda: more.LaterInputs("dynamic_variables", faults.is_start)  # noqa: E731
    yield "starts-mixed", "ab", "mixes up inputs of starts at once", "REL-CROWD-05", mixed
    said = lambda: more.LaterInputs("thread_to_node_inputs", lambda one: bool(faults.commanded(one)))  # noqa: E731
    yield "sayings-mixed", "ab", "mixes up what is said at once", "REL-STORY-03", said
    yield "variables-merged", "ab", "takes runtime variables for dynamic ones", "REL-STORY-08", more.VariablesMerged
    yield "stop-late", "ab", "takes data a while after stop", "REL-TOLD-01", more.StopLate
    yield "null-refused", "ab", "refuses null", "REL-STORY-17", more.NullRefused
    nulls = lambda: more.VariablesKept(lambda given: {n: v for n, v in given.items() if v is not None})  # noqa: E731
    yield "nulls-dropped", "ab", "drops variables that are null", "REL-STORY-08", nulls
    empties = lambda: more.VariablesKept(lambda given: {n: v for n, v in given.items() if v != ""})  # noqa: E731
    yield "empties-dropped", "ab", "drops variables that are empty", "REL-STORY-08", empties
    fifty = lambda: more.VariablesKept(lambda given: dict([*given.items()][:50]))  # noqa: E731
    yield "fifty-kept", "ab", "keeps fifty variables", "REL-STORY-08", fifty
    yield "command-in-capitals", "ab", "takes commands in capitals", "IA-EXE-55", more.CommandInAnyCase
    yield "run-by-cut", "ab", "cuts run_by at 255 characters", "REL-STORY-08", more.RunByCut
    yield "nul-fails", "ab", "fails on U+0000", "SRV-01", more.NulFails
    again = lambda: lists.TakenUpBy(by_reading=False)  # noqa: E731
    yield "pause-toggles", "b", "takes a paused run up by pause", "REL-STORY-13", again
    yield "pause-toggles", "a", "takes a paused run up by pause", "IA-EXE-71", again
    yield "resumed-after-end", "ab", "takes ended runs up again", "REL-TOLD-01", lists.ResumedAfterEnd
    yield "empty-keeps", "ab", "takes no variables for those before", "REL-STORY-03", lists.EmptyKeeps
    yield (
        "replies-swapped",
        "ab",
        "mixes up responses to commands at once",
        "REL-CROWD-02",
        lambda: InFlight(EXECUTE, (EXECUTE,)),
    )


def _starts() -> Made:
    with_input = lambda: starts.CommandGuessed(starts.has_node_inputs)  # noqa: E731
    yield "input-is-data", "ab", "takes input without a command for data", "REL-STORY-24", with_input
    of_run = lambda: starts.CommandGuessed(lambda request: bool(faults.commanded(request)))  # noqa: E731
    yield "run-gets-data", "ab", "takes a run's id without a command for data", "REL-STORY-24", of_run
    needed = lambda: starts.CommandGuessed(lambda request: not faults.commanded(request))  # noqa: E731
    yield "command-needed", "ab", "starts nothing without a command", "REL-STORY-24", needed
    dynamic, runtime, further = "dynamic_variables", "runtime_variables", "miscellaneous"
    for name, kind, by, is_first in (
        ("braces-by-runtime", dynamic, runtime, True),
        ("free-braces-by-runtime", dynamic, runtime, False),
        ("brackets-by-dynamic", runtime, dynamic, False),
        ("braces-by-further-data", dynamic, further, True),
    ):
        fault = partial(starts.FilledBy, kind, by, is_first)
        yield name, "ab", f"has {by} fill what is for {kind}", "REL-STORY-25", fault


def _refusals() -> Made:
    yield (
        "pause-no-turn",
        "b",
        "tells of a pause under the number before",
        "REL-STORY-20",
        _turns(refusals.counted_by_events),
    )
    yield "refused-counted", "b", "counts refused commands as turns", "REL-STORY-23", refusals.RefusedCounted
    yield "first-thread", "ab", "takes what is said to the first thread alone", "REL-STORY-22", refusals.FirstThread
    crossed = refusals.OutputsOfSortedThreads
    yield "threads-crossed", "ab", "shows outputs under other threads", "REL-STORY-26", crossed
    yield "form-of-the-start", "a", "answers in the form of the start", "IA-EXE-84", refusals.FormOfTheStart
    yield "unknown-started", "ab", "starts a run for a command for none", "IA-EXE-82", refusals.UnknownStarted
    yield "unknown-conflict", "b", "knows no run and says 409", "IA-EXE-83", refusals.UnknownInConflict


def _reads() -> Made:
    yield "refused-changed", "ab", "takes refused commands for changes", "REL-STORY-21", refusals.RefusedChanged
    yield "paused-not-stopped", "ab", "stops no paused run", "REL-TOLD-01", refusals.PausedNotStopped
    yield "history-rewritten", "ab", "shows data as the first input", "REL-STORY-15", more.HistoryRewritten
    yield "version-of-body", "ab", "goes on with the version of a command's body", "REL-STORY-01", starts.VersionOfBody
    yield "turn-version", "b", "runs another version than a first turn asks for", "REL-STORY-01", faults.OtherVersion
    reading = lambda: lists.TakenUpBy(by_reading=True)  # noqa: E731
    yield "read-resumes", "a", "takes a paused run up by reading", "REL-TOLD-01", reading
    back = lambda: lists.RecordsShown({"updated_at": "created_at"})  # noqa: E731
    for name, hours in (("behind", -5), ("ahead", 5)):
        fault = partial(starts.ChangedAt, READ_RUN, hours)
        yield f"changes-{name}", "ab", f"tells of changes by a clock five hours {name}", "REL-TOLD-03", fault
    yield "updated-at-start", "ab", "says that a run was changed last when it was started", "REL-STORY-14", back
    yield "stopped-gone", "ab", "knows stopped runs no more", "REL-TOLD-01", more.StoppedGone
    yield "local-times", "ab", "writes local times as of UTC", "REL-STORY-16", more.LocalTimes
    yield "read-by-hash", "ab", "takes runs of one hash for one", "REL-STORY-18", more.ReadByHash
    yield "last-pair-read", "ab", "shows the last pair alone", "REL-STORY-15", more.LastPairRead
    yield "version-lost", "ab", "runs the initial version after a start with one", "REL-STORY-19", more.VersionLost
    yield "pairs-shared", "ab", "shares pairs between runs alike", "REL-TOLD-01", lists.PairsShared
    active = lambda: faults.ShownRuns(_is_command, {"version_number": 1, "version_name": "Second Version"})  # noqa: E731
    yield "active-version", "ab", "goes on with the active version", "REL-TOLD-01", active
    yield "read-later", "ab", "reads runs as they were a second ago", "REL-TOLD-01", faults.ReadLater
    yield "read-in-ascii", "ab", "loses what is not ASCII", "REL-STORY-08", faults.ReadInASCII
    yield "old-forgotten", "ab", "knows the latest 20 runs", "REL-TOLD-01", faults.OldForgotten
    resumed = lambda: faults.ShownRuns(_is_resume, {"version_number": 1, "version_name": "Second Version"})  # noqa: E731
    yield "resumed-anew", "ab", "goes on with the active version after a pause", "REL-STORY-01", resumed
    yield "zero-is-none", "ab", "takes version 0 for none", "REL-STORY-01", starts.ZeroIsNone
    source = lambda: faults.ShownRuns(_is_pause, {"termination_source": "stale_run_reaper"}, _is_completed)  # noqa: E731
    yield "source-stays", "ab", "keeps a termination_source of a pause", "REL-STORY-02", source


def _lists() -> Made:
    reading = lambda: lists.TakenUpBy(by_reading=True)  # noqa: E731
    yield "read-resumes", "b", "takes a paused run up by reading", "REL-STORY-11", reading
    yield "refused-started", "ab", "starts what it refuses", "REL-CROWD-06", more.RefusedStarted
    yield "update-lost", "ab", "loses one of two commands at once", "REL-CROWD-02", faults.LostUpdate
    yield "first-status", "ab", "lists runs by their first status", "REL-TOLD-01", faults.RunsListed
    cut = lambda: faults.RunsListed(is_cut_first=True)  # noqa: E731
    yield "cut-first", "ab", "cuts the page before it filters", "REL-CROWD-04", cut
    yield "ended-hidden", "ab", "lists no ended runs unasked", "REL-CROWD-04", faults.EndedHidden
    yield "filters-ored", "ab", "lists what fits one of two filters", "REL-STORY-11", faults.FiltersOred
    yield "page-of-20", "ab", "lists 20 runs at most", "REL-CROWD-04", lambda: ListAsked(_at_most_20)
    yield "latest-listed", "ab", "lists the latest runs alone", "REL-CROWD-04", lambda: more.PagesListed(more.latest)
    yield (
        "pages-from-zero",
        "ab",
        "counts pages from 0 but for the first",
        "REL-LIST-53",
        lambda: more.PageAsked(
            lambda query: (
                {"page": str(int(query["page"]) + 1)} if query.get("page", "").isdigit() and query["page"] > "1" else {}
            )
        ),
    )
    first = lambda: more.PagesListed(more.only_first_filtered)  # noqa: E731
    yield "first-filtered", "ab", "filters the first page alone", "REL-CROWD-04", first
    yield (
        "twenty-unasked",
        "a",
        "lists 20 runs if no size is given",
        "REL-LIST-54",
        lambda: more.PageAsked(lambda query: {} if "size" in query else {"size": "20"}),
    )
    yield "filter-cached", "ab", "answers filters from a cache", "REL-STORY-11", more.FilteredCached
    dot = lambda: lists.SearchedByPattern(".")  # noqa: E731
    yield "search-by-dots", "ab", "searches by regular expressions", "REL-LIST-52", dot
    line = lambda: lists.SearchedByPattern("_")  # noqa: E731
    yield "search-by-lines", "ab", "searches by patterns of SQL", "REL-LIST-52", line
    for name, bounds, change in (
        ("start-of-its-day", ("start",), starts.to_its_day),
        ("end-of-its-day", ("end",), starts.to_the_end_of_its_day),
    ):
        moved = partial(starts.BoundsMoved, bounds, change)
        yield name, "ab", f"takes {bounds[0]} for the {bounds[0]} of its day", "REL-LIST-51", moved
    behind = partial(starts.ChangedAt, LIST_RUNS, -5)
    yield "changes-listed-behind", "ab", "lists changes by a clock five hours behind", "REL-TOLD-03", behind
    yield "end-alone", "ab", "looks at end alone if start is there", "REL-LIST-51", lists.EndAlone
    yield "ties-at-random", "ab", "lists runs of one second in any order", "REL-LIST-53", lists.TiesAtRandom
    yield "listed-by-pair", "ab", "lists a run once for each pair", "REL-LIST-53", lists.ListedByPair
    yield "total-capped", "ab", "counts twenty runs at most", "REL-CROWD-04", lists.TotalCapped


def _turns(change: Callable[..., dict[str, object]]) -> Callable[[], Fault]:
    return lambda: faults.TurnShown(change)


def _start(request: Request) -> str:
    return "start" if faults.is_start(request) else ""


def _is_command(request: Request, _: object) -> bool:
    return bool(faults.commanded(request))


def _is_pause(request: Request, _: object) -> bool:
    return faults.command_of(request) == "pause"


def _is_resume(request: Request, _: object) -> bool:
    return faults.command_of(request) == "resume"


def _is_completed(run: dict[str, object]) -> bool:
    return run["status"] == "completed"


def _at_most_20(query: dict[str, str]) -> dict[str, str]:
    size = query.get("size", "")
    return query | ({"size": str(MOST_OF_A_PAGE)} if size.isdigit() and int(size) > MOST_OF_A_PAGE else {})
