"""Lets these tests use the calls and the breaking server of the client's tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "client"))
