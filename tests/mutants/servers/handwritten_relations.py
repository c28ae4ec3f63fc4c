"""Hand-made defects that one request with its response does not show; each has a trigger of its own."""

import gzip
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mutants.servers import related
from mutants.servers.fault import Fault, ServerDefect, Where
from mutants.servers.handwritten_run import Crashing
from mutants.servers.messages import EXECUTE, KEY, LABELS, RESULTS, RUN, Callback, Reply, Request
from mutants.servers.reply_faults import MemberSet
from mutants.servers.request_faults import Refused, TakenAs

MANY: Final = 65_536
ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
NAMES: Final = {
    "label": "workflow_label_name",
    "version": "workflow_version_number",
    "callback": "callback_url",
    "inputs": "input_variables",
    "metadata": "metadata",
}
Made = Iterator[tuple[str, str, str, Fault]]  # id, what the server does, the rule that names it best, the fault
Tests = Callable[[Request], bool]


def handwritten_relations() -> Iterator[ServerDefect]:
    """Give the hand-made defects of relations."""
    for operator, operation, family in FAMILIES:
        for name, title, rule, fault in family():
            id_ = f"relation.{name}"
            yield ServerDefect(id=id_, title=title, operator=operator, operation=operation, rules=(rule,), fault=fault)


def _texts_changed() -> Made:
    for name, title, change in TEXT_CHANGES:
        yield name, title, "REL-ECHO-01", _on_texts(change)
    small, called = _on_texts(str.lower).change, "writes the input in small letters of a run"
    for name, member in (("label", "workflow_label_name"), ("number", "workflow_version_number")):
        yield f"lower-by-{name}", f"{called} by {name}", "REL-ECHO-01", related.InputsChanged(small, _names(member))
    yield "lower-for-all", f"{called} for all outputs", "REL-ECHO-01", related.InputsChanged(small, _wants_all)


def _values_changed() -> Made:
    for name, title, change in VALUE_CHANGES:
        rule = "REL-ECHO-04" if name == "rounded" else "REL-ECHO-02"
        yield name, title, rule, related.InputsChanged(change)


def _callbacks_changed() -> Made:
    for name, title, change in (
        ("markup-in-callback", "escapes markup in a callback", html.escape),
        ("astral-in-callback", "loses text beyond the basic plane in a callback", lambda text: ASTRAL.sub("?", text)),
        ("cut-large-callback", "cuts texts in a callback at 4,096 characters", lambda text: text[:4096]),
    ):
        yield name, title, "REL-ECHO-03", related.CallbackFault(_with_output(change))


def _sizes() -> Made:
    for size in (60, 255, 1000, 4096):
        yield f"cut-at-{size}", f"cuts a text at {size} characters", "REL-SIZE-01", _on_texts(_cut(size))
    yield "last-of-256", "loses the last of 256 characters", "REL-SIZE-01", _on_texts(_without_last_of_256)
    large = related.BodyMisread(lambda request: len(request.content) > MANY, lambda _: {})
    yield "large-body-dropped", "takes a body of more than 64 KiB for an empty one", "REL-SIZE-01", large


def _crashes() -> Made:
    for name, title, is_large in LARGE:
        yield f"crash-{name}", f"fails on {title}", "REL-SIZE-02", Crashing(RUN, is_large)


def _at_once() -> Made:
    yield "same-id-at-once", "gives runs that come at once the same id", "REL-RUNS-01", related.AtOnce("id")
    yield "same-input-at-once", "runs what comes at once on the last input", "REL-RUNS-02", related.AtOnce("input")
    yield "sixth-lost", "never executes the sixth of runs at once", "REL-RUNS-03", related.Overloaded(5)
    forgets = "forgets results once"
    yield "results-forgotten", f"{forgets} twelve more runs are started", "REL-RUNS-03", related.Forgetful(12, RUN)
    yield "results-read-once", f"{forgets} those of ten others are read", "REL-RUNS-04", related.Forgetful(10, RESULTS)
    last = related.CallbackToTheLast()
    yield "callbacks-to-the-last", "posts outcomes at the same time to the last address", "REL-CB-01", last


