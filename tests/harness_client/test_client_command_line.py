"""``python -m contract_tests --side client``: our client keeps every rule, and what is broken in a copy is found."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import workflow_runs
import workflow_runs_api
from support.contract import option_for

ROOT = Path(__file__).resolve().parents[2]
OWN_CLIENT = Path(workflow_runs.__file__).parent
OWN_GENERATED = Path(workflow_runs_api.__file__).parent
PROMPTLAYER = {"runWorkflow", "getWorkflowVersionExecutionResults"}
CONFIG = "package_name_override: stock_api\nliteral_enums: true\n"


@dataclass(frozen=True)
class Run:
    """What a run came to."""

    status: int
    rows: list[dict[str, Any]]
    errors: str

    @property
    def broken(self) -> set[tuple[str, str]]:
        """Rule and operation of each violation."""
        return {(row["id"], row["operation"]) for row in self.rows if row["verdict"] == "violation"}

    def received(self, rule_id: str, operation: str) -> str:
        """What a row has seen."""
        (found,) = (row["received"] for row in self.rows if (row["id"], row["operation"]) == (rule_id, operation))
        return str(found)


def run(folder: Path, *arguments: str) -> Run:
    """Call the harness as a user does, from a folder of the user's."""
    report = folder / "report"
    command = [sys.executable, "-m", "contract_tests", "--side", "client", "--seed", "1", "--report-dir", str(report)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    results = (
        json.loads((report / "results.json").read_text()) if (report / "results.json").exists() else {"results": []}
    )
    return Run(done.returncode, results["results"], done.stderr)


def replace(file: Path, old: str, new: str) -> None:
    """Change a file by hand; what is to be changed stands there once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} holds {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def stock(few: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the generator writes for a part of our contract without templates of ours."""
    pytest.importorskip("openapi_python_client", reason="not run: openapi-python-client is not installed")
    folder = tmp_path_factory.mktemp("stock")
    (folder / "config.yml").write_text(CONFIG)
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", few[1]]
    options = ["--meta", "none", "--config", "config.yml", "--output-path", str(folder / "stock_api")]
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    subprocess.run([*command, *options], cwd=folder, env=environment, check=True, capture_output=True)
    return folder / "stock_api"


@pytest.mark.nightly  # beside `python -m contract_tests`, which judges it too
def test_our_client_keeps_every_rule(tmp_path: Path) -> None:
    """No rule finds anything in the installed client, synchronous and asynchronous."""
    done = run(tmp_path)

    assert (done.status, done.broken) == (0, set())
    assert {row["verdict"] for row in done.rows} == {"pass", "not_applicable"}


@pytest.mark.nightly
def test_a_wire_name_and_a_status_branch_changed_by_hand_are_found(tmp_path: Path) -> None:
    """A copy of our generated package is judged in the place of the installed one."""
    copy = tmp_path / "changed"
    shutil.copytree(OWN_GENERATED, copy)
    module = copy / "api" / "promptlayer" / "run_workflow.py"
    replace(module, '"callback_url": callback_url', '"callbackUrl": callback_url')
    replace(module, "reply.status == 202", "reply.status == 203")

    done = run(tmp_path, "--generated", str(copy), "-k", "CL-RE[QP]-0[18]")

    assert done.status == 1
    assert done.broken == {("CL-REQ-08", "runWorkflow"), ("CL-REP-01", "runWorkflow")}
    assert "callback_url" in done.received("CL-REQ-08", "runWorkflow")
    assert "status 202" in done.received("CL-REP-01", "runWorkflow")


@pytest.fixture
def runs_alone(tmp_path: Path) -> tuple[str, str]:
    """Return the option for the two operations whose requests and responses stock output gets right."""
    return option_for(tmp_path, "/workflows/{workflow_name}/run", "/workflow-version-execution-results")


@pytest.mark.slow
def test_the_same_changes_are_found_in_stock_output(stock: Path, runs_alone: tuple[str, str], tmp_path: Path) -> None:
    """A stock package is driven by its own functions; nothing is found that was not changed."""
    copy = tmp_path / "changed" / "stock_api"
    shutil.copytree(stock, copy)
    replace(copy / "models" / "run_workflow.py", 'field_dict["callback_url"]', 'field_dict["callbackUrl"]')
    replace(
        copy / "api" / "promptlayer" / "run_workflow.py", "response.status_code == 202", "response.status_code == 203"
    )

    done = run(tmp_path, *runs_alone, "--generated", str(copy.parent), "-k", "CL-RE[QP]-0[18]")

    assert done.broken == {("CL-REQ-08", "runWorkflow"), ("CL-REP-01", "runWorkflow")}
    assert "UnexpectedStatus" in done.received("CL-REP-01", "runWorkflow")


@pytest.mark.nightly
def test_known_defects_of_stock_output_are_found(stock: Path, few: tuple[str, str], tmp_path: Path) -> None:
    """What the generator's own templates get wrong for this contract is reported, and what they get right is not."""
    done = run(tmp_path, *few, "--generated", str(stock), "--strict")

    rules = {rule for rule, _ in done.broken}
    rules_of_runs = {rule for rule, operation in done.broken if operation in PROMPTLAYER}
    assert done.status == 1
    assert rules >= {
        "CL-REQ-04",  # a step in a path leads elsewhere
        "CL-REQ-09",  # defaults are sent
        "CL-REF-01",  # no constraint is checked
        "CL-REP-06",  # an unknown word raises TypeError
        "CL-BRK-01",  # a missing member raises KeyError
        "CL-BRK-02",  # a wrong type is accepted
        "CL-BRK-03",  # a page raises JSONDecodeError
        "CL-BRK-07",  # status 520 raises ValueError
        "CL-NET-07",  # httpx's exceptions come through
        "CL-SEC-02",  # the key is in the repr
    }
    assert not rules_of_runs & {"CL-REQ-01", "CL-REQ-02", "CL-REQ-03", "CL-REQ-05", "CL-REQ-07", "CL-REQ-08"}
    assert not rules_of_runs & {
        "CL-REP-01",
        "CL-REP-04",
        "CL-REP-05",
        "CL-NET-01",
        "CL-NET-02",
        "CL-NET-03",
        "CL-SEC-01",
    }


@pytest.mark.nightly
def test_a_changed_copy_of_the_client_is_judged(tmp_path: Path) -> None:
    """An extra try after a 5xx, planted in a copy of workflow_runs, is found for what may start a run."""
    copy = tmp_path / "workflow_runs"
    shutil.copytree(OWN_CLIENT, copy)
    replace(copy / "retries.py", "(repeatable or allowed_503)", "True")

    done = run(tmp_path, "--client", str(copy), "-k", "CL-NET-0[123]")

    acting = {"runWorkflow", "executeWorkflow", "createWorkflow", "patchWorkflow"}
    assert done.broken == {("CL-NET-01", operation) for operation in acting}
    assert "3 requests, POST" in done.received("CL-NET-01", "runWorkflow")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_package_that_cannot_be_loaded_could_not_be_judged(tmp_path: Path, source: str, words: str) -> None:
    """That is exit status 2 with one line, not a violation."""
    copy = tmp_path / "changed"
    shutil.copytree(OWN_GENERATED, copy)
    (copy / "__init__.py").write_text(source)

    done = run(tmp_path, "--generated", str(copy), "-k", "CL-REQ-01")

    assert done.status == 2
    assert words in done.errors
    assert len(done.errors.strip().splitlines()) == 1


def test_anybodys_client_is_judged_against_anybodys_contract(tmp_path: Path) -> None:
    """--spec and --adapter are enough for a client that has no generated package."""
    folder = Path(__file__).parent
    arguments = ["--spec", str(folder / "shelf.yaml"), "--adapter", "shelf_client:drops_nulls", "-k", "CL-REQ-0[38]"]
    done = run(tmp_path, *arguments)

    assert done.broken == {("CL-REQ-08", "addBook")}


def test_a_contract_without_meaning_is_judged_by_nobody(tmp_path: Path) -> None:
    """A schema that leads back to itself is exit status 2 with one line that names it, whatever the client."""
    text = (Path(__file__).parent / "shelf.yaml").read_text(encoding="utf-8")
    loop = '    Loop: {anyOf: [{$ref: "#/components/schemas/Loop"}, {type: string}]}\n'
    (tmp_path / "round.yaml").write_text(text + loop, encoding="utf-8")
    done = run(tmp_path, "--spec", "round.yaml", "--adapter", "shelf_client:Conforming", "-k", "CL-REQ-01")

    assert done.status == 2
    assert "round.yaml: #/components/schemas/Loop leads back to itself" in done.errors
    assert len(done.errors.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("adapter", "status", "basis"),
    [("shelf_client:key_in_repr", 0, "inferred"), ("promising_client:Promising", 1, "documented")],
)
def test_what_a_client_documents_itself_fails_the_run(adapter: str, status: int, basis: str, tmp_path: Path) -> None:
    """A rule that is inferred of others is documented of a client whose adapter names the place that states it."""
    spec = str(Path(__file__).parent / "shelf.yaml")
    done = run(tmp_path, "--spec", spec, "--adapter", adapter, "-k", "CL-SEC-02")
    found = {(row["id"], row["basis"], row["fails"]) for row in done.rows if row["verdict"] == "violation"}

    assert (done.status, found) == (status, {("CL-SEC-02", basis, bool(status))})


def test_a_promise_of_no_rule_is_a_mistake_of_the_adapter(tmp_path: Path) -> None:
    """It could not be judged: exit status 2, and one line that names the id."""
    spec = str(Path(__file__).parent / "shelf.yaml")
    done = run(tmp_path, "--spec", spec, "--adapter", "promising_client:Mistaken", "-k", "CL-SEC-02")

    assert done.status == 2
    assert "promising_client:Mistaken: no rule for clients is CL-SEC-99" in done.errors
