"""Objects: what a caller can do with what a reply became."""

from collections.abc import Iterator

from contract_tests.client.findings import Findings
from contract_tests.client.trials import Trials
from contract_tests.openapi.document import Operation
from contract_tests.rules import EVERY_OPERATION, Violation, rule

COPY = "https://docs.python.org/3/library/copy.html"
MODEL = "https://docs.python.org/3/reference/datamodel.html#basic-customization"


def judge(trials: Trials, operation: Operation, findings: Findings, *checks: str) -> Iterator[Violation]:
    """Demand that nothing of these kinds is wrong with any object."""
    for remark in trials.remarks(operation):
        if remark.check in checks:
            yield findings.of(f"{remark.check} {remark.about}", f"{remark.about}: {remark.text}", number=remark.number)


@rule(
    "CL-OBJ-01",
    "A copy of an object says what the object says.",
    says="copy and deepcopy return an object that is equal, and is the same JSON.",
    source=COPY,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_copies(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """Nothing is lost in a copy, and nothing is in it that was not there."""
    yield from judge(trials, operation, findings, "copy", "copy equal", "deepcopy", "deepcopy equal")


@rule(
    "CL-OBJ-02",
    "An object survives pickling.",
    says="Objects go through queues, caches and processes: what comes out says what went in.",
    source="https://docs.python.org/3/library/pickle.html",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_pickles(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A pickled object comes back equal, and is the same JSON."""
    yield from judge(trials, operation, findings, "pickle", "pickle equal")


@rule(
    "CL-OBJ-03",
    "Objects made of one response are equal.",
    says="Two objects that say the same compare equal, so that a caller can see a change by comparing.",
    source=MODEL,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_equality(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """What two calls with one reply gave is equal."""
    yield from judge(trials, operation, findings, "equal")


@rule(
    "CL-OBJ-04",
    "An object that is derived from another keeps what was not changed.",
    says="A changed copy of an object keeps everything that is not named in the change, unknown properties included.",
    source="https://www.attrs.org/en/stable/api.html#attrs.evolve",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_evolution(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """An object that was derived without any change is the same JSON."""
    yield from judge(trials, operation, findings, "evolve")


@rule(
    "CL-OBJ-05",
    "A change of the JSON does not change the object.",
    says="What an object was read from and what it was written to are the caller's: to change them is no change of it.",
    source="https://docs.python.org/3/library/copy.html",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_no_shared_containers(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No list and no dict of an object is one of the JSON's."""
    yield from judge(trials, operation, findings, "written", "read")


@rule(
    "CL-OBJ-06",
    "An object can be shown.",
    says="An object can be shown in a log line or a debugger, whatever the response was.",
    source=MODEL,
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_repr(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """No repr raises anything."""
    yield from judge(trials, operation, findings, "repr")


@rule(
    "CL-OBJ-07",
    "A property that is set by item assignment is set.",
    says="An object that accepts item assignment sets its attribute, or refuses. It never ignores the value.",
    source="https://docs.python.org/3/reference/datamodel.html#emulating-container-types",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="client",
)
def test_items(trials: Trials, operation: Operation, findings: Findings) -> Iterator[Violation]:
    """A member that was set by its name is in the object and in its JSON."""
    yield from judge(trials, operation, findings, "items", "odd items")
