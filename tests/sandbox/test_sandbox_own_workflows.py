"""A user's own workflows, from a file or a mapping, with the outputs that a test wants; what is wrong is named."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_calls import finished, interactly_client, promptlayer_client

from workflow_sandbox import InProcessSandbox, Prompt, Sandbox
from workflow_sandbox.server import SandboxFailed
from workflow_sandbox.store import Store
from workflow_sandbox.workflow_files import WrongWorkflows, keep, read, understood

_PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"

_TOML = """
[workflows.summarize]
required_input_variables = ["document"]
returns = "A summary."

[workflows.nothing]
returns_json = "null"

[workflows."billing/refund"]
fails = "no credit"

[[workflows.support.versions]]
release_labels = ["production"]
required_input_variables = { message = "string" }
nodes = [
    { name = "Kind", prompt = "Which kind? {message}", dependencies = ["message"] },
    { name = "Refund", prompt = "Refund for {{ message }}", dependencies = ["Kind", "message"], is_output_node = true },
    { name = "Other", returns = { forwarded = true }, sleeps = 0.01, dependencies = ["Kind"], is_output_node = true },
]

[[workflows.support.versions.edges]]
source_node_name = "Kind"
target_node_name = "Refund"
is_and = true
conditionals = [{ position = 0, operator = "=", left_config = { source = "Kind" }, right_config = "refund" }]

[[workflows.support.versions.edges]]
source_node_name = "Kind"
target_node_name = "Other"
is_and = true
conditionals = [{ position = 0, operator = "!=", left_config = { source = "Kind" }, right_config = "refund" }]

[[workflows.support.versions]]
returns = 2

[[cases]]
workflow = "support"
node = "Kind"
prompt_contains = "money back"
returns = "refund"

[[cases]]
prompt = "Which kind? nonsense"
fails = "not understood"

[interactly.5eb7cf5a86d9755df3a6c594]
active = 1
versions = [
    { greeting = "Hello {{name}}", reply = "You said" },
    { name = "Shorter", greeting = "Hi {{name}}", reply = "So" },
]
"""

_YAML = """
workflows:
  summarize:
    returns: no
  nothing:
    returns: null
  support:
    nodes:
      - {name: Draft, prompt: "{topic}", dependencies: [topic]}
cases:
  - {node: Draft, returns: [1, null]}
"""


def _output(client: httpx.Client, workflow: str, **body: Any) -> httpx.Response:
    started = client.post(f"/workflows/{workflow}/run", json=body)
    assert started.status_code == 201, started.text
    return finished(client, started.json()["workflow_version_execution_id"])


def _support(client: httpx.Client, message: str) -> Any:
    body = {"workflow_label_name": "production", "input_variables": {"message": message}}
    return _output(client, "support", **body).json()


def test_a_file_of_toml_has_workflows_by_name_with_their_outputs(tmp_path: Path) -> None:
    """Outputs, failures, versions, labels, branches, cases and dialogues, from the command line's option."""
    file = tmp_path / "mine.toml"
    file.write_text(_TOML, encoding="utf-8")
    with Sandbox(workflows=file, run_seconds=0) as sandbox, promptlayer_client(sandbox) as client:
        assert _output(client, "summarize").json() == "A summary."
        assert _output(client, "nothing").json() is None
        assert "no credit" in _output(client, "billing%2Frefund").json()["output"]["Output"]["error_message"]
        assert _output(client, "support").json() == 2
        assert _support(client, "I want my money back") == "Refund for I want my money back"
        assert _support(client, "hello") == {"forwarded": True}
        assert "not understood" in _support(client, "nonsense")["output"]["Kind"]["error_message"]
        warned = client.post("/workflows/summarize/run", json={}).json()["warning"]
        assert sandbox.stop() == 0
        sandbox.start()
        assert client.get("/workflows/support").json()["version"] == 2
        with interactly_client(sandbox) as interactly:
            path = "/v1/workflows/5eb7cf5a86d9755df3a6c594/execute"
            run = interactly.post(path, json={"dynamic_variables": {"name": "Ada"}}).json()

    assert "document" in warned
    assert (run["version_name"], run["input_output_pairs"][0]["run_output"]["events"][-1]["text"]) == (
        "Shorter",
        "Hi Ada",
    )


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_file_of_yaml_means_the_same(tmp_path: Path, suffix: str) -> None:
    """In YAML 1.2, where `no` is a text."""
    file = tmp_path / f"mine{suffix}"
    file.write_text(_YAML, encoding="utf-8")
    with InProcessSandbox(workflows=file) as sandbox, promptlayer_client(sandbox) as client:
        outputs = [_output(client, name).json() for name in ("summarize", "nothing", "support")]

    assert outputs == ["no", None, [1, None]]


