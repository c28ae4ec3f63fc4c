"""Use the built wheel as a stranger would: `python scripts/try_wheel.py FOLDER-WITH-THE-WHEEL`.

One environment gets the wheel alone and runs the README's six lines; the other gets the harness, serves the sandbox for
them, runs the tests of a project whose fixtures come from the wheel, and judges the sandbox from a folder that has
nothing to do with this project.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
# What attrs and httpx need themselves; anything else would be a dependency that nobody argued for.
ALLOWED = {"attrs", "httpx", "httpcore", "h11", "anyio", "idna", "certifi", "sniffio", "typing-extensions"}
# Tests of somebody's project; those without a sandbox are what pytest and the machine need anyway.
TESTS = """
import httpx
import pytest
from workflow_runs import PromptLayer

pytestmark = pytest.mark.parametrize("number", range(40))


@pytest.fixture
def workflow_sandbox_options():
    return {"workflows": {"greet": {"returns": "Good morning!"}}}


def test_by_socket(fresh_workflow_sandbox, number):
    sandbox = fresh_workflow_sandbox
    with PromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url) as client:
        assert client.run_and_wait("greet").output == "Good morning!"
    assert sandbox.requests[0].path == "/workflows/greet/run"


def test_in_process(fresh_workflow_sandbox, number):
    sandbox = fresh_workflow_sandbox
    http_client = httpx.Client(transport=sandbox.transport)
    with PromptLayer(api_key=sandbox.api_key, base_url=sandbox.promptlayer_url, http_client=http_client) as client:
        assert client.run_and_wait("greet").output == "Good morning!"


def test_without_a_sandbox(number):
    httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))).get("http://127.0.0.1/")
"""


def main() -> int:
    """Run the program; exit status 1 says what is wrong."""
    wheel = next(Path(sys.argv[1]).glob("workflow_runs-*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        client, harness = Path(folder) / "client", Path(folder) / "harness"
        _install(client, str(wheel))
        _install(harness, f"{wheel}[conformance]")
        extra = _installed(client) - ALLOWED - {"workflow-runs", "pip", "setuptools"}
        if extra:
            print(f"the wheel alone brings {', '.join(sorted(extra))}")
            return 1
        print("the wheel alone brings attrs and httpx")
        _run_six_lines(client, harness, Path(folder))
        _run_tests(harness, Path(folder) / "project")
        for few in (("--side", "spec"), ("--side", "server", "-k", "PL-RUN-*"), ("--side", "client", "-k", "CL-CLI-*")):
            subprocess.run([_python(harness), "-m", "contract_tests", *few], cwd=folder, check=True)
    return 0


def _install(environment: Path, requirement: str) -> None:
    venv.create(environment, with_pip=True)
    lock = str(ROOT / "requirements" / "dev.txt")
    subprocess.run([_python(environment), "-m", "pip", "install", "-q", "-c", lock, requirement], check=True)


def _python(environment: Path) -> str:
    return str(environment / "bin" / "python")


def _installed(environment: Path) -> set[str]:
    command = [_python(environment), "-m", "pip", "list", "--format=json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return {package["name"].lower().replace("_", "-") for package in json.loads(listed.stdout)}


def _run_six_lines(client: Path, harness: Path, folder: Path) -> None:
    blocks = re.findall(r"```(?:python)?\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    program, printed = blocks[0], blocks[1]
    command = [str(harness / "bin" / "workflow-sandbox"), "--port", "0", "--database", str(folder / "runs.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            address = sandbox.stdout.readline().strip() if sandbox.stdout else ""
            environment = {**os.environ, "PROMPTLAYER_API_KEY": "sandbox-key", "PROMPTLAYER_BASE_URL": address}
            done = subprocess.run(
                [_python(client), "-c", program],
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            sandbox.terminate()
    if done.stdout != printed:
        raise SystemExit(f"the README says that its example prints\n{printed}but it prints\n{done.stdout}")
    print("the README's six lines print what it says")


def _run_tests(harness: Path, project: Path) -> None:
    project.mkdir()
    (project / "test_greeting.py").write_text(TESTS, encoding="utf-8")
    # Wherever the folder lies, this project's own settings are not of that one.
    (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [_python(harness), "-m", "pytest", "-q", "--junitxml=report.xml"]
    subprocess.run(command, cwd=project, check=True)
    seconds: dict[str, list[float]] = {}
    for case in ElementTree.parse(project / "report.xml").iter("testcase"):  # noqa: S314 - pytest's own
        seconds.setdefault(case.attrib["name"].partition("[")[0], []).append(float(case.attrib["time"]))
    for name, each in seconds.items():
        print(f"{name}: {median(each) * 1000:.0f} ms for a test [{min(each) * 1000:.0f} .. {max(each) * 1000:.0f}]")


if __name__ == "__main__":
    sys.exit(main())
