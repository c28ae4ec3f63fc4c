"""Check that a strict type checker sees all of every public signature: `python scripts/check_signatures.py`.

Asks mypy --strict, and with --pyright pyright, what each public function and method is, and compares the parameters
with those that Python itself knows. Then lets it read calls that it must accept, and some that it must not. Exit status
1 if a checker sees less than there is.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workflow_runs
from workflow_runs.settings import Configured

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_GOOD = """
client = PromptLayer(api_key="k", timeout=3, retries=Retries(further_tries=1))
run: models.RunCreated | models.RunAccepted = client.run_workflow("a", input_variables={"b": [1]}, metadata={"c": "d"})
outcome: RunOutcome = client.wait(run, return_all_outputs=True, deadline=5)
started: RunCreated | RunAccepted = client.with_raw_response.run_workflow("a").parsed
raw: RawResponse[RunCreated | RunAccepted] = client.with_raw_response.run_workflow("a", metadata={"c": "d"})
brought = PromptLayer(http_client=httpx.Client()), AsyncPromptLayer(http_client=httpx.AsyncClient())
again: RunOutcome = client.with_options(timeout=1).with_run_tags().run_and_wait("a", workflow_label_name="production")
calls = Interactly(base_url="https://a")
whole: models.WorkflowRun = calls.execute_workflow("a", command="start")
turn: models.InteractiveRun = calls.execute_workflow("a", run_input={"command": "start"})
number: int = calls.with_raw_response.execute_workflow("a", run_input={}).parsed.turn_number
async def awaited(other: AsyncPromptLayer) -> RunOutcome:
    return await other.run_and_wait("a")
"""
_BAD = (
    'client.run_workflow("a", workflow_version_number="1")',
    'client.run_workflow("a", metadata={"b": 1})',
    'client.run_workflow("a", unknown=1)',
    "client.run_workflow(5)",
    'Interactly().execute_workflow("a").turn_number',
    'client.run_and_wait("a", unknown=1)',
    'client.wait("a")',
    "client.get_workflow_version_execution_results(5)",
    'PromptLayer(timeout="5")',
    "PromptLayer(http_client=httpx.AsyncClient())",
    "AsyncPromptLayer(http_client=httpx.Client())",
    'Interactly(base_url="https://a", http_client=httpx.AsyncClient())',
    "PromptLayer(unknown=1)",
    'client.with_raw_response.run_workflow("a", unknown=1)',
    "from workflow_runs import PromptLyer",
    "models.RunCreate",
    "Retries(5)",
    'client.with_options(unknown="a")',
)


def public_callables() -> Iterator[tuple[str, Any]]:
    """Every public function, class and method, by the expression that names it."""
    for name in workflow_runs.__all__:
        value = getattr(workflow_runs, name)
        if inspect.isfunction(value):
            yield name, value
        if inspect.isclass(value) and issubclass(value, Configured):
            yield f"{name}.__init__", value.__init__
        if inspect.isclass(value) and not issubclass(value, Exception):
            methods = inspect.getmembers(value, inspect.isfunction)
            yield from (
                (f"{name}.{method}", each)
                for method, each in methods
                if not method.startswith("_") and each.__module__.startswith("workflow_runs")
            )


def main(*options: str) -> int:
    """Ask each checker; exit status 1 if one sees less than there is."""
    checkers = {"mypy": _mypy} | ({"pyright": _pyright} if "--pyright" in options else {})
    named = dict(public_callables())
    source = "from workflow_runs import *\n" + "".join(f"reveal_type({name})\n" for name in named)
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        for checker, ask in checkers.items():
            program = Path(directory, "public.py")
            program.write_text(source, encoding="utf-8")
            revealed = [text for kind, _, text in ask(program) if kind == "revealed"]
            if len(revealed) != len(named):
                problems.append(f"{checker} has revealed {len(revealed)} of {len(named)}")
            for (name, value), shown in zip(named.items(), revealed, strict=False):
                problems += [f"{checker}: {name}: {wrong}" for wrong in _missing(value, shown)]
            problems += _calls(checker, ask, program)
            print(f"{checker}: {len(revealed)} signatures seen")
    print("\n".join(problems))
    return 1 if problems else 0


def _missing(value: Any, shown: str) -> list[str]:
    """What a checker's words about a callable lack."""
    if value.__name__ == "run_and_wait":
        return [] if "Keywords" in shown or "workflow_label_name" in shown else [f"no keywords in {shown}"]
    parameters = inspect.signature(value).parameters.values()
    names = [each.name for each in parameters if each.name != "self" and each.kind is not each.POSITIONAL_ONLY]
    missing = [f"no {name} in {shown}" for name in names if not re.search(rf"\b{name}\b", shown)]
    return missing + ([f"anything goes in {shown}"] if re.search(r"\*\*\w+: Any|\*args|Unknown", shown) else [])


def _calls(checker: str, ask: Any, program: Path) -> list[str]:
    good = "import httpx\nfrom workflow_runs import *\n" + _GOOD
    program.write_text(good, encoding="utf-8")
    problems = [f"{checker} refuses a good call: {text}" for kind, _, text in ask(program) if kind == "error"]
    program.write_text(good + "\n".join(_BAD) + "\n", encoding="utf-8")
    told = {line for kind, line, _ in ask(program) if kind == "error"}
    first = good.count("\n") + 1
    return problems + [f"{checker} accepts {bad}" for line, bad in enumerate(_BAD, first) if line not in told]


def _mypy(program: Path) -> list[tuple[str, int, str]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(program)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    found = re.findall(r"public\.py:(\d+): (note|error): (.*)", done.stdout)
    return [("revealed" if kind == "note" else kind, int(line), text) for line, kind, text in found]


def _pyright(program: Path) -> list[tuple[str, int, str]]:
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(_ROOT / "src"), str(_ROOT / "generated")],
                "include": [program.name], "reportWildcardImportFromLibrary": False}  # fmt: skip
    program.with_name("pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(program.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    kinds = {"information": "revealed", "error": "error"}
    return [
        (kinds.get(each["severity"], "other"), each["range"]["start"]["line"] + 1, each["message"])
        for each in json.loads(done.stdout)["generalDiagnostics"]
    ]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
