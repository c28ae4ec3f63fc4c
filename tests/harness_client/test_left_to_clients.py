"""What the sources leave to a client is not held against it: spellings of integers, and how statuses are told apart."""

import json
import logging
from pathlib import Path

import pytest
import yaml
from judging_clients import judging

from contract_tests.cases.boundary_values import is_ambiguous_integer, legal
from contract_tests.client.driver.secrets import LogWatch, places_of
from contract_tests.client.subject_process import Choice
from contract_tests.openapi.document import Contract
from contract_tests.rules import Verdict

SPEC = Path(__file__).with_name("shelf.yaml")
CONTRACT = Contract.load(SPEC)
BOOK = "#/components/schemas/Book"


@pytest.mark.parametrize("number", [1.0, -3.0, 1e300, -1e16])
def test_an_integer_with_a_fraction_or_an_exponent_is_disputed(number: float) -> None:
    """JSON Schema calls it an integer and OpenAPI 3.1.0 does not: it is no case, alone or inside of something."""
    assert is_ambiguous_integer(CONTRACT, f"{BOOK}/properties/pages", number)
    assert is_ambiguous_integer(CONTRACT, BOOK, {"title": "Emma", "authors": [{"name": "Jane"}], "pages": number})
    assert [value for value in legal(CONTRACT, f"{BOOK}/properties/pages") if isinstance(value, float)] == []


@pytest.mark.parametrize(("member", "value"), [("price", 1.0), ("price", 1e300), ("pages", 3), ("pages", None)])
def test_a_number_is_not_disputed(member: str, value: float | None) -> None:
    """Where any number is legal, and where an integer has no fraction, there is nothing to argue about."""
    assert not is_ambiguous_integer(CONTRACT, f"{BOOK}/properties/{member}", value)


@pytest.mark.parametrize(
    ("adapter", "verdict"), [("telling_client:Telling", Verdict.PASS), ("shelf_client:one_class", Verdict.VIOLATION)]
)
def test_statuses_are_told_apart_by_the_status_itself(adapter: str, verdict: Verdict) -> None:
    """One class for two statuses is a breach, unless the status is handed over beside it."""
    with judging(Choice(adapter=adapter), SPEC) as judge:
        assert [judged.verdict for judged in judge.verdicts("CL-REP-03", operation="listBooks")] == [verdict]


class _Request:
    def __init__(self, key: str) -> None:
        self.headers = {"X-API-Key": key.encode()}
        self._pool = key

    @property
    def unread(self) -> str:
        """Fail, as a property may."""
        raise RuntimeError("not read yet")


def test_the_key_is_found_in_what_hangs_on_an_error() -> None:
    """Attributes, containers and bytes are looked through, also in circles; what is private and the cause are not."""
    error, cause = LookupError("no book"), LookupError("secret-7")
    error.__cause__ = cause
    assert places_of("secret-7", error) == []

    error.request = _Request("secret-7")  # type: ignore[attr-defined] # that is what is tried
    error.request.around = [error]  # type: ignore[attr-defined]
    assert places_of("secret-7", error) == ["error.request.headers[...]"]


def test_the_key_is_found_in_the_log() -> None:
    """Text, arguments and additions of a record count, at any level and for loggers that hand nothing on."""
    quiet = logging.getLogger("contract_tests.quiet")
    quiet.propagate = False
    with LogWatch("secret-7") as watch:
        logging.getLogger("contract_tests.one").debug("sent %s", {"key": "secret-7"})
        logging.getLogger("contract_tests.two").info("sent", extra={"headers": ["secret-7"]})
        logging.getLogger("contract_tests.none").warning("sent %s", "public-8")
        quiet.info("secret-7")
    logging.getLogger("contract_tests.late").warning("secret-7")

    assert watch.told == ["contract_tests.one", "contract_tests.two", "contract_tests.quiet"]


@pytest.mark.parametrize(("operation", "status"), [("addBook", 409), ("removeBook", 429), ("removeBook", 503)])
def test_a_refusal_is_what_the_contract_says_of_it(operation: str, status: int) -> None:
    """A client that trusts the contract is not given a refusal that breaks it; a `default` describes any status."""
    with judging(Choice(adapter="shelf_client:Conforming"), SPEC) as judge:
        answer = judge.client.book.refusal(CONTRACT.operation(operation), status)

    assert (answer.status, answer.media_type) == (status, "application/json")
    assert CONTRACT.is_valid(json.loads(answer.body), "#/components/schemas/Problem")


def test_a_refusal_that_the_contract_does_not_know_says_little() -> None:
    """Nothing describes it: it is some JSON with the status."""
    with judging(Choice(adapter="shelf_client:Conforming"), SPEC) as judge:
        answer = judge.client.book.refusal(CONTRACT.operation("addBook"), 429)

    assert (answer.status, json.loads(answer.body)) == (429, {"message": "not now"})


def test_what_comes_before_a_response_is_none(tmp_path: Path) -> None:
    """A status of 1xx that a contract describes ends no exchange: nobody is answered by it alone."""
    document = yaml.safe_load(SPEC.read_text("utf-8"))
    document["paths"]["/books"]["post"]["responses"] |= {name: {"description": "Go on."} for name in ("100", "1XX")}
    path = tmp_path / "early.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    with judging(Choice(adapter="shelf_client:Conforming"), path) as judge:
        played = judge.client.book.legal_replies(Contract.load(path).operation("addBook"))

    assert {case.answer.status // 100 for case in played} >= {2, 4}
    assert all(case.answer.status >= 200 for case in played)
