"""The package: what can be seen of a client before any call."""

from collections.abc import Callable, Iterator

from contract_tests.client.cards import client_rule
from contract_tests.client.trials import ClientTrials
from contract_tests.rules import Violation


def nothing_wrong(
    rule_id: str, title: str, kind: str, *, says: str, source: str, basis: str
) -> Callable[[ClientTrials], Iterator[Violation]]:
    """Return a rule: a check that the driver makes of every module of the client's packages finds nothing."""

    @client_rule(rule_id, title, says=says, source=source, basis=basis)
    def check(client: ClientTrials) -> Iterator[Violation]:
        for remark in client.module_remarks():
            if remark["check"] == kind:
                yield Violation(f"{remark['about']}: {remark['text']}", remark["about"])

    return check


test_modules_can_be_imported = nothing_wrong(
    "CL-PKG-01",
    "Every module can be imported.",
    "import",
    says="A module that cannot be imported is an operation or a model that is not there.",
    source="https://docs.python.org/3/reference/import.html",
    basis="documented",
)
test_modules_are_compiled_without_warnings = nothing_wrong(
    "CL-PKG-02",
    "Every module is compiled without a warning.",
    "warning",
    says="What Python warns of today is an error in a later version.",
    source="https://docs.python.org/3/library/exceptions.html#SyntaxWarning",
    basis="inferred",
)
test_hints_can_be_resolved = nothing_wrong(
    "CL-PKG-03",
    "The type hints of every class of data can be resolved.",
    "hints",
    says="Converters and validators ask for hints at run time: names in them have to be there then.",
    source="https://docs.python.org/3/library/typing.html#typing.get_type_hints",
    basis="inferred",
)