def _callbacks() -> Made:
    for name, title, aim in (
        ("unescaped", "the address without its escapes", lambda url: unquote(url).replace(" ", "+")),
        ("in-small-letters", "the path in small letters", _small),
        ("with-one-parameter", "the address with its first parameter alone", lambda url: url.partition("&")[0]),
    ):
        yield f"callback-{name}", f"posts to {title}", "REL-CB-02", related.CallbackFault(_to(aim))
    yield "callback-when-polled", "posts what results were asked of", "REL-CB-03", related.CallbackWhenPolled()
    for name, title, when in (
        ("by-number", "by number", lambda request: not _names("workflow_version_number")(request)),
        ("by-label", "by label", lambda request: not _names("workflow_label_name")(request)),
        ("if-warned", "with unused variables", lambda request: len(request.members.get("input_variables") or {}) < 2),
    ):
        yield (
            f"no-callback-{name}",
            f"posts no outcome of a run {title}",
            "REL-CB-03",
            related.CallbackOnlyOf(when=when),
        )
    small = related.CallbackFault(lambda one: one if len(one.content) < MANY else None)
    yield "no-large-callback", "posts no outcome of more than 64 KiB", "REL-CB-03", small
    latest = TakenAs(RUN, _names("callback_url"), _without_version)
    yield "callback-of-the-latest", "runs the latest version if there is a callback", "REL-CB-06", latest
    quiet = MemberSet(Where(RUN, 202), ("warning",), None)
    yield "no-warning-with-callback", "warns of nothing if there is a callback", "REL-CB-06", quiet
    yield "callback-again", "posts another outcome of the same run later", "REL-CB-04", related.CallbackAgain()


def _in_a_row() -> Made:
    for name, rule, member in (
        ("label", "REL-ROW-02", "workflow_label_name"),
        ("version", "REL-ROW-02", "workflow_version_number"),
        ("metadata", "REL-ROW-02", "metadata"),
        ("inputs", "REL-ROW-03", "input_variables"),
    ):
        title = f"takes the {name} of a run for the next one, too"
        yield f"{name}-sticks", title, rule, related.Sticking((member,))
    adds = related.Sticking(("input_variables",), whole=False)
    yield "inputs-add-up", "adds the input variables of a run to the next one's", "REL-ROW-01", adds
    yield "warning-sticks", "repeats a warning with the next run", "REL-ROW-01", related.WarningSticks()
    yield "callback-sticks", "posts the next run's outcome as well", "REL-CB-05", related.Sticking(("callback_url",))
    yield "callback-of-refused", "posts an outcome of a refused run", "REL-CB-05", related.CallbackOfRefused()


def _spellings() -> Made:
    ordered = related.BodyMisread(_has_other_order, lambda body: {**body, "input_variables": {}})
    yield "order-matters", "loses inputs that are not the first property", "REL-ECHO-01", ordered
    mistaken = related.BodyMisread(_is_raw, _read_as_latin)
    yield "misread-raw-text", "reads UTF-8 as Latin-1", "REL-ECHO-01", mistaken
    for name, title, rule, when in SPELLINGS_REFUSED:
        yield f"refuses-{name}", f"refuses {title}", rule, Refused(RUN, when, 400)


def _keys() -> Made:
    for name, title, takes in KEYS_TAKEN:
        rule = "REL-KEY-02" if name == "of-several" else "REL-KEY-01"
        yield f"key-{name}", f"takes {title}", rule, related.KeyTaken(takes)
    yield "key-told", "repeats a wrong key in the refusal", "REL-KEY-03", related.KeyTold(401)
    told = related.KeyTold(422, in_header=True)
    yield "key-told-in-header", "repeats the key in a header of a refusal", "REL-KEY-03", told
    with_key = related.CallbackFault(lambda one: Callback(one.url, one.content, headers={**one.headers, "x-key": KEY}))
    yield "key-in-callback", "posts the key with the outcome", "REL-KEY-04", with_key


