"""The package: what can be seen of a client before any call."""

from collections.abc import Iterator

from contract_tests.client.findings import Findings
from contract_tests.client.trials import Trials
from contract_tests.rules import DOCUMENT, NotApplicable, Violation, rule

IMPORT = "https://docs.python.org/3/reference/import.html"


def judge(trials: Trials, findings: Findings, check: str) -> Iterator[Violation]:
    """Demand that nothing of a kind is wrong with any module."""
    remarks = trials.module_remarks()
    if remarks is None:
        raise NotApplicable("the adapter names no package to look at")
    for remark in remarks:
        if remark["check"] == check:
            yield findings.of(remark["about"], f"{remark['about']}: {remark['text']}")


@rule(
    "CL-PKG-01",
    "Every module can be imported.",
    says="A module that cannot be imported is an operation or a model that is not there.",
    source=IMPORT,
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_modules_can_be_imported(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """No module of the client's packages raises anything when it is imported."""
    yield from judge(trials, findings, "import")


@rule(
    "CL-PKG-02",
    "Every module is compiled without a warning.",
    says="What Python warns of today is an error in a later version.",
    source="https://docs.python.org/3/library/exceptions.html#SyntaxWarning",
    basis="inferred",
    operations=DOCUMENT,
    side="client",
)
def test_modules_are_compiled_without_warnings(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """No module of the client's packages makes the compiler warn."""
    yield from judge(trials, findings, "warning")


@rule(
    "CL-PKG-03",
    "The type hints of every class of data can be resolved.",
    says="Converters and validators ask for hints at run time: names in them have to be there then.",
    source="https://docs.python.org/3/library/typing.html#typing.get_type_hints",
    basis="inferred",
    operations=DOCUMENT,
    side="client",
)
def test_hints_can_be_resolved(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """typing.get_type_hints works for each class that holds data."""
    yield from judge(trials, findings, "hints")
