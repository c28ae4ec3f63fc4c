"""
The vocabulary of rules: what a rule is, and how its check gives a verdict.

A rule is a pytest test in a chapter, a module of the folder ``rules/`` of its side. The chapter's title is the first
line of its module docstring, and what its rules share is stated once. A rule reads like a line of documentation::

    rule = partial(card, source=PAGE, operations=["runWorkflow"], side="server", service="promptlayer")

    @rule(
        "PL-RUN-06",
        "A run with a callback URL is answered 202.",
        says="With a callback URL the run is accepted at once with 202, and the outcome is posted later.",
        basis="documented",
    )
    def test_callback_is_answered_202(server: ServerUnderTest) -> None:
        server.run(callback_url=server.listener.new_url("runWorkflow")).must_be(202)

The function is named ``test_...`` and takes pytest fixtures. These are there on every side (see
``runner/pytest_plugin.py``):

``contract``
    The :class:`~contract_tests.openapi.document.Contract` under judgement.
``operation``
    The :class:`~contract_tests.openapi.document.Operation` of this row; not for rules about the whole document.
``options``
    What the command line said (:class:`~contract_tests.options.Options`).
``generator``
    Schema-valid and schema-breaking data for the contract (:class:`~contract_tests.cases.generation.Generator`).

A side adds its own fixtures in its ``conftest.py``. Fixtures fail with :class:`SetUpError` when the run itself cannot
be done (exit status 2).

A check gives its verdict like this: it yields or returns what each place in a trace comes to, a :class:`Violation` or
None. The first violation of each constraint is reported, and the rule passes if there is none; a rule that says what it
is ``otherwise`` is not exercised if there was no such place. Or a check raises :class:`Violation`. Either may raise
:class:`NotApplicable` or :class:`NotExercised`. Any other exception is an error of the harness: exit status 2.

A rule is judged once per operation, which makes one row of the report: ``operations`` lists names, or is
:data:`EVERY_OPERATION` (a property, which names none), or :data:`DOCUMENT` (one row, whose operation is ``""``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import wraps
from typing import Any, Final, TypeVar

from workflow_contract.printing import printable

Check = TypeVar("Check", bound=Callable[..., Any])
Checks = Iterable["Violation | None"]
"""What a check comes to at each place that it looks at: None where the rule holds."""

EVERY_OPERATION: Final = ("every operation",)
DOCUMENT: Final = ("",)
RULE_ATTRIBUTE: Final = "rule"


class Verdict(StrEnum):
    """What a rule says of one operation, from best to worst known."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    NOT_APPLICABLE = "not_applicable"
    NOT_EXERCISED = "not_exercised"
    KNOWN_DEVIATION = "known_deviation"
    VIOLATION = "violation"


class Basis(StrEnum):
    """Where a rule comes from; it decides whether a violation fails the run."""

    DOCUMENTED = "documented"
    RECORDED = "recorded"
    INFERRED = "inferred"


class Side(StrEnum):
    """Who is judged."""

    SPEC = "spec"
    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """
    One requirement with its source.

    Attributes:
        id: Stable and unique, letters, digits and dashes, such as ``PL-RUN-10``.
        title: The requirement in one line.
        says: Our own words for what the source says.
        source: Where it says so, a URL or the name of a recording or specification.
        basis: Whether the source documents it, shows it in a recording, or lets us infer it.
        operations: Names of operations, :data:`EVERY_OPERATION` or :data:`DOCUMENT`.
        side: Who is judged.
        service: The service whose operations it is about; empty for any.
        is_about_success: Whether it states how the ordinary request is answered. If that is answered with a wrong
            status, every response with this status is the same breach, a crash too.
        requests: About how many are sent for it and the other rules of its chapter together, of a property for each
            operation; 0 where that is not told.
    """

    id: str
    title: str
    says: str
    source: str
    basis: Basis
    operations: tuple[str, ...]
    side: Side
    service: str = ""
    is_about_success: bool = False
    requests: int = 0

    @property
    def specificity(self) -> int:
        """How much it says of how little: of rules that find the same, the most specific one reports it."""
        if self.side is not Side.SERVER:
            return 0  # there no two rules see the same
        if not self.is_property:
            return 2
        return int(self.basis is not Basis.INFERRED)

    @property
    def is_property(self) -> bool:
        """Whether it holds for every operation and names none."""
        return self.operations == EVERY_OPERATION

    def documented_at(self, place: str) -> "Rule":
        """Return the same rule for a subject whose own documentation states it, with the place where it does."""
        return replace(self, basis=Basis.DOCUMENTED, source=place)

    def fails(self, verdict: Verdict, *, strict: bool) -> bool:
        """Whether this verdict counts for exit status 1: an inferred rule does only under ``--strict``."""
        return verdict is Verdict.VIOLATION and (strict or self.basis is not Basis.INFERRED)

    def identity(self, operation: str, constraint: str) -> str:
        """Name a violation so that tomorrow's run gives the same breach the same name."""
        return " ".join(part for part in (self.id, operation, constraint) if part)


