"""The sandbox from Python: the context manager, the pytest fixture, and how little an import costs."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from workflow_sandbox import Sandbox
from workflow_sandbox.server import SandboxFailed


def test_import_loads_nothing_heavy() -> None:
    """Importing the package or its pytest plugin loads no web framework, no httpx and not even the embedding."""
    program = (
        "import sys, workflow_sandbox, workflow_sandbox.pytest_plugin;"
        "print([name for name in ('starlette', 'uvicorn', 'httpx', 'pydantic', 'workflow_sandbox.server')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True)

    assert done.stdout.strip() == "[]"


def test_nothing_is_left_after_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a database of its own, a sandbox leaves no server and no file behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(api_key="other") as sandbox:
        response = httpx.post(
            f"{sandbox.promptlayer_url}/workflows/canary/run", json={}, headers={"X-API-KEY": "other"}
        )
        assert response.status_code == 201
        assert list(tmp_path.rglob("sandbox.*"))

    assert not list(tmp_path.iterdir())
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.promptlayer_url)


def test_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A start that fails raises with the server's own line."""
    with pytest.raises(SandboxFailed, match="cannot use database"), Sandbox(database=tmp_path):
        pytest.fail("it started")


def test_restart_keeps_the_address() -> None:
    """A sandbox that is started again listens where it did before."""
    with Sandbox() as sandbox:
        before = sandbox.promptlayer_url
        assert sandbox.stop() == 0
        sandbox.start()

        assert sandbox.promptlayer_url == before
        assert sandbox.interactly_url == f"{before}/workflows"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a server come back to a port that is kept for it")
def test_nobody_gets_the_port_of_a_stopped_sandbox() -> None:
    """While it is stopped, no connection of another program takes the port that a sandbox is to come back to."""
    with Sandbox() as sandbox:
        sandbox.kill()
        port = int(sandbox.promptlayer_url.rpartition(":")[2])
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with pytest.raises(httpx.ConnectError):
            httpx.get(sandbox.promptlayer_url)
        sandbox.start()

        assert httpx.get(sandbox.promptlayer_url).status_code == 200


def test_fixture_gives_one_running_sandbox(tmp_path: Path) -> None:
    """The plugin's fixture hands every test of a session the same running sandbox."""
    (tmp_path / "test_it.py").write_text(
        "import httpx\n"
        "seen = set()\n"
        "def _post(sandbox):\n"
        "    seen.add(sandbox.promptlayer_url)\n"
        "    headers = {'X-API-KEY': sandbox.api_key}\n"
        "    url = sandbox.promptlayer_url + '/workflows/canary/run'\n"
        "    return httpx.post(url, json={}, headers=headers).status_code\n"
        "def test_one(workflow_sandbox):\n"
        "    assert _post(workflow_sandbox) == 201\n"
        "def test_two(workflow_sandbox):\n"
        "    assert (_post(workflow_sandbox), len(seen)) == (201, 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "workflow_sandbox.pytest_plugin", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )

    assert "2 passed" in done.stdout


def test_interrupt_while_starting_ends_at_once(tmp_path: Path) -> None:
    """Ctrl-C before the server accepts requests leaves no server, no folder and no timer that is waited for."""
    program = "from workflow_sandbox.server import Sandbox\nprint(1, flush=True)\nwith Sandbox():\n    print(2)"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not list(tmp_path.glob("workflow-sandbox-*/sandbox.log")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)

    assert not said
    assert "KeyboardInterrupt" in errors
    assert not list(tmp_path.iterdir())
