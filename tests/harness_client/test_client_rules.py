"""Every rule of the client side finds the defect that it is for, and nothing in a client without defects."""

import shutil
from pathlib import Path

import pytest
from judging_clients import client_rules, judging
from shelf_client import DEFECTS

from contract_tests.client.subject_process import Choice
from contract_tests.rules import Verdict

SPEC = Path(__file__).with_name("shelf.yaml")

PACKAGE = Path(__file__).with_name("shelf_parts")
# A wire that misbehaves does so for all operations at once: a defect is looked for in those of one path.
PATHS = {"listBooks": "/books", "addBook": "/books", "getOpening": "/openings/{day}", "": "",
         "removeBook": "/shelves/{number}/books/{title}"}  # fmt: skip
OPENING = "#/paths/~1openings~1{day}/get/responses/200/content/application~1json/schema"

# The defect, the rule that must find it, the operation (none for a rule about the whole client), and the constraint
# that the finding names. Every rule of the client side has at least one.
FOUND_BY = [
    ("refuses_umlauts", "CL-REQ-01", "listBooks", "#/paths/~1books/get/parameters/0"),
    ("sends_twice", "CL-REQ-02", "addBook", "count"),
    ("puts", "CL-REQ-03", "addBook", "method"),
    ("leaves_slashes", "CL-REQ-03", "removeBook", "path"),
    ("walks_dots", "CL-REQ-04", "removeBook", "#/paths/~1shelves~1{number}~1books~1{title}/delete/parameters/1"),
    ("renames_query", "CL-REQ-05", "listBooks", "#/paths/~1books/get/parameters/3"),
    ("renames_query", "CL-REQ-05", "listBooks", "nothing is added"),
    ("renames_query_async", "CL-REQ-05", "listBooks", "#/paths/~1books/get/parameters/3"),
    ("explodes_all", "CL-REQ-05", "listBooks", "#/paths/~1books/get/parameters/2"),
    ("adds_query", "CL-REQ-05", "addBook", "nothing is added"),
    ("drops_header", "CL-REQ-06", "listBooks", "#/paths/~1books/get/parameters/5"),
    ("adds_cookie", "CL-REQ-06", "listBooks", "no cookie is added"),
    ("asks_for_pages", "CL-REQ-11", "listBooks", "Accept"),
    ("joins_letters", "CL-REQ-03", "removeBook", "#/paths/~1shelves~1{number}~1books~1{title}/delete/parameters/1"),
    ("joins_letters", "CL-REQ-08", "addBook", "#/components/schemas/Book/properties/title"),
    ("key_in_query", "CL-REQ-07", "addBook", "security"),
    ("no_key", "CL-REQ-07", "removeBook", "security"),
    ("drops_nulls", "CL-REQ-08", "addBook", "#/components/schemas/Book/properties/pages"),
    ("floats", "CL-REQ-08", "addBook", "#/components/schemas/Book/properties/price"),
    ("adds_member", "CL-REQ-08", "addBook", "#/components/schemas/Book nothing is added"),
    ("plain_text", "CL-REQ-08", "addBook", "Content-Type"),
    ("sends_defaults", "CL-REQ-09", "listBooks", "#/paths/~1books/get/parameters/3"),
    ("sends_defaults", "CL-REQ-09", "addBook", "#/components/schemas/Book/properties/draft"),
    ("no_checks", "CL-REF-01", "addBook", "#/components/schemas/Author/properties/name/type"),
    ("no_checks", "CL-REF-01", "listBooks", "#/paths/~1books/get/parameters/4/schema/type"),
    ("no_checks", "CL-REF-02", "addBook", "#/components/schemas/Book/properties/genre/enum"),
    ("no_checks", "CL-REF-03", "addBook", "#/components/schemas/Book/properties/isbn/pattern"),
    ("no_checks", "CL-REF-04", "addBook", "#/components/schemas/Book/properties/pages/minimum"),
    ("no_checks", "CL-REF-05", "addBook", "#/components/schemas/Author/required/0"),
    ("no_checks", "CL-REF-05", "listBooks", "#/paths/~1books/get/parameters/0/required"),
    ("no_checks", "CL-REF-06", "addBook", "#/components/schemas/Book/not"),
    ("no_checks", "CL-REF-07", "listBooks", "#/paths/~1books/get/parameters/2/schema/maxItems"),
    ("foreign_refusal", "CL-REF-01", "addBook", "#/components/schemas/Book/properties/title/type own error"),
    ("reads_latin_1", "CL-REP-01", "addBook", "201 #/components/schemas/Book/properties/title"),
    ("loses_member", "CL-REP-01", "addBook", "201 #/components/schemas/Book/properties/pages"),
    ("nulls_for_absent", "CL-REP-01", "listBooks", "200 #/components/schemas/BookPage/properties/next"),
    ("one_class", "CL-REP-02", "listBooks", "200 BookPage"),
    ("one_class", "CL-REP-03", "listBooks", "200 and 202"),
    ("loses_error_body", "CL-REP-04", "addBook", "409 ShelfError"),
    ("error_as_value", "CL-REP-04", "addBook", "409 status"),
    ("foreign_status_error", "CL-REP-04", "addBook", "409 LookupError"),
    ("closed_objects", "CL-REP-05", "listBooks", "200 member of the body"),
    ("closed_words", "CL-REP-06", "addBook", "201 word of #/components/schemas/Book/properties/genre/enum"),
    ("unchecked_replies", "CL-BRK-01", "listBooks", "200 #/components/schemas/BookPage/required/0"),
    ("unchecked_replies", "CL-BRK-02", "listBooks", "202 #/components/schemas/SearchPending/properties/ticket/type"),
    ("unchecked_replies", "CL-BRK-08", "addBook", "201 #/components/schemas/Book/properties/title/maxLength"),
    ("text_for_json", "CL-BRK-03", "addBook", "201 not JSON"),
    ("takes_nan", "CL-BRK-03", "addBook", "201 not JSON: NaN"),
    ("replaces_bytes", "CL-BRK-03", "addBook", "201 not JSON: no UTF-8"),
    ("takes_first_json", "CL-BRK-03", "addBook", "201 not JSON: twice"),
    ("any_media_type", "CL-BRK-04", "addBook", "201 media type"),
    ("empty_is_none", "CL-BRK-05", "addBook", "201 empty"),
    ("leaks_json_error", "CL-BRK-06", "addBook", "201 cut"),
    ("any_status", "CL-BRK-07", "addBook", "299 status"),
    ("any_status", "CL-BRK-07", "addBook", "204 status"),
    ("takes_pages", "CL-BRK-04", "addBook", "201 media type"),
    ("partly", "CL-BRK-07", "addBook", "206 status"),
    ("forgets_status", "CL-BRK-07", "addBook", "520 status status is kept"),
    ("forgets_response", "CL-BRK-07", "addBook", "520 status response is kept"),
    ("repeats_5xx", "CL-NET-01", "addBook", "status 503"),
    ("repeats_504", "CL-NET-01", "addBook", "status 504"),
    ("repeats_unread", "CL-NET-09", "addBook", "a page"),
    ("repeats_unread", "CL-NET-09", "addBook", "status 299"),
    ("denies_doubt", "CL-NET-08", "addBook", "not JSON"),
    ("repeats_time_outs", "CL-NET-02", "addBook", "no answer"),
    ("repeats_resets", "CL-NET-03", "addBook", "reset"),
    ("storms", "CL-NET-04", "addBook", "count"),
    ("storms_for_ever", "CL-NET-04", "addBook", "count"),
    ("impatient", "CL-NET-05", "listBooks", "Retry-After"),
    ("impatient_when_down", "CL-NET-05", "listBooks", "Retry-After with 503"),
    ("caps_waits", "CL-NET-05", "listBooks", "Retry-After"),
    ("ignores_dates", "CL-NET-05", "listBooks", "Retry-After with a date"),
    ("follows_redirects", "CL-NET-06", "addBook", "status 307"),
    ("leaks_network_error", "CL-NET-07", "listBooks", "closed within the body"),
    ("key_in_error", "CL-SEC-01", "addBook", "ShelfError"),
    ("key_sent_back", "CL-SEC-01", "addBook", "ShelfError"),
    ("key_in_repr", "CL-SEC-02", "addBook", "repr"),
    ("most_of_key_in_repr", "CL-SEC-02", "addBook", "repr"),
    ("key_in_log", "CL-SEC-05", "addBook", "shelf logger"),
    ("warns_of_key", "CL-SEC-05", "addBook", "py.warnings logger"),
    ("prints_key", "CL-SEC-05", "addBook", "standard output"),
    ("logs_titles", "CL-SEC-08", "addBook", "shelf logger"),
    ("keeps_request", "CL-SEC-06", "addBook", "ShelfError"),
    ("key_in_frame", "CL-SEC-07", "addBook", "ShelfError"),
    ("denies_doubt", "CL-NET-08", "addBook", "status 503"),
    ("denies_doubt", "CL-NET-08", "addBook", "no answer"),
    ("sends_nan", "CL-REF-09", "addBook", "#/components/schemas/Book/properties/price"),
    ("calls_without_key", "CL-SEC-04", "addBook", "key"),
    ("copies_lose", "CL-OBJ-01", "addBook", "deepcopy Book"),
    ("copies_lose", "CL-OBJ-02", "addBook", "pickle Book"),
    ("never_equal", "CL-OBJ-03", "addBook", "equal Book"),
    ("derives_nothing", "CL-OBJ-04", "addBook", "evolve Book"),
    ("shares_json", "CL-OBJ-05", "addBook", "written Book"),
    ("shares_errors", "CL-OBJ-05", "addBook", "written Problem"),
    ("sends_half_letters", "CL-REF-11", "addBook", "#/components/schemas/Book/properties/title"),
    ("shares_results", "CL-OBJ-09", "addBook", "apart Book"),
    ("loses_refusals", "CL-BRK-11", "addBook", "404 breaks off"),
    ("trusts_redirects", "CL-REL-44", "addBook", "status 303"),
    ("reads_words_as_utf_8", "CL-REL-45", "addBook", "iso-8859-1"),
    ("repr_raises", "CL-OBJ-06", "addBook", "repr Book"),
    ("forgets_items", "CL-OBJ-07", "addBook", "items Book"),
    ("raw_cookies", "CL-REQ-10", "listBooks", "#/paths/~1books/get/parameters/6"),
    ("foreign_refusal", "CL-REF-10", "addBook", "#/components/schemas/Book/properties/title/type"),
    ("no_checks", "CL-REF-08", "getOpening", "#/paths/~1openings~1{day}/get/parameters/0/schema/format"),
    ("same_day", "CL-REP-07", "getOpening", f"200 {OPENING}"),
    ("rewrites_times", "CL-REP-08", "getOpening", "200 #/components/schemas/OpenDay/properties/opens"),
    ("leaks_recursion", "CL-BRK-09", "addBook", "201 deep"),
    ("leaks_recursion", "CL-BRK-09", "addBook", "409 deep"),
    ("key_everywhere", "CL-SEC-03", "getOpening", "key"),
    ("moved", "CL-CLI-01", "addBook", "servers"),
    ("writes_headers", "CL-CLI-02", "addBook", "headers"),
    ("riddles_when_closed", "CL-CLI-03", "addBook", "RuntimeError"),
    ("waits_for_ever", "CL-CLI-04", "addBook", "time-out"),
    ("stays_connected", "CL-CLI-05", "listBooks", "connections"),
    ("keeps_cookies", "CL-REL-01", "addBook", "header cookie"),
    ("keeps_headers", "CL-REL-01", "listBooks", "header x-trace"),
    ("other_error_async", "CL-REL-02", "addBook", "outcome 409"),
    ("one_key_for_all", "CL-REL-03", "addBook", "key"),
    ("mixes_calls", "CL-REL-04", "addBook", "own response"),
    ("takes_late_responses", "CL-REL-05", "addBook", "late"),
    ("swallows_cancellation", "CL-REL-26", "addBook", "cancelled"),
    ("logs_headers_back", "CL-SEC-09", "addBook", "httpcore.http11 logger"),
    ("follows_redirects", "CL-SEC-10", "listBooks", "key"),
    ("equal_but_for_new", "CL-OBJ-03", "addBook", "different Book"),
    ("errors_lose_status", "CL-OBJ-08", "addBook", "pickle ShelfError"),
    *(("takes_what_is_behind", "CL-REL-36", "addBook", about) for about in ("a length", "chunks", "an error")),
    ("fails_after_close", "CL-REL-06", "addBook", "closed"),
    ("repeats_on_old_connection", "CL-REL-07", "addBook", "count"),
    ("view_changes_client", "CL-REL-08", "addBook", "headers"),
    ("second_try_bare", "CL-REL-11", "addBook", "request"),
    ("first_wait_alone", "CL-REL-12", "addBook", "a second Retry-After"),
    ("has_no_limit", "CL-REL-34", "listBooks", "headers that trickle"),
    ("one_limit_for_all_tries", "CL-REL-35", "listBooks", "tries"),
    ("keeps_places", "CL-REL-30", "listBooks", "cancelled"),
    ("counts_tries_together", "CL-REL-29", "listBooks", "tries"),
    ("keeps_to_one_loop", "CL-REL-31", "addBook", "loops"),
    ("shares_with_forks", "CL-REL-32", "addBook", "connection"),
    ("repeats_after_observer", "CL-REL-48", "addBook", "observer: no connection"),
    ("mixes_raw", "CL-REL-33", "addBook", "headers"),
    ("shows_first_try", "CL-REL-46", "addBook", "try"),
    ("reads_half", "CL-REL-28", "addBook", "in chunks"),
    ("unpacks_half", "CL-REL-23", "addBook", "gzip much of the same"),
    ("takes_past_for_days", "CL-REL-27", "addBook", "Retry-After with a date a while ago"),
    ("impatient_in_crowds", "CL-REL-37", "listBooks", "crowd"),
    ("reads_any_size", "CL-REL-38", "listBooks", "a byte more"),
    ("view_adds_to_client", "CL-REL-39", "addBook", "query"),
    ("takes_halves", "CL-REL-40", "listBooks", "gzip without its end"),
    ("takes_one_member", "CL-REL-41", "listBooks", "members"),
    ("tags_alike", "CL-REL-42", "addBook", "tag"),
    ("tells_time_of_error", "CL-REL-43", "addBook", "no answer"),
    ("ignores_proxies", "CL-PRX-01", "listBooks", "proxy"),
    ("compares_endings", "CL-PRX-02", "listBooks", "NO_PROXY=service.invalid other-service.invalid"),
    ("shows_proxy", "CL-PRX-03", "listBooks", "password"),
    ("keeps_key_in_bodies", "CL-SEC-11", "addBook", "409 with the key"),
    ("denies_unsent", "CL-NET-02", "addBook", "a request that is not read"),
    ("denies_empty", "CL-NET-08", "addBook", "an empty success"),
    ("repeats_conflicts", "CL-REL-13", "addBook", "status 409"),
    ("tells_first_error", "CL-REL-14", "addBook", "response"),
    ("always_in_doubt", "CL-REL-15", "addBook", "status 409"),
    ("hurries", "CL-REL-16", "addBook", "a slow response"),
    ("breaks_promise", "CL-REL-17", "listBooks", "reset"),
    ("repeats_once_at_least", "CL-REL-18", "addBook", "status 429"),
    ("dawdles", "CL-REL-19", "addBook", "no answer"),
    ("doubles_slashes", "CL-REL-24", "addBook", "a slash at its end"),
    ("writes_agent_twice", "CL-REL-47", "addBook", "user-agent"),
    ("sends_view_headers_again", "CL-REL-47", "addBook", "x-shelf-key"),
    ("sends_key_twice", "CL-REL-49", "addBook", "x-shelf-key"),
    ("trims_headers", "CL-REL-25", "addBook", "X-Spaces"),
    ("old_host", "CL-REL-21", "addBook", "Host"),
    ("small_addresses", "CL-REL-22", "addBook", "a path"),
    ("asks_for_gzip", "CL-REL-23", "addBook", "gzip"),
    ("reads_one_line", "CL-CB-15", "", "bookLent in lines"),
    ("first_of_month", "CL-REQ-12", "getOpening", "date in day"),
    ("takes_first_part", "CL-CB-09", "", "bookLent parts"),
    ("remembers_late", "CL-CB-10", "", "bookLent at once"),
    ("reads_no_chunks", "CL-CB-11", "", "bookLent chunks"),
    ("gives_any_loan", "CL-CB-12", "", "bookLent other order"),
    ("keeps_last_loan", "CL-CB-13", "", "bookLent again"),
    ("loses_days", "CL-CB-01", "", "bookLent #/components/schemas/Loan/properties/days"),
    ("takes_any_loan", "CL-CB-02", "", "bookLent #/components/schemas/Loan/properties/title/type"),
    ("takes_any_loan", "CL-CB-02", "", "bookLent #/components/schemas/Loan/required/0 parser"),
    ("takes_unsigned", "CL-CB-03", "", "bookLent of another body"),
    ("takes_loan_of_nan", "CL-CB-02", "", "bookLent not JSON: NaN"),
    ("takes_loan_of_nan", "CL-CB-02", "", "bookLent not JSON: NaN parser"),
    ("takes_half_signed", "CL-CB-03", "", "bookLent cut"),
    ("looks_at_half", "CL-CB-03", "", "bookLent wrong at its end"),
    ("listens_anywhere", "CL-CB-03", "", "bookLent address"),
    ("tells_signature", "CL-CB-08", "", "bookLent wrong"),
    ("hands_on_twice", "CL-CB-04", "", "bookLent twice"),
    ("only_newer_loans", "CL-CB-05", "", "bookLent order"),
    ("closed_loans", "CL-CB-06", "", "bookLent member of the body"),
    ("forgets_failed_loans", "CL-CB-07", "", "bookLent failure"),
    ("module that cannot be imported", "CL-PKG-01", "", "shelf_parts.books"),
    ("module that Python warns of", "CL-PKG-02", "", "shelf_parts.words"),
    ("hint that cannot be resolved", "CL-PKG-03", "", "shelf_parts.books.BookData"),
]

