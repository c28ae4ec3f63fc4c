"""Objects: what a caller can do with what a response became."""

from collections.abc import Callable, Iterator

from contract_tests.client.cards import operation_rule
from contract_tests.client.trials import Trials
from contract_tests.rules import Violation

COPY = "https://docs.python.org/3/library/copy.html"
MODEL = "https://docs.python.org/3/reference/datamodel.html#basic-customization"


def nothing_wrong(
    rule_id: str, title: str, *checks: str, says: str, source: str
) -> Callable[[Trials], Iterator[Violation]]:
    """Return a rule: these checks, which the driver makes of every object, find nothing."""

    @operation_rule(rule_id, title, says=says, source=source, basis="inferred")
    def check(trials: Trials) -> Iterator[Violation]:
        for trial, remark in trials.remarks():
            if remark["check"] in checks:
                about = remark["about"]
                yield trial.violation(f"{remark['check']} {about}", f"{about}: {remark['text']}")

    return check


test_copies = nothing_wrong(
    "CL-OBJ-01",
    "A copy of an object says what the object says.",
    *("copy", "copy equal", "deepcopy", "deepcopy equal"),
    says="copy and deepcopy return an object that is equal, and is the same JSON.",
    source=COPY,
)
test_pickles = nothing_wrong(
    "CL-OBJ-02",
    "An object survives pickling.",
    *("pickle", "pickle equal"),
    says="Objects go through queues, caches and processes: what comes out says what went in.",
    source="https://docs.python.org/3/library/pickle.html",
)
test_equality = nothing_wrong(
    "CL-OBJ-03",
    "Objects made of one response are equal.",
    *("equal", "different"),
    says="Two objects that say the same compare equal, and others do not: a caller sees a change by comparing, "
    "that of a property which the contract does not name as well.",
    source=MODEL,
)
test_evolution = nothing_wrong(
    "CL-OBJ-04",
    "An object that is derived from another keeps what was not changed.",
    "evolve",
    says="A changed copy of an object keeps everything that is not named in the change, unknown properties included.",
    source="https://www.attrs.org/en/stable/api.html#attrs.evolve",
)
test_no_shared_containers = nothing_wrong(
    "CL-OBJ-05",
    "A change of the JSON does not change the object.",
    *("written", "read"),
    says="What an object was read from and what it was written to are the caller's: to change them is no change of it.",
    source=COPY,
)
test_results_apart = nothing_wrong(
    "CL-OBJ-09",
    "What two calls give is not the same object.",
    "apart",
    says="A result is its caller's, who may change it: what another call was given, for the same response, stays.",
    source=COPY,
)
test_repr = nothing_wrong(
    "CL-OBJ-06",
    "An object can be shown.",
    "repr",
    says="An object can be shown in a log line or a debugger, whatever the response was.",
    source=MODEL,
)
test_items = nothing_wrong(
    "CL-OBJ-07",
    "A property that is set by item assignment is set.",
    *("items", "odd items"),
    says="An object that accepts item assignment sets its attribute, or refuses. It never ignores the value.",
    source="https://docs.python.org/3/reference/datamodel.html#emulating-container-types",
)


@operation_rule(
    "CL-OBJ-08",
    "A copy of an error says what the error says.",
    says="Errors go through queues and processes: copied or pickled, one has the same text, status and body.",
    source="https://docs.python.org/3/library/pickle.html",
    basis="inferred",
)
def test_copies_of_errors(trials: Trials) -> Iterator[Violation]:
    for trial in trials.terminations():
        type_name = getattr(trial.outcome, "type_name", "")
        for way in trial.told.get("doubled", ()):
            yield trial.violation(f"{way} {type_name}", f"{way} of {type_name} fails or differs: {trial.case.about}")
