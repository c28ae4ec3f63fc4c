"""Has the vendor's own libraries, unmodified, run workflows of a sandbox: `nox -s vendor_clients`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workflow_sandbox import Sandbox

HERE = Path(__file__).parent
JAVASCRIPT = "promptlayer@1.3.6"
# Node has WebSocket of its own since 22; 20 has it behind a flag, which later ones take, too.
NODE = ["node", "--experimental-websocket"]


def main() -> None:
    """Run Python's library, and JavaScript's where node and npm are there and bring it."""
    with Sandbox() as sandbox:
        subprocess.run([sys.executable, str(HERE / "promptlayer_python.py"), sandbox.promptlayer_url], check=True)
        if reason := why_no_javascript():
            sys.stdout.write(f"not run: {JAVASCRIPT} ({reason})\n")
            return
        with tempfile.TemporaryDirectory() as folder:
            install = ["npm", "install", "--silent", "--ignore-scripts", JAVASCRIPT]
            if subprocess.run(install, cwd=folder, check=False).returncode:
                sys.stdout.write(f"not run: {JAVASCRIPT} (npm cannot install it)\n")
                return
            script = str(HERE / "promptlayer_javascript.mjs")
            subprocess.run([*NODE, script, sandbox.promptlayer_url], cwd=folder, check=True)


def why_no_javascript() -> str:
    """Return why JavaScript's library can't be tried here; empty if it can."""
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        return f"{' and '.join(missing)} absent"
    has_socket = subprocess.run([*NODE, "-e", "new WebSocket"], capture_output=True, text=True, check=False)
    return "" if "bad option" not in has_socket.stderr else "this node has no WebSocket"


main()