DEFECTS_OF_RULES = dict.fromkeys(defect for defect, *_ in FOUND_BY)
# What these break is seen after seconds, or by rules that others of their kind break by day.
BY_NIGHT = (
    *("caps_waits", "dawdles", "denies_doubt", "first_wait_alone", "hurries", "impatient_when_down"),
    *("leaks_network_error", "other_error_async", "repeats_504", "repeats_conflicts", "repeats_resets"),
    *(
        "denies_empty",
        "denies_unsent",
        "has_no_limit",
        "keeps_places",
        "one_limit_for_all_tries",
        "takes_past_for_days",
    ),
    *("repeats_time_outs", "repeats_unread", "storms", "tells_first_error"),
)
SLOW = dict.fromkeys(BY_NIGHT, pytest.mark.nightly)

# No form of a request decides anything on the shelf, and no place of a loan is open for any value: our own client and
# its mutants `form.other` and `wait.falsy-output` are the subjects, as for events that no contract describes.
ON_OUR_OWN_CONTRACT = {"CL-BRK-10", "CL-CB-14", "CL-CB-16"}
# Nothing on the shelf goes on after its start or has pages; see test_runs.py. Of batches our own client is the subject.
ELSEWHERE = ON_OUR_OWN_CONTRACT | {rule.id for rule in client_rules() if rule.id[:6] in {"CL-RUN", "CL-LST", "CL-BAT"}}

