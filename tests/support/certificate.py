"""A certificate for a server of TLS on loopback."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def certificate(directory: Path) -> Path:
    """Return a certificate that nobody has signed, with its key in the same file; skip the test without openssl."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("not run: openssl is absent")
    path = directory / "authority.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", path, "-out", directory / "only.pem"], check=True, capture_output=True)
    with path.open("a") as both:
        both.write((directory / "only.pem").read_text())
    return path
