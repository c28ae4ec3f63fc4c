"""Hand-made defects that show where workflows come to be, change while they run, or are written by two at once."""

import re
from collections.abc import Iterator
from typing import Any, Final

from mutants.servers import growing, histories, related
from mutants.servers.fault import Fault, ServerDefect
from mutants.servers.messages import ATTACH, CREATE, DETACH, LABELS, LIST, PATCH, READ, RESULTS, RUN, Request
from mutants.servers.request_faults import TakenAs

Made = Iterator[tuple[str, str, str, str, Fault]]  # rule, operation, id, what the server does, the fault
LONGEST_NAME: Final = 64
MOST_VARIABLES: Final = 50
DIGITS: Final = re.compile(r"\+?0*([1-9][\d_]*)(?:\.0)?")


def handwritten_growth() -> Iterator[ServerDefect]:
    """Give them."""
    for family in (
        _found_later,
        _runs,
        _numbers,
        _pairs,
        _outputs,
        _inputs,
        _lists,
        _refused,
        _at_one_address,
        _in_a_crowd,
        _skipped,
    ):
        for rule, operation, name, title, fault in family():
            yield ServerDefect(
                id=f"growth.{name}", title=title, operator="growth", operation=operation, rules=(rule,), fault=fault
            )


def _found_later() -> Made:
    for operation in (READ, RUN, LABELS):
        absent = growing.AbsenceRemembered(operation)
        yield (
            "REL-WF-31",
            operation,
            f"absence-remembered-{operation}",
            "remembers that something was not there",
            absent,
        )
    listed = growing.EmptyListRemembered()
    yield "REL-WF-31", LIST, "absence-remembered-listed", "remembers that an external id was nobody's", listed
    cut = TakenAs(CREATE, lambda one: isinstance(one.members.get("name"), str), _cut_name)
    yield "REL-WF-32", CREATE, "name-cut", "cuts names at 64 characters", cut
    for operation in (READ, RUN, DETACH):
        fault = growing.PlusIsSpace(operation)
        yield "REL-WF-33", operation, f"plus-is-space-{operation}", "takes + in a path for a space", fault
    decoded = growing.SlashesDecoded()
    yield "REL-WF-42", DETACH, "slashes-decoded", "decodes slashes before it takes a path apart", decoded
    for name, which in (("first", 0), ("last", -1)):
        alone = growing.OneConditionCounts(which)
        yield "REL-WF-43", RESULTS, f"{name}-condition", f"looks at the {name} condition of an edge alone", alone
    near = TakenAs(READ, lambda one: DIGITS.fullmatch(one.workflow) is not None, _as_number)
    yield "REL-WF-27", READ, "id-any-digits", "finds an id that is written in another way", near


def _runs() -> Made:
    for name, is_all in (("bare", False), ("all", True)):
        fault = growing.OutputEnds(all_outputs=is_all)
        yield (
            "REL-WF-34",
            RESULTS,
            f"output-ends-{name}",
            f"answers 200 while nodes run behind the output ({name})",
            fault,
        )
    late = growing.RunsByLatest("version")
    yield "REL-WF-35", RUN, "late-version", "runs the version that is the latest a little later", late
    output = growing.RunsByLatest("output")
    yield "REL-WF-36", RESULTS, "output-of-latest", "shows the output node of the latest version", output
    warned = growing.RunsByLatest("warning")
    yield "REL-WF-37", RUN, "warning-of-latest", "warns by the variables of the latest version", warned
    equal = growing.TwoAsOne(RUN)
    yield "REL-RUNS-05", RUN, "equal-runs", "answers equal runs at once alike", equal
    early = growing.ResultsAfterCallback()
    before = growing.PostedBeforeTheEnd()
    yield "REL-CB-08", RUN, "callback-before-the-end", "posts a callback while nodes behind the output run", before
    yield "PL-CB-67", RUN, "callback-before-results", "says for a while after a callback that the run goes on", early