# Changes of the package that the client brings: the module, what stands there, and what is to stand there instead.
EDITS = {
    "module that cannot be imported": ("books.py", "import Genre", "import Kind"),
    "module that Python warns of": ("words.py", 'r"', '"'),
    "hint that cannot be resolved": ("books.py", "from .words import Genre", "from .words import ISBN"),
}


def choice(name: str, folder: Path | None = None) -> Choice:
    """Choose the client with this defect; a package is changed in a copy in the folder."""
    if name not in EDITS or folder is None:
        return Choice(adapter=f"shelf_client:{name}")
    module, old, new = EDITS[name]
    copy = shutil.copytree(PACKAGE, folder / PACKAGE.name)
    text = (copy / module).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (copy / module).write_text(text.replace(old, new), encoding="utf-8")
    return Choice(adapter="shelf_client:Conforming", packages={PACKAGE.name: copy})


def test_a_conforming_client_keeps_every_rule() -> None:
    """Nothing is found in a client without defects, and each rule has judged it on some operation."""
    with judging(choice("Conforming"), SPEC) as judge:
        verdicts = judge.verdicts()

    assert [judged for judged in verdicts if judged.verdict in {Verdict.VIOLATION, Verdict.NOT_EXERCISED}] == []
    passed = {judged.rule.id for judged in verdicts if judged.verdict is Verdict.PASS}
    assert passed == {rule.id for rule in client_rules()} - ELSEWHERE


