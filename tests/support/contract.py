"""Our own contract, read once in a process."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
# libyaml reads it in a twentieth of the time.
CONTRACT: dict[str, Any] = yaml.load(
    (ROOT / "openapi.yaml").read_text(encoding="utf-8"),
    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
)
