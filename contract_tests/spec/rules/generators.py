"""The contract and code generators."""

import ast
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contract_tests.cases.scratch import scratch_folder
from contract_tests.client.adapters.python_names import python_name
from contract_tests.openapi.document import Contract, Operation
from contract_tests.rules import (
    EVERY_OPERATION,
    Checks,
    NotApplicable,
    NotExercised,
    Violation,
    rule,
    shown,
)

GENERATOR = "openapi_python_client"
SECONDS = 100  # less than a row may take


@dataclass(frozen=True)
class Generated:
    """What a generator made: functions with their arguments by module path, and what it said last."""

    functions: dict[str, set[str]]
    said: str


@rule(
    "SPEC-13",
    "A generator makes something of every operation and every parameter.",
    says="openapi-python-client leaves out what it cannot read, with a warning at best. Its users then miss it.",
    source="https://github.com/openapi-generators/openapi-python-client",
    basis="inferred",
    operations=EVERY_OPERATION,
    side="spec",
)
def test_generator_drops_nothing(contract: Contract, operation: Operation) -> Checks:
    if importlib.util.find_spec(GENERATOR) is None:
        raise NotApplicable("openapi-python-client is not installed")
    made = _generated(contract)
    if made is None:
        raise NotExercised(f"the generator did not end within {SECONDS} s")
    return _lacking(made, operation)


def _lacking(made: Generated, operation: Operation) -> Iterator[Violation]:
    where = f"{python_name(operation.service or 'default')}/{_module(operation)}"
    arguments = made.functions.get(where)
    if arguments is None:
        yield Violation(f"no {where}.py: {shown(made.said)}", "operation")
        return
    if operation.body is not None and "body" not in arguments:
        yield Violation(f"no argument for the body: {shown(made.said)}", operation.body.pointer)
    for parameter in operation.parameters:
        name = python_name(parameter.name)
        if not arguments & {name, f"{name}_{parameter.location}"}:
            yield Violation(f"no argument for {parameter.name}: {shown(made.said)}", parameter.pointer)


def _module(operation: Operation) -> str:
    is_named = not operation.id.startswith(f"{operation.method} ")
    # Without an operationId the generator makes a name of method and path.
    return python_name(operation.id if is_named else f"{operation.method.lower()}{operation.path.replace('/', '_')}")


@cache
def _generated(contract: Contract) -> Generated | None:
    """Return what the generator makes of a contract; None if it does not end."""
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        package = Path(folder, "made")
        config = Path(folder, "config.json")
        config.write_text('{"post_hooks": []}', encoding="utf-8")
        # What was read within limits, and not the file once more in the generator's own way.
        same = Path(folder, "contract.json")
        same.write_text(json.dumps(contract.document), encoding="utf-8")
        command = [sys.executable, "-m", GENERATOR, "generate", "--meta", "none", "--path", str(same)]
        command += ["--config", str(config), "--output-path", str(package)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=folder)
        except subprocess.TimeoutExpired:
            return None
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        said = next((line for line in reversed(lines) if "Error" in line), "") or " ".join(
            line for line in lines if line and not line.startswith(("Generating", "If you believe"))
        )
        return Generated(dict(_functions(package / "api")), said or "it said nothing of it")


def _functions(api: Path) -> Iterator[tuple[str, set[str]]]:
    for module in sorted(api.rglob("*.py")):
        try:
            tree = ast.parse(module.read_text(encoding="utf-8"))
        except SyntaxError:
            yield f"{module.parent.name}/{module.stem}", set()
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == "sync_detailed":
                named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                yield f"{module.parent.name}/{module.stem}", {argument.arg for argument in named}