@pytest.mark.parametrize("defect", [pytest.param(one, marks=SLOW.get(one, ())) for one in DEFECTS_OF_RULES])
def test_a_defect_is_found(defect: str, tmp_path: Path) -> None:
    """The rules that are for a defect find it, and name the constraint."""
    expected = [(rule_id, operation, constraint) for name, rule_id, operation, constraint in FOUND_BY if name == defect]
    # Where no key belongs is seen beside an operation that has one.
    paths = {PATHS[operation] if rule_id != "CL-SEC-03" else "" for rule_id, operation, _ in expected}
    with judging(choice(defect, tmp_path), SPEC, path=paths.pop() if len(paths) == 1 else "") as judge:
        found = [
            (judged.rule.id, judged.operation, constraint)
            for rule_id, operation in dict.fromkeys((rule_id, operation) for rule_id, operation, _ in expected)
            for judged in judge.violations(rule_id, operation=operation)
            for constraint in judged.constraints
        ]

    assert [one for one in expected if one not in found] == []


def test_a_call_that_ends_the_process_is_held_against_no_other() -> None:
    """Calls are made at the same time: what was lost with another one is made again before it is judged."""
    with judging(choice("storms_for_ever"), SPEC, path="/books") as judge:
        found = judge.violations("CL-NET-03", "CL-NET-04", "CL-NET-07")

    assert {judged.rule.id for judged in found} == {"CL-NET-04"}


