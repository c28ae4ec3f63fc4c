"""Broken data breaks what it is meant to break, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

from contract_tests.budget import Budget
from contract_tests.cases.case import request_problems
from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.generation import Generator
from contract_tests.cases.keeping import Kept
from contract_tests.openapi.document import Contract
from contract_tests.openapi.validation import Problem, sole_problem

CONTRACT = Contract.load(Path(__file__).with_name("shelf.yaml"))
BOOK_OF_CASES = CaseBook(CONTRACT, Generator(CONTRACT, random_seed=1, budget=Budget(cases=4)))
BOOK = "#/components/schemas/Book"


def test_every_constraint_of_a_schema_is_broken_alone() -> None:
    """Types, words, limits, patterns, requirements and exclusions are reached, also inside lists and maps."""
    broken = list(BOOK_OF_CASES.broken_requests(CONTRACT.operation("addBook")))

    assert all(sole_problem(CONTRACT.problems(case.body, BOOK)) == case.breach for case in broken if case.has_body)
    constraints = {case.breach.constraint.removeprefix("#/components/schemas/") for case in broken if case.breach}
    assert constraints >= {
        "Book/type",
        "Book/required/0",
        "Book/not",
        "Book/properties/title/type",
        "Book/properties/title/minLength",
        "Book/properties/title/maxLength",
        "Book/properties/pages/type",
        "Book/properties/pages/minimum",
        "Book/properties/genre/type",
        "Book/properties/genre/enum",
        "Book/properties/isbn/pattern",
        "Book/properties/draft/type",
        "Book/properties/notes/type",
        "Book/properties/notes/additionalProperties/type",
        "Book/properties/authors/type",
        "Book/properties/authors/uniqueItems",
        "Author/required/0",
        "Author/properties/name/type",
        "Author/properties/born/type",
    }


def test_every_broken_request_breaks_one_thing() -> None:
    """Parameters are broken only where no reading of the text on the wire is legal."""
    broken = list(BOOK_OF_CASES.broken_requests(CONTRACT.operation("removeBook")))

    assert [case for case in broken if sole_problem(request_problems(CONTRACT, case)) != case.breach] == []
    numbers = [case.path.get("number") for case in broken if case.breach and case.breach.at == "number"]
    assert numbers, "the integer can be broken"
    assert not [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    titles = [
        case.path["title"] for case in broken if case.breach and case.breach.at == "title" and "title" in case.path
    ]
    assert set(titles) == {""}, "everything else that stands in a path is a text"


def test_one_breach_is_told_from_several() -> None:
    """A value of the wrong type breaks the words of the same schema as well, which is one thing; two places are two."""
    wrong_type = [Problem("/a", "#/x/type", ""), Problem("/a", "#/x/enum", "")]
    elsewhere = [Problem("/a", "#/x/type", ""), Problem("/b", "#/y/type", "")]

    assert sole_problem(wrong_type) == wrong_type[0]
    assert sole_problem(elsewhere) is None
    assert sole_problem([]) is None
    assert [Problem("", constraint, "").keyword for constraint in ("#/x/required/0", "#/x/not")] == ["required", "not"]


def test_cases_are_taken_when_they_are_asked_for_and_once() -> None:
    """Two readers get the same cases, and nothing is drawn before somebody asks."""
    drawn: list[int] = []

    def draw() -> Iterator[int]:
        for number in range(3):
            drawn.append(number)
            yield number

    kept = Kept(draw())
    assert next(iter(kept)) == 0
    assert drawn == [0]
    assert (list(kept), list(kept), drawn) == ([0, 1, 2], [0, 1, 2], [0, 1, 2])
