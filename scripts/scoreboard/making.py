"""Makes the subjects: environments with pinned packages, and generated packages in them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "openapi.yaml"
REQUIREMENTS = Path(__file__).parent / "requirements"
OWN = "workflow-runs"
PACKAGE = "generated_client"
WITHOUT_WEBHOOKS = (
    "Generated from the contract without its `webhooks`: with them the generator writes the class for the webhook's "
    "tag over the class with the two PromptLayer operations (it warns of a duplicate file path, status 0)."
)
STAINLESS = {
    "organization": {"name": "workflow-runs"},
    "targets": {"python": {"package_name": PACKAGE}},
    "client_settings": {
        "opts": {
            "api_key": {
                "type": "string",
                "auth": {"security_scheme": "promptLayerKey"},
                "read_env": "PROMPTLAYER_API_KEY",
            }
        }
    },
    "environments": {"production": "https://api.promptlayer.com"},
    "resources": {
        "promptlayer": {
            "methods": {
                "run_workflow": "post /workflows/{workflow_name}/run",
                "get_workflow_version_execution_results": "get /workflow-version-execution-results",
            }
        }
    },
}


class CannotMakeError(Exception):
    """A subject could not be made; the text has the last words of the program that failed."""


def environment(subject: str, folder: Path) -> Path:
    """
    Make a subject's environment, or find it again; give its interpreter.

    Raises:
        CannotMakeError: If a package cannot be installed.
    """
    python = folder / "bin" / "python"
    requirements = REQUIREMENTS / f"{subject}.txt"
    done = folder / "requirements.txt"
    text = requirements.read_text(encoding="utf-8")
    if not (done.is_file() and done.read_text(encoding="utf-8") == text):
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)])
        run([*_installer(python), "-r", str(requirements)])
        done.write_text(text, encoding="utf-8")
    if subject == OWN:  # what is judged is the working copy as it is now
        run([*_installer(python), "--no-deps", "--force-reinstall", str(ROOT)])
    return python


def _installer(python: Path) -> list[str]:
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def versions(python: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of packages in an environment."""
    program = "import json, sys, importlib.metadata as m; print(json.dumps([m.version(n) for n in sys.argv[1:]]))"
    found: list[str] = json.loads(run([str(python), "-c", program, *packages]))
    return dict(zip(packages, found, strict=True))


def run(command: list[str], *, cwd: Path | None = None) -> str:
    """
    Run a program and give what it prints.

    Raises:
        CannotMakeError: If it fails.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise CannotMakeError(f"{' '.join(command[:6])} ...: status {done.returncode}\n{words}")
    return done.stdout


def nothing(_python: Path, _folder: Path) -> None:
    """There is nothing to generate: the client is installed."""


def openapi_python_client(python: Path, folder: Path) -> Path:
    """Generate with the generator's own templates and settings."""
    config = folder / "config.yml"
    config.write_text(f"package_name_override: {PACKAGE}\npost_hooks: []\n", encoding="utf-8")
    output = folder / "generated"
    command = ["generate", "--path", str(CONTRACT), "--meta", "none", "--config", str(config), "--overwrite"]
    run([str(python.with_name("openapi-python-client")), *command, "--output-path", str(output / PACKAGE)])
    return output / PACKAGE


def openapi_generator(library: str) -> Callable[[Path, Path], Path]:
    """Generate for one HTTP library."""

    def make(python: Path, folder: Path) -> Path:
        contract = folder / "openapi.json"
        contract.write_text(json.dumps(_without_webhooks()), encoding="utf-8")
        output = folder / "generated"
        properties = f"packageName={PACKAGE},disallowAdditionalPropertiesIfNotPresent=false"
        command = ["generate", "-i", str(contract), "-g", "python", "--library", library, "-o", str(output)]
        run([str(python.with_name("openapi-generator-cli")), *command, "--additional-properties", properties])
        return output / PACKAGE

    return make


def stainful(python: Path, folder: Path) -> Path:
    """Generate the PromptLayer client."""
    config = folder / "stainless.yml"
    config.write_text(json.dumps(STAINLESS), encoding="utf-8")  # JSON is YAML
    output = folder / "generated"
    command = ["generate", "--spec", str(CONTRACT), "--config", str(config), "--out", str(output)]
    run([str(python.with_name("stainful")), *command])
    return output / PACKAGE


def _without_webhooks() -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - only two subjects need it

    document: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return {name: value for name, value in document.items() if name != "webhooks"}