def test_every_defect_has_a_rule() -> None:
    """No defect of the client is without a rule that must find it, nor is any rule without a defect."""
    elsewhere = {"hangs", "dies", "lacks_add_book", "sync_only"}
    assert {defect for defect, *_ in FOUND_BY} | elsewhere == {*DEFECTS, *EDITS}
    assert {rule_id for _, rule_id, *_ in FOUND_BY} == {rule.id for rule in client_rules()} - ELSEWHERE


def test_a_finding_names_no_value_in_its_constraint_and_tells_how_to_see_it_again() -> None:
    """Another seed finds the same breaches under the same names, and a command repeats each of them."""
    with judging(choice("drops_nulls"), SPEC, seed=1) as judge:
        first = judge.violations("CL-REQ-08", operation="addBook")
    with judging(choice("drops_nulls"), SPEC, seed=2) as judge:
        second = judge.violations("CL-REQ-08", operation="addBook")

    assert [judged.constraints for judged in first] == [judged.constraints for judged in second]
    violation = first[0].found[0]
    assert violation.reproduce.startswith("python -m contract_tests --side client")
    assert violation.reproduce.endswith("-k CL-REQ-08 --seed 1")
    assert violation.documented == "NoneType None at /pages"
    assert "nothing at /pages" in violation.received