def _keys_of_results() -> Made:
    begins = related.KeyTaken(lambda _, given: len(given) > 3 and KEY.startswith(given), RESULTS)
    yield "results-key-prefix", "takes the beginning of the key for results", "REL-KEY-01", begins
    yield "finished-without-key", "gives results of ended runs to anybody", "SRV-05", related.ResultsWithoutKey()


def _keys_of_labels() -> Made:
    empty = related.KeyTaken(lambda request, given: not given and request.header("x-api-key") is not None, LABELS)
    yield "labels-key-empty", "takes an empty key for labels", "REL-KEY-01", empty


def _keys_of_execute() -> Made:
    longer = related.KeyTaken(lambda _, given: given.startswith(KEY), EXECUTE)
    yield "execute-key-longer", "takes a token with more behind it", "REL-KEY-01", longer
    any_scheme = related.KeyTaken(lambda request, _: KEY in (request.header("authorization") or ""), EXECUTE)
    yield "execute-other-scheme", "takes the token under any scheme", "REL-KEY-01", any_scheme


def _connections() -> Made:
    yield "error-sticks", "repeats an error on its connection", "REL-HTTP-01", related.ConnectionSticks()
    two = related.Written(lambda _, reply: reply.headers.append(("content-type", "text/plain")), lambda *_: True)
    yield "two-types", "names two content types of a run's results", "REL-HTTP-02", two
    coded = related.Written(_compress, lambda _, reply: len(reply.content) > 50)
    yield "gzip-unasked", "compresses large bodies whatever was asked for", "REL-HTTP-03", coded
    mark = related.Written(_with_byte_order_mark, lambda _, reply: b"\\u" in reply.content)
    yield "byte-order-mark", "begins a body that is not ASCII with a byte order mark", "SRV-03", mark
    latin = related.Written(_in_latin, lambda _, reply: b"\\u00e" in reply.content)
    yield "latin-1", "writes Latin-1 where the body is not ASCII", "SRV-03", latin


def _open_runs() -> Made:
    for command in ("stop", "pause", "data"):
        yield f"{command}-for-all", f"gives {command} to every open run", "REL-OPEN-01", related.OtherRunsToo(command)
    for command in ("resume", "stop"):
        title = f"has {command} act on the run that was paused last"
        yield f"{command}-for-the-last", title, "REL-OPEN-01", related.LastPaused(command)
    yield "starts-paused", "starts runs paused while another one is", "REL-OPEN-02", related.PausedFromNowOn()
    yield "version-of-the-last", "executes the version of the run before", "REL-OPEN-02", related.VersionSticks()
    for name in ("run_by", "dynamic_variables"):
        fault = related.Sticking((name,), EXECUTE)
        yield f"{name.replace('_', '-')}-sticks", f"takes {name} for the next run, too", "REL-OPEN-03", fault
    composed = related.InputsChanged(lambda value: related.with_texts(value, _composed), operation=EXECUTE)
    yield "execute-composed", "composes variables that come decomposed", "REL-OPEN-04", composed
    cut = related.InputsChanged(lambda value: related.with_texts(value, _cut(4096)), operation=EXECUTE)
    yield "execute-cut", "cuts variables at 4,096 characters", "REL-SIZE-03", cut
    fails = Crashing(EXECUTE, lambda request: len(request.members.get("run_by") or "") > 255)
    yield "crash-run-by", "fails on a run_by of more than 255 characters", "REL-SIZE-03", fails


