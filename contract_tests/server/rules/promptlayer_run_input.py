"""PromptLayer: what a run makes of its input."""

import json
from typing import Any, Final

from contract_tests.rules import NotExercised, rule
from contract_tests.server.exchange import Exchange
from contract_tests.server.scenarios import ExecutionScenarios
from contract_tests.server.server import ServerUnderTest

MARKS: Final = ("first-of-two", "second-of-two")


@rule(
    "PL-RUN-80",
    "The output of a run comes from its own input.",
    says="Runs have nothing to do with each other: what is in the input of one alone is not in the output of another.",
    source="https://docs.promptlayer.com/reference/run-workflow",
    basis="inferred",
    operations=["runWorkflow"],
    side="server",
    service="promptlayer",
)
def test_output_comes_from_own_input(server: ServerUnderTest, lifecycle: ExecutionScenarios) -> None:
    """Of two runs at a time, each with its own word as input, none outputs the other's or repeats an earlier run."""
    texts = _texts(server)
    earlier = _text_of(lifecycle.output_of(lifecycle.must_start()))
    runs = [_run_marked(server, texts, mark) for mark in MARKS]
    outputs = [_text_of(lifecycle.output_of(run)) for run in runs]
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