def _numbers() -> Made:
    yield "REL-WF-38", READ, "numbers-are-texts", "takes version 9 for later than 10", growing.NumbersAreTexts()
    yield "REL-WF-38", READ, "labels-of-the-first", "shows labels of 1 with 10 and 11", growing.LabelsOfTheFirst()
    yield "REL-WF-39", PATCH, "patches-as-one", "makes one version of two patches at once", growing.TwoAsOne(PATCH)
    refused = growing.LabelMovedThoughRefused()
    yield "REL-WF-11", PATCH, "label-moved-though-refused", "moves labels by a patch that it refuses", refused
    base = TakenAs(PATCH, _has_large_base, lambda one: one.put({**one.members, "base_version": None}))
    created = growing.TwoAsOne(CREATE)
    yield "REL-WF-39", CREATE, "creates-as-one", "makes one version of two that are created at once", created
    inherited = growing.LabelsInherited()
    yield "REL-WF-05", CREATE, "labels-inherited", "moves the labels to a version that has none", inherited
    kept = histories.ShownAsBefore(READ, _version_of, ("release_labels",))
    yield "REL-WF-05", READ, "labels-cached-by-version", "shows the labels of a version as it was first read", kept
    yield "REL-WF-11", PATCH, "base-unknown", "patches the latest version where the base does not exist", base


def _pairs() -> Made:
    for name, is_elsewhere in (("elsewhere", True), ("anywhere", False)):
        fault = growing.NeverFree(is_elsewhere)
        yield "REL-WF-40", ATTACH, f"never-free-{name}", f"attaches a detached id {name} never again", fault
    yield "REL-WF-39", ATTACH, "attached-twice", "gives two workflows an id at once", growing.TwoAsOne(ATTACH)
    yield "REL-WF-09", DETACH, "detached-anywhere", "detaches from whoever has it", growing.DetachedAnywhere()


def _outputs() -> Made:
    for name, test in (
        ("any", lambda value: not value),
        ("zero", lambda value: type(value) is int and not value),
        ("null", lambda value: value is None),
        ("list", lambda value: value == []),
    ):
        fault = growing.FalsyIsNothing(test)
        yield "REL-OUT-01", RESULTS, f"falsy-is-nothing-{name}", f"takes an output for none ({name})", fault
    never = growing.FalsyIsNothing(lambda value: not value, goes_on=True)
    yield "REL-OUT-01", RESULTS, "falsy-never-ready", "waits for an output that is there, and empty", never
    yield "REL-OUT-01", RESULTS, "output-read-twice", "reads a text output as JSON", growing.OutputReadTwice()
    yield "REL-OUT-01", RESULTS, "nulls-left-out", "leaves out what is null in a value", growing.NullsLeftOut()
    first = growing.FirstOutputDecides()
    yield "REL-OUT-01", RESULTS, "first-output-decides", "tells the output of the first output node alone", first
    yield "REL-OUT-02", RUN, "falsy-not-posted", "posts words in place of an empty output", growing.FalsyNotPosted()


def _inputs() -> Made:
    twice = related.InputsChanged(lambda value: related.with_texts(value, _filled))
    yield "REL-ECHO-01", RUN, "template-twice", "fills in placeholders within inputs", twice
    whole = related.InputsChanged(lambda value: related.with_texts(value, _filled_with_itself))
    yield "REL-ECHO-01", RUN, "template-whole", "fills an input into its own placeholders", whole
    few = growing.VariablesChanged(lambda given: dict([*given.items()][:MOST_VARIABLES]))
    yield "REL-ECHO-01", RUN, "fifty-variables", "takes fifty input variables", few
    ended = related.InputsChanged(lambda value: related.with_texts(value, lambda text: text.partition("\0")[0]))
    yield "REL-SIZE-01", RUN, "null-ends", "ends a text of the input at U+0000", ended
    small = growing.VariablesChanged(lambda given: {name.lower(): value for name, value in given.items()})
    yield "REL-ECHO-01", RUN, "variables-in-any-case", "takes names of variables in any case for one", small