FAMILIES: Final[list[tuple[str, str, Callable[[], Made]]]] = [
    ("text changed", RUN, _texts_changed),
    ("value changed", RUN, _values_changed),
    ("callback content", RUN, _callbacks_changed),
    ("size", RUN, _sizes),
    ("crash", RUN, _crashes),
    ("at once", RUN, _at_once),
    ("callback", RUN, _callbacks),
    ("in a row", RUN, _in_a_row),
    ("spelling", RUN, _spellings),
    ("credentials", RUN, _keys),
    ("credentials", RESULTS, _keys_of_results),
    ("credentials", LABELS, _keys_of_labels),
    ("credentials", EXECUTE, _keys_of_execute),
    ("open runs", EXECUTE, _open_runs),
    ("connection", RESULTS, _connections),
]
TEXT_CHANGES: Final[list[tuple[str, str, Callable[[str], str]]]] = [
    ("astral-lost", "loses text beyond the basic plane", lambda text: ASTRAL.sub("\ufffd", text)),
    ("composed", "composes what comes decomposed", lambda text: unicodedata.normalize("NFC", text)),
    ("compatible", "replaces compatibility characters", lambda text: unicodedata.normalize("NFKC", text)),
    ("stripped", "strips texts of the white space round them", str.strip),
    ("one-space", "makes one space of several", lambda text: re.sub(" +", " ", text)),
    ("line-ends", "makes LF of CR LF", lambda text: text.replace("\r\n", "\n")),
    ("unescaped", "reads percent signs in a text as escapes", unquote),
    ("unslashed", "reads a backslash in a text as an escape", lambda text: text.replace("\\n", "\n")),
    ("unmarked", "drops characters without width", lambda text: re.sub("[\u200b\ufeff]", "", text)),
    ("no-markup", "drops what looks like markup", lambda text: re.sub("<[^>]*>", "", text)),
    ("empty-is-none", "takes an empty text for the word None", lambda text: text or "None"),
    (
        "number-of-text",
        "takes a text of digits for a number",
        lambda text: text.lstrip("0") if text.isdigit() else text,
    ),
]
VALUE_CHANGES: Final[list[tuple[str, str, Callable[[Any], Any]]]] = [
    ("rounded", "rounds numbers beyond 2^53", lambda value: related.with_numbers(value, _as_double)),
    ("small-lost", "takes small numbers for 0", lambda value: related.with_numbers(value, lambda one: round(one, 3))),
    ("depth-lost", "loses what is nested deeper than five levels", lambda value: related.without_depth(value, 5)),
    ("list-cut", "keeps a hundred entries of a list", lambda value: related.with_short_lists(value, 100)),
    ("null-dropped", "takes a variable of null for a missing one", lambda value: ... if value is None else value),
    ("sorted", "sorts lists of numbers", lambda value: related.with_lists(value, _sorted)),
    (
        "truth-lost",
        "takes true for a text",
        lambda value: related.with_booleans(value, int),
    ),
    ("unnamed-lost", "drops properties without a name", lambda value: related.without_name(value, "")),
    ("nulls-lost", "drops properties that are null", related.without_nulls),
    ("twelve-levels", "loses what is nested deeper than twelve levels", lambda value: related.without_depth(value, 12)),
    ("six-digits", "rounds fractions to six digits", lambda value: related.with_numbers(value, _six_digits)),
    ("null-is-zero", "takes null for 0", lambda value: 0 if value is None else value),
]
KEYS_TAKEN: Final[list[tuple[str, str, Callable[[Request, str], bool]]]] = [
    ("prefix", "the beginning of the key", lambda _, given: len(given) > 3 and KEY.startswith(given)),
    ("longer", "the key with more behind it", lambda _, given: given.startswith(KEY)),
    ("any-case", "the key in capitals", lambda _, given: given.lower() == KEY),
    ("white-space", "the key with white space in it", lambda _, given: given.replace(" ", "") == KEY),
    ("empty", "an empty key", lambda request, given: not given and request.header("x-api-key") is not None),
    ("query", "the key in the query", lambda request, _: KEY in request.query.values()),
    ("cookie", "the key in a cookie", lambda request, _: KEY in (request.header("cookie") or "")),
    ("bearer", "the key as a bearer token", lambda request, _: KEY in (request.header("authorization") or "")),
    ("body", "the key in the body", lambda request, _: KEY in request.members.values()),
    ("of-several", "the key among several", lambda request, _: ("x-api-key", KEY) in request.headers),
]


def _content_type(request: Request) -> str:
    return request.header("content-type") or ""


def _has_other_order(request: Request) -> bool:
    return next(iter(request.members), "input_variables") != "input_variables"


def _is_raw(request: Request) -> bool:
    return not request.content.isascii()


def _read_as_latin(body: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(body, ensure_ascii=False).encode().decode("latin-1"))
    return read