def test_yaml_without_its_reader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    file = tmp_path / "mine.yaml"
    file.write_text(_YAML, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)

    with pytest.raises(WrongWorkflows, match=r"mine\.yaml: YAML needs ruamel\.yaml.*pip install ruamel\.yaml"):
        read(file)


@pytest.mark.parametrize("kind", [Sandbox, InProcessSandbox])
def test_a_function_of_the_test_replies_to_prompts(kind: type[Sandbox] | type[InProcessSandbox]) -> None:
    """It gets the prompt and where it comes from; what it raises is the failure of the node."""
    seen: list[Prompt] = []

    def answer(prompt: Prompt) -> Any:
        seen.append(prompt)
        return {"said": prompt.text.upper()} if prompt.inputs["who"] else 1 / 0

    workflows = {"greet": {"nodes": [{"name": "Hi", "prompt": "hi {who}\ud83d", "dependencies": ["who"]}]}}
    with kind(workflows=workflows, answer=answer, run_seconds=0) as sandbox, promptlayer_client(sandbox) as client:
        good = _output(client, "greet", input_variables={"who": "Ada"})
        bad = _output(client, "greet", input_variables={"who": ""})

    assert good.json() == {"said": "HI ADA\ud83d"}
    assert "ZeroDivisionError" in str(bad.json()["output"]["Hi"])
    assert (seen[0].workflow, seen[0].version, seen[0].node) == ("greet", 1, "Hi")
    assert seen[0].inputs == {"who": "Ada"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"workflow": {}}, "workflow: Extra inputs"),
        ([], "the file: Input should be a valid dictionary"),
        ({"workflows": {"a": 1}}, "workflows.a: Input should be a valid dictionary"),
        ({"workflows": {"a": {}}}, "workflows.a: Give nodes, or an outcome"),
        ({"workflows": {"a": {"sleeps": 1}}}, "workflows.a: Give returns"),
        ({"workflows": {"a": {"returns": 1, "fails": "x"}}}, "workflows.a: Give one of"),
        ({"workflows": {"a": {"returns_json": "{"}}}, "workflows.a: returns_json is no JSON"),
        ({"workflows": {"a": {"returns": 1, "versions": [{"returns": 2}]}}}, "workflows.a: Beside versions"),
        ({"workflows": {"a": {"versions": [{"return": 2}]}}}, "workflows.a.versions[0].return: Extra inputs"),
        ({"workflows": {"a": {"nodes": [{"name": "n"}]}}}, "workflows.a.nodes[0]: Give prompt"),
        ({"workflows": {"a": {"nodes": [{"name": "n", "prompt": 1}]}}}, "workflows.a.nodes[0].prompt: Input should be"),
        (
            {"workflows": {"a": {"returns": 1, "sleeps": -1}}},
            "workflows.a: version 1: Node Output: configuration.sandb",
        ),
        (
            {"workflows": {"a": {"nodes": [{"name": "n", "fails": "x"}, {"name": "n", "fails": "x"}]}}},
            "workflows.a: version 1: Two nodes have the same name",
        ),
        ({"interactly": {"x": {"versions": []}}}, "interactly.x"),
        ({"interactly": {"5" * 24: {"versions": []}}}, f"interactly.{'5' * 24}: active should be"),
        (
            {"interactly": {"5eb7cf5a86d9755df3a6c593": {"versions": [{"greeting": "a", "reply": "b"}]}}},
            "interactly.5eb7cf5a86d9755df3a6c593: the sandbox itself",
        ),
        ({"cases": [{"prompt": "x"}]}, "cases[0]: Give returns"),
        ({"workflows": {"canary": {"returns": 1}}}, "workflows.canary: version 1 is another one in the database"),
    ],
)
def test_what_makes_no_sense_is_refused_by_file_workflow_and_key(tmp_path: Path, content: Any, named: str) -> None:
    """In one line."""
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(content))

    with pytest.raises(WrongWorkflows) as caught, Store(":memory:") as store:
        keep(read(file), store)
    assert str(caught.value).startswith(f"{file}: {named}")
    assert "\n" not in str(caught.value)
    assert "instance of" not in str(caught.value)