def _refused() -> Made:
    for operation in (RUN, CREATE, PATCH, ATTACH, DETACH):
        fault = growing.ActsThenRefuses(operation)
        yield "REL-REF-01", operation, f"acts-{operation}", "carries out what it refuses for its key", fault
    yield "REL-REF-02", CREATE, "conflict-keeps", "keeps the workflow that it refuses", growing.ConflictKeeps()
    for operation in (ATTACH, DETACH):
        narrow = TakenAs(operation, lambda _: True, _narrow)
        yield "REL-WF-09", operation, f"narrow-{operation}", "has ? for characters beyond the basic plane", narrow
    for name in ("X-Api-Key", "x-api-key", "CONTENT-TYPE", "content-type"):
        rule = "REL-KEY-05"
        yield rule, RUN, f"names-as-written-{name}", f"knows no header {name}", growing.NamesAsWritten(name)


def _at_one_address() -> Made:
    yield "REL-CB-09", RUN, "debounced", "tells an address of one run in a while", growing.Debounced()


def _in_a_crowd() -> Made:
    for number in (5, 10, 16):
        fault = growing.OutOfStep(number)
        yield "REL-HTTP-04", READ, f"out-of-step-{number}", f"repeats itself as response {number}", fault
    for many in (4, 6):
        crowded = growing.OpenInCrowds(many)
        yield "REL-KEY-06", READ, f"open-in-crowds-{many}", f"takes any key with {many} requests in flight", crowded
    yield "REL-CACHE-02", READ, "tag-of-the-workflow", "has one ETag for all versions", growing.TagOfTheWorkflow()


def _skipped() -> Made:
    yield "SRV-16", RUN, "get-starts", "starts a run for a GET", growing.GetStarts()
    yield "REL-CB-10", RUN, "skipped-not-posted", "posts no nodes that were skipped", growing.SkippedLeftOut()
    yield "REL-WF-41", RESULTS, "skipped-not-shown", "shows no nodes that were skipped", growing.SkippedNotShown()
    cases = growing.NamesInAnyCase()
    yield "REL-WF-41", RESULTS, "names-in-any-case", "has one entry for names that differ in case", cases
    yield "REL-WF-41", RESULTS, "entries-cut", "shows ten nodes and no more", growing.EntriesCut(10)


def _lists() -> Made:
    stale = histories.ShownAsBefore(LIST, lambda one: one.query.get("per_page", "all"), ("total",))
    yield "REL-WF-24", LIST, "total-cached", "tells the total as it was first", stale
    within = growing.SortedWithinPages()
    yield "REL-WF-25", LIST, "sorted-within-pages", "sorts each page by itself", within
    yield "REL-WF-25", LIST, "pages-overlap", "begins the third page one too early", growing.PagesOverlap()


def _cut_name(request: Request) -> None:
    request.put({**request.members, "name": request.members["name"][:LONGEST_NAME]})


def _version_of(request: Request) -> tuple[str, str] | None:
    return (request.path, request.query["version"]) if "version" in request.query else None


def _as_number(request: Request) -> None:
    found = DIGITS.fullmatch(request.workflow)
    request.path = f"/workflows/{found[1].replace('_', '') if found else ''}"


def _narrow(request: Request) -> None:
    request.content = request.content.replace(b"\\ud83d\\ude00", b"?").replace(b"\\ud83d\\ude01", b"?")
    request.path = request.path.replace("%F0%9F%98%80", "%3F").replace("%F0%9F%98%81", "%3F")


def _has_large_base(request: Request) -> bool:
    base: Any = request.members.get("base_version")
    return isinstance(base, int) and base > LONGEST_NAME


def _filled(text: str) -> str:
    return text.replace("{user_message}", "message").replace("{{user_message}}", "message")


def _filled_with_itself(text: str) -> str:
    return text.replace("{user_message}", text)