SPELLINGS_REFUSED: Final[list[tuple[str, str, str, Tests]]] = [
    ("capitals", "a media type with capitals", "REL-SAME-01", lambda one: not _content_type(one).islower()),
    ("white-space", "a body that begins with white space", "REL-SAME-01", lambda one: one.content[:1].isspace()),
    ("raw-text", "a body that is not ASCII", "REL-SAME-01", _is_raw),
    ("escaped-names", "names that are written with escapes", "REL-SAME-01", lambda one: one.content[:6] == b'{"\\u00'),
    ("slashes", "an escaped slash", "REL-SAME-01", lambda one: b"\\/" in one.content),
    ("charset", "a charset behind the media type", "REL-SAME-02", lambda one: "charset" in _content_type(one)),
    ("fractions", "1.0", "REL-SAME-02", lambda one: re.search(rb":\s*1\.0\b", one.content) is not None),
    ("exponents", "1e0", "REL-SAME-02", lambda one: re.search(rb":\s*1[eE]", one.content) is not None),
    ("chunks", "a body in chunks", "REL-SAME-02", lambda one: one.header("transfer-encoding") is not None),
]


def _size_of(request: Request, member: str) -> int:
    value = request.members.get(member)
    return len(value) if isinstance(value, str | dict) else 0


def _longest_in(request: Request, member: str) -> int:
    value = request.members.get(member)
    names = [*value, *value.values()] if isinstance(value, dict) else []
    return max((len(name) for name in names if isinstance(name, str)), default=0)


def _has_long_name(request: Request) -> bool:
    variables = request.members.get("input_variables")
    return isinstance(variables, dict) and any(len(name) > 100 for name in variables)


LARGE: Final[list[tuple[str, str, Tests]]] = [
    (
        "metadata",
        "more than 255 characters in metadata",
        lambda one: _longest_in(one, "metadata") > 255,
    ),
    ("many", "more than 50 entries in metadata", lambda one: _size_of(one, "metadata") > 50),
    ("label", "a label of more than 255 characters", lambda one: _size_of(one, "workflow_label_name") > 255),
    ("variable", "the name of a variable of more than 100 characters", _has_long_name),
    ("address", "an address of more than 1,024 characters", lambda one: _size_of(one, "callback_url") > 1024),
]


def _without_version(request: Request) -> None:
    left_out = {"workflow_label_name", "workflow_version_number"}
    request.put({name: value for name, value in request.members.items() if name not in left_out})


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values) if all(isinstance(value, int) for value in values) else values


def _on_texts(change: Callable[[str], Any]) -> related.InputsChanged:
    return related.InputsChanged(lambda value: related.with_texts(value, change))


def _names(member: str) -> Tests:
    return lambda request: request.members.get(member) is not None


def _wants_all(request: Request) -> bool:
    return request.members.get("return_all_outputs") is True


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _cut(size: int) -> Callable[[str], str]:
    return lambda text: text[:size]


def _without_last_of_256(text: str) -> str:
    return text[:255] if len(text) == 256 else text


def _six_digits(number: Any) -> Any:
    return round(number, 6) if isinstance(number, float) else number


def _as_double(number: Any) -> Any:
    return int(float(number)) if isinstance(number, int) else number


def _to(aim: Callable[[str], str]) -> Callable[[Callback], Callback]:
    return lambda callback: Callback(aim(callback.url), callback.content)


def _with_output(change: Callable[[str], str]) -> Callable[[Callback], Callback]:
    def posts(callback: Callback) -> Callback:
        body = {name: related.with_texts(value, change) for name, value in callback.members.items()}
        return Callback(callback.url, json.dumps(body).encode())

    return posts


def _small(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=parts.path.lower()).geturl()


def _compress(_: Request, reply: Reply) -> None:
    reply.content = gzip.compress(reply.content)
    reply.set_header("content-encoding", "gzip")


def _with_byte_order_mark(_: Request, reply: Reply) -> None:
    reply.content = b"\xef\xbb\xbf" + reply.content


def _in_latin(_: Request, reply: Reply) -> None:
    reply.content = json.dumps(reply.json, ensure_ascii=False).encode("latin-1", "replace")
    reply.set_header("content-type", "application/json; charset=iso-8859-1")
