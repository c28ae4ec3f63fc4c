"""Build hook: on an index's page the README's relative links lead to the project's address, once it has one.

The one setting is `address` in `[tool.workflow-runs]` of pyproject.toml: the web address of the files at the top level,
such as `https://github.com/OWNER/NAME/blob/main`. While it is empty links stay as they are.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE_LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s]+\))")


class ReadmeLinks(MetadataHookInterface):
    """Sets the long description and the project's address."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add to the metadata what depends on the address."""
        root = Path(self.root)
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        address = settings["tool"]["workflow-runs"]["address"].rstrip("/")
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute_links(text, address)}
        if address:
            metadata["urls"] = {"Source": address}


def absolute_links(text: str, address: str) -> str:
    """Return Markdown whose relative links begin with the address, or as it is where there is none."""
    return _RELATIVE_LINK.sub(rf"\g<1>{address}/\g<2>", text) if address else text