def rule(
    id: str,  # noqa: A002 - the word that the reports use
    title: str,
    *,
    says: str,
    source: str,
    basis: str,
    operations: Sequence[str],
    side: str,
    service: str = "",
    is_about_success: bool = False,
    requests: int = 0,
    otherwise: str = "",
) -> Callable[[Check], Check]:
    """Make a pytest test a rule; ``otherwise`` is why it is not exercised if its check looks at nothing."""
    made = Rule(
        id=id,
        title=title,
        says=says,
        source=source,
        basis=Basis(basis),
        operations=tuple(operations),
        side=Side(side),
        service=service,
        is_about_success=is_about_success,
        requests=requests,
    )

    def attach(check: Check) -> Check:
        judging: Any = _reporting(check, otherwise)
        setattr(judging, RULE_ATTRIBUTE, made)
        attached: Check = judging
        return attached

    return attach


def _reporting(check: Callable[..., Iterable["Violation | None"] | None], otherwise: str) -> Callable[..., None]:
    @wraps(check)
    def judge(*given: Any, **named: Any) -> None:
        checks = check(*given, **named)
        found = None if checks is None else list(checks)
        report_all(one for one in found or () if one is not None)
        if otherwise and found == []:
            raise NotExercised(otherwise)

    return judge


def rule_of(check: object) -> Rule | None:
    """Return the rule that a test function carries, if any."""
    found = getattr(check, RULE_ATTRIBUTE, None)
    return found if isinstance(found, Rule) else None


class SetUpError(Exception):
    """The run itself cannot be done; its text is the one line that the user sees, and the exit status is 2."""


class Wrong(StrEnum):
    """What of a response may be wrong as a whole."""

    STATUS = "status"
    MEDIA_TYPE = "media type"
    BODY = "body"


@dataclass(frozen=True)
class Evidence:
    """
    What a violation was seen in; by this one breach is known that two rules have found.

    Attributes:
        exchange: The number of the request.
        status: Of the response.
        wrong: What of the response is wrong as a whole; None if it is a part of it.
        tried: Of a request that had to be carried out: the parts that were tried by it, as pointers into the contract.
    """

    exchange: int
    status: int
    wrong: Wrong | None = None
    tried: tuple[str, ...] = ()


@dataclass
class Violation(Exception):
    """
    The subject does not keep the rule.

    Attributes:
        received: What was seen instead. Bounded with :func:`shown` by whoever raises it.
        constraint: Which part of the rule was broken, without values: ``status``, ``member success``, or the JSON
            pointer of the schema keyword. Part of the violation's identity.
        documented: What should have been seen; by default what the rule says.
        reproduce: A command that shows it again, usually curl. Secrets stand in it as environment variables.
        found_after: How much had been tried when it was seen: cases on the client side. On the server side, where
            requests to the target are counted, it may be left out; then all that were sent until the verdict count.
        evidence: What it was seen in, on the server side.
    """

    received: str
    constraint: str = ""
    documented: str = ""
    reproduce: str = ""
    found_after: int | None = None
    evidence: Evidence | None = None

    def __str__(self) -> str:
        return self.received


@dataclass
class Violations(Exception):
    """Several violations of one rule on one operation."""

    found: list[Violation] = field(default_factory=list)  # the first of each constraint
    all: list[Violation] = field(default_factory=list)  # all of them, if there are more

    def __str__(self) -> str:
        return "; ".join(map(str, self.found))


class NotApplicable(Exception):
    """The rule does not concern this subject; the text says why."""


class NotExercised(Exception):
    """The rule could not be tried here; the text says why."""


class Unanswered(NotExercised):
    """No complete response came, which has a rule of its own; no other rule can say anything then."""


class Undecodable(Unanswered):
    """A whole response came, but its body is not what its Content-Encoding says."""


def expect(holds: bool, constraint: str, *, received: str, documented: str = "", reproduce: str = "") -> None:  # noqa: FBT001
    """Say in a check what has to hold; raises Violation if it does not hold."""
    if not holds:
        raise Violation(received=received, constraint=constraint, documented=documented, reproduce=reproduce)


def report_all(found: Iterable[Violation]) -> None:
    """Report what a check has found that looks at many cases; raises Violations if anything was found."""
    all_found = list(found)
    if all_found:
        raise Violations(first_of_each(all_found), all_found)


def first_of_each(found: Iterable[Violation]) -> list[Violation]:
    """Return the first violation of each constraint, in the order of the constraints."""
    distinct: dict[str, Violation] = {}
    for violation in found:
        distinct.setdefault(violation.constraint, violation)
    return [distinct[constraint] for constraint in sorted(distinct)]


def shown(value: Any, limit: int = 300) -> str:
    """Show a value or a text that came from outside, on one line and bounded to ``limit`` characters."""
    text = value if isinstance(value, str) else repr(value)
    text = printable(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"