def test_a_key_that_the_client_was_not_given_is_not_its_secret() -> None:
    """An error that shows the reply shows the key of an operation that has one; an open operation has none to mask."""
    with judging(choice("key_sent_back"), SPEC) as judge:
        verdicts = judge.verdicts("CL-SEC-01", "CL-SEC-05", "CL-SEC-06", operation="getOpening")
        shown = judge.violations("CL-SEC-01", operation="addBook")

    assert {judged.verdict for judged in verdicts} == {Verdict.NOT_APPLICABLE}
    assert len(verdicts) == 3
    assert shown


def test_no_finding_shows_the_key() -> None:
    """The key of the run is in no text of any finding, whatever the client does with it."""
    with judging(choice("key_in_query"), SPEC) as judge:
        judged = judge.violations("CL-REQ-05", "CL-REQ-07", operation="addBook")
        found = [violation for one in judged for violation in one.found]
        key = judge.client.session.key

    assert found
    assert not [violation for violation in found if key in repr(violation)]


def test_a_client_that_lacks_an_operation_is_not_judged_by_what_it_cannot_do() -> None:
    """That no call can be written is one finding; rules about replies, refusals and faults stop there."""
    with judging(choice("lacks_add_book"), SPEC) as judge:
        verdicts = {judged.rule.id: judged.verdict for judged in judge.verdicts(operation="addBook")}

    assert verdicts.pop("CL-REQ-01") is Verdict.VIOLATION
    assert {verdict for rule_id, verdict in verdicts.items() if rule_id[3:6] in {"REF", "REP", "BRK"}} == {
        Verdict.NOT_EXERCISED
    }
    assert Verdict.VIOLATION not in verdicts.values()


def test_a_client_without_an_asynchronous_form_is_judged_by_the_other() -> None:
    """What is missing is one finding, and all other rules judge the calls that can be made."""
    with judging(choice("sync_only"), SPEC) as judge:
        found = judge.violations(operation="addBook")

    assert [(judged.rule.id, judged.constraints[-1]) for judged in found] == [("CL-REQ-01", "unwritable")]
