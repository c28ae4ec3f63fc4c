"""PromptLayer: what a run makes of its input."""

import json
from functools import partial
from typing import Any, Final

from contract_tests.rules import NotApplicable, NotExercised
from contract_tests.rules import rule as card
from contract_tests.server.models.exchange import Exchange
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import ServerUnderTest

PAGE: Final = "https://docs.promptlayer.com/reference/run-workflow"
RECORDED: Final = "promptlayer 1.5.16, recorded server replies of its test-suite"
MARKS: Final = ("first-of-two", "second-of-two")
rule: Final = partial(
    card, source=PAGE, basis="documented", operations=["runWorkflow"], side="server", service="promptlayer"
)


@rule(
    "PL-RUN-11-METADATA",
    "Null for metadata means the same as leaving it out.",
    says="The vendor's own library sends null and is answered 201.",
    source=RECORDED,
    basis="recorded",
)
def test_null_metadata_is_accepted(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    if not server.target.is_local:
        raise NotExercised("on a live target every run carries a tag in its metadata")
    scenarios.must_start()
    server.run(metadata=None).must_succeed(server.member("metadata"))


@rule("PL-RUN-12", "Metadata with a value that is no string is refused.", says="metadata maps strings to strings.")
def test_metadata_values_are_strings(server: ServerUnderTest) -> None:
    server.must_refuse(server.run(metadata={**server.metadata, "attempt": 1}))


@rule(
    "PL-RUN-14",
    "A run that lacks an input variable is started with a warning.",
    says="warning names missing input variables, so a run that lacks one is not an error.",
)
def test_missing_variable_is_warned_of(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    server.input_variables  # noqa: B018 - reading it is what demands that there are some
    scenarios.must_start()
    reply = scenarios.run_without_variables
    if reply.is_refused:
        raise NotApplicable("this server refuses a run that lacks an input variable")
    _must_warn(reply)


@rule(
    "PL-RUN-15",
    "A run with an unused input variable is started with a warning.",
    says="warning names missing or unused input variables.",
)
def test_unused_variable_is_warned_of(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    server.input_variables  # noqa: B018 - reading it is what demands that there are some
    scenarios.must_start()
    reply = server.run_with_unused_variable()
    if reply.is_refused:
        raise NotApplicable("this server refuses a run with an unused input variable")
    _must_warn(reply)


def _must_warn(reply: Exchange) -> None:
    reply.must_succeed()
    body = reply.json
    if not isinstance(body, dict):
        raise NotExercised("the reply is no object, of which another rule tells")
    warning = body.get("warning")
    if warning is not None and not isinstance(warning, str):
        raise NotExercised("the warning has another type, of which another rule tells")
    reply.expect(isinstance(warning, str), "member warning")


@rule(
    "PL-RUN-80",
    "The output of a run comes from its own input.",
    says="Runs have nothing to do with each other: what is in the input of one alone is not in the output of another.",
    basis="inferred",
)
def test_output_comes_from_own_input(server: ServerUnderTest, scenarios: ExecutionScenarios) -> None:
    texts = _texts(server)
    earlier = _text_of(scenarios.output_of(scenarios.must_start()))
    runs = [_run_marked(server, texts, mark) for mark in MARKS]
    outputs = [_text_of(scenarios.output_of(run)) for run in runs]
    repeats_input = any(text in earlier for text in texts.values())
    for run, output, other in zip(runs, outputs, reversed(MARKS), strict=True):
        run.expect(other not in output, "input_variables", f"another run's input is in its output: {other}")
        run.expect(
            not repeats_input or output != earlier, "input_variables", "its output repeats an earlier run's input"
        )
    if not any(mark in output for mark, output in zip(MARKS, outputs, strict=True)):
        raise NotExercised("the workflow's output does not show what it was given")


def _texts(server: ServerUnderTest) -> dict[str, str]:
    texts = {name: value for name, value in server.input_variables.items() if isinstance(value, str) and value}
    if not texts:
        raise NotExercised("the target's input_variables have no text in them")
    return texts


def _run_marked(server: ServerUnderTest, texts: dict[str, str], mark: str) -> Exchange:
    marked = {name: f"{text} {mark}" for name, text in texts.items()}
    return server.run(input_variables={**server.input_variables, **marked})


def _text_of(output: Any) -> str:
    return json.dumps(output, ensure_ascii=False)
