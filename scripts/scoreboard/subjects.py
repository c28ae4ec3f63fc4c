"""
The clients that stand on the scoreboard: how each is made, how it is driven, and what it does not claim.

Adding one takes an entry here, pinned requirements, and an adapter (see docs/adapters.md).
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

import making

EVERYTHING = "*"


@dataclass(frozen=True)
class NotClaimed:
    """
    Rules that a subject does not claim to keep.

    Attributes:
        rules: Ids or globs.
        because: What the subject's own documentation says, or what it is silent about.
        source: Where.
        operations: Operations that this is about; all if it is empty.
    """

    rules: tuple[str, ...]
    because: str
    source: str
    operations: tuple[str, ...] = ()

    def covers(self, rule: str, operation: str) -> bool:
        """Whether a rule on an operation is one of these."""
        matches = any(fnmatch.fnmatchcase(rule, pattern) for pattern in self.rules)
        return matches and (not self.operations or operation in self.operations)


@dataclass(frozen=True)
class Subject:
    """
    A client on the scoreboard.

    Attributes:
        id: On the command line, and the name of its requirements.
        title: At the head of its column.
        packages: Names of the packages whose versions are shown.
        adapter: Name of the adapter.
        make: Makes the client in a folder, by the interpreter of its environment; gives the folder of a generated
            package, None if there is none.
        about: What is judged, in a sentence or two.
        not_claimed: What it does not claim.
        remarks: What else is to be said, such as what happened when it was made.
    """

    id: str
    title: str
    packages: tuple[str, ...]
    adapter: str
    make: Callable[[Path, Path], Path | None]
    about: str
    not_claimed: tuple[NotClaimed, ...] = ()
    remarks: tuple[str, ...] = field(default=())


_CHECKS_NOTHING = "nothing says that arguments are checked against the contract before they are sent"
_REFUSALS = ("CL-REF-*",)
_GENERATOR_README = "https://openapi-generator.tech/docs/generators/python"

_WHOLE_FLOATS = (
    "CL-REQ-01 and CL-REP-01 count a whole number that is written as 1e+300: a legal integer in JSON Schema, and a "
    "float in Python, which a strict integer field refuses. Whoever thinks that right may read the two with this in "
    "mind."
)

SUBJECTS = (
    Subject(
        id="workflow-runs",
        title="workflow-runs",
        packages=("workflow-runs", "httpx", "attrs"),
        adapter="workflow_runs",
        make=making.nothing,
        about="The client of this repository, installed as a user installs it. It is judged by the same code as all "
        "others.",
    ),
    Subject(
        id="openapi-python-client",
        title="openapi-python-client",
        packages=("openapi-python-client", "httpx", "attrs"),
        adapter="openapi-python-client",
        make=making.openapi_python_client,
        about="What openapi-python-client writes for this contract with its own templates and default settings, used "
        "by `sync_detailed` and `asyncio_detailed` with `raise_on_unexpected_status`.",
        not_claimed=(NotClaimed(_REFUSALS, _CHECKS_NOTHING, "README of openapi-python-client 0.29.1"),),
    ),
    Subject(
        id="openapi-generator",
        title="OpenAPI Generator",
        packages=("openapi-generator-cli", "urllib3", "pydantic"),
        adapter="openapi-generator",
        make=making.openapi_generator("urllib3"),
        about="What OpenAPI Generator writes for this contract with `-g python` (library urllib3, synchronous) and "
        "`disallowAdditionalPropertiesIfNotPresent=false`, which follows the OpenAPI specification.",
        remarks=(making.WITHOUT_WEBHOOKS, _WHOLE_FLOATS),
    ),
    Subject(
        id="openapi-generator-httpx",
        title="OpenAPI Generator, httpx",
        packages=("openapi-generator-cli", "httpx", "pydantic"),
        adapter="openapi-generator",
        make=making.openapi_generator("httpx"),
        about="The same with the library httpx, which is asynchronous.",
        remarks=(making.WITHOUT_WEBHOOKS, _WHOLE_FLOATS),
    ),
    Subject(
        id="stainful",
        title="stainful",
        packages=("stainful", "httpx", "pydantic"),
        adapter="stainful",
        make=making.stainful,
        about="What stainful, an open generator for `stainless.yml`, writes for the two PromptLayer operations. A "
        "generated client takes one key, so that the operation of the other service is not claimed.",
        not_claimed=(
            NotClaimed(_REFUSALS, _CHECKS_NOTHING, "README of stainful 0.6.0"),
            NotClaimed(
                ("CL-REP-02",),
                "models of replies are named after resource and method, not after the contract's schemas",
                "README of stainful 0.6.0",
            ),
        ),
    ),
    Subject(
        id="promptlayer",
        title="promptlayer SDK",
        packages=("promptlayer", "httpx"),
        adapter="promptlayer",
        make=making.nothing,
        about="The vendor's own SDK. Judged are the two functions inside it that send the contract's requests, "
        "`_post_workflow_id_run` and `_get_final_output`; not the public `run_workflow` round them, which looks up the "
        "workflow's id, gets a token and listens to a WebSocket besides. Typed errors that the inner functions raise "
        "count as the SDK's, although `run_workflow` drops their status and response.",
        not_claimed=(
            NotClaimed(_REFUSALS, "nothing says that arguments of run_workflow are checked", "README of promptlayer"),
            NotClaimed(("CL-REP-02",), "results are plain dictionaries", "README of promptlayer"),
            NotClaimed(
                ("CL-REP-01", "CL-REP-03", "CL-REP-05", "CL-REP-06", "CL-BRK-01", "CL-BRK-02", "CL-BRK-08"),
                "run_workflow gives the workflow's output; of the reply to the run it takes the execution id alone",
                "README of promptlayer, signature of run_workflow",
                operations=("runWorkflow",),
            ),
        ),
    ),
)