def test_a_case_that_fits_nothing_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It is no mistake as long as workflows and versions can be created."""
    with Store(":memory:") as store:
        cases = [{"workflow": "canry", "returns": 1}, {"workflow": "canary", "node": "Drft", "returns": 1}]
        keep(understood({"cases": [*cases, {"workflow": "canary", "node": "Draft", "returns": 1}]}, "mine"), store)

    assert caplog.messages == [
        "mine: cases[0]: there is no workflow 'canry' yet",
        "mine: cases[1]: no version of 'canary' has a node 'Drft'",
    ]


def test_the_command_line_refuses_a_wrong_file_with_status_2(tmp_path: Path) -> None:
    """Before it listens."""
    file = tmp_path / "mine.toml"
    file.write_text("[workflows.a]\nreturn = 1")
    command = [sys.executable, "-m", "workflow_sandbox", f"--database={tmp_path / 'x.db'}", f"--workflows={file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"workflow-sandbox: error: {file}: workflows.a.return: ")
    assert done.stderr.count("\n") == 1


def test_the_example_of_the_page_works(tmp_path: Path) -> None:
    """As the page says of it."""
    [example] = re.findall(r"^```toml\n(.*?)^```$", _PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    file = tmp_path / "workflows.toml"
    file.write_text(example, encoding="utf-8")
    with InProcessSandbox(workflows=file) as sandbox, promptlayer_client(sandbox) as client:
        assert _output(client, "summarize").json() == "A summary."
        assert "no credit left" in str(_output(client, "translate").json())
        assert _support(client, "I want my money back") == "We refund: I want my money back"
        assert _support(client, "Hello") == "An agent takes over."


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("mine.toml", "a = \n", "line 1"),
        ("mine.toml", "[workflows.a]\nreturns = 2026-01-01", "workflows.a.returns: 2026-01-01 is no JSON value"),
        ("mine.toml", "[workflows.a]\nreturns = nan", "workflows.a.returns: nan is no JSON value"),
        ("mine.yaml", "workflows: {a: {returns: {1: x}}}", "workflows.a.returns: the name 1 should be a text"),
        ("mine.yaml", "workflows: {a: {returns: 1}, a: {returns: 1}}", "duplicate key"),
        ("mine.json", '{"workflows": NaN}', "NaN is not JSON"),
        ("mine.txt", "", "its name should end in .toml, .json"),
        ("absent.toml", None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str | None, named: str) -> None:
    """By the name of the file and the place in it."""
    if text is not None:
        (tmp_path / name).write_text(text)

    with pytest.raises(WrongWorkflows) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_version_that_the_database_has_otherwise_is_refused(database: str) -> None:
    """Runs of it may be under way; a further version is taken."""
    versions = [{"returns": 1}]
    with Sandbox(database=database, workflows={"mine": {"versions": versions}}):
        pass
    more = {"mine": {"versions": [*versions, {"returns": 2}]}}
    with Sandbox(database=database, workflows=more) as sandbox, promptlayer_client(sandbox) as client:
        assert _output(client, "mine").json() == 2
    with pytest.raises(SandboxFailed, match=r"workflows\.mine: version 1 is another one in the database"):
        Sandbox(database=database, workflows={"mine": {"returns": 3}}).__enter__()
