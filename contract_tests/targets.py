"""
Servers to judge: the built-in sandbox, and those that a TOML file describes.

A file has one table per target::

    [targets.promptlayer]
    service = "promptlayer"               # first tag of the operations that it serves
    base_url = "https://api.promptlayer.com"
    api_key_env = "PROMPTLAYER_API_KEY"   # the key itself never stands in a file
    headers_env = {}                      # more secret headers: name = environment variable
    workflow = "canary"                   # the one workflow that may be run here; for a service that runs workflows
    generation = "a"                      # Interactly only: the form of execute that is served, "a" or "b"
    label = "production"                  # optional: a label that exists on the workflow
    version = 1                           # optional: a version that exists on the workflow
    latest_version = 2                    # optional: the latest version. Only of a workflow each version of which has
                                          # an output of its own, the same every time, and `label` on `version`: then
                                          # outputs tell which version ran
    input_variables = { user_message = "ping" }
    max_requests = 300                    # the run stops before it sends more
    requests_per_second = 5
    total_timeout = 30                    # optional: seconds that a whole response may take
    max_response_bytes = 8388608          # optional: how large the body of a response may be, decompressed
    callback_listen = "127.0.0.1:0"       # omit: rules about callbacks are not exercised
    callback_public_url = "https://..."   # optional: how the target reaches that listener from outside
    ca_file = "authority.pem"             # optional: whom to trust for https, beside this file
    allow_writes = false                  # create, patch and delete operations
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from contract_tests.options import SANDBOX, Options
from contract_tests.rules import SetUpError, Side

DEFAULT_FILE = "targets.toml"
SANDBOX_KEY_ENV = "SANDBOX_API_KEY"
RUN_OPERATIONS = {"promptlayer": "runWorkflow", "interactly": "executeWorkflow"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """One server in the role of one service; see the module's docstring for the fields."""

    name: str
    service: str
    base_url: str
    api_key_env: str
    workflow: str = ""
    headers_env: Mapping[str, str] = field(default_factory=dict)
    generation: str = "a"
    label: str | None = None
    version: int | None = None
    latest_version: int | None = None
    input_variables: Mapping[str, Any] | None = None
    max_requests: int = 300
    requests_per_second: float = 5.0
    total_timeout: float = 30.0
    max_response_bytes: int = 8 * 1024 * 1024
    callback_listen: str | None = None
    callback_public_url: str | None = None
    ca_file: str | None = None
    allow_writes: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_sandbox(self) -> bool:
        """Whether the harness starts and stops this server itself."""
        return self.name == SANDBOX

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine: then it is nobody's live service."""
        host = urlsplit(self.base_url).hostname or ""
        return self.is_sandbox or host == "localhost" or host.startswith("127.") or host == "::1"

    @property
    def runs_workflow(self) -> bool:
        """Whether its service has an operation that runs the one workflow of its table."""
        return self.service in RUN_OPERATIONS

    @property
    def known_secrets(self) -> list[str]:
        """The values of its key and secret headers that the environment has, even if it cannot be judged."""
        names = [self.api_key_env, *self.headers_env.values()]
        return [] if self.is_sandbox else [os.environ[name] for name in names if name in os.environ]

    def with_secrets(self) -> Self:
        """
        Return the target with its key and secret headers read from the environment.

        Raises SetUpError if one of the variables is not set, or no header can carry its value.
        """
        if self.is_sandbox:
            return self
        names = [self.api_key_env, *self.headers_env.values()]
        for name in names:
            if not os.environ.get(name):
                raise SetUpError(f"target {self.name}: the environment variable {name} is not set")
            if not _fits_header(os.environ[name]):
                raise SetUpError(
                    f"target {self.name}: the environment variable {name} has line breaks, spaces around it or other "
                    "characters that no header can carry"
                )
        return replace(self, secrets={name: os.environ[name] for name in names})


def choose(options: Options, services: Sequence[str]) -> list[Target]:
    """
    Return the targets that the command line named.

    Args:
        options: What the command line asked for.
        services: First tags of the contract's operations.

    Raises:
        SetUpError: If a target is not described, or its file has a mistake.
    """
    path = options.targets_file or Path(DEFAULT_FILE)
    needs_file = options.targets_file is not None or set(options.targets) != {SANDBOX}
    described = read_targets(path, services) if needs_file else {}
    chosen: list[Target] = []
    for name in options.targets:
        if name == SANDBOX:
            chosen += sandbox_targets()
        elif name in described:
            chosen.append(described[name])
        else:
            raise SetUpError(f"target {name!r} is not described in {path}; known: {', '.join([SANDBOX, *described])}")
    return chosen if Side.SERVER in options.sides else []


def sandbox_targets() -> list[Target]:
    """Return the built-in target in the role of both services; its address and key are known once it runs."""
    promptlayer = Target(
        name=SANDBOX,
        service="promptlayer",
        base_url="",
        api_key_env=SANDBOX_KEY_ENV,
        workflow="canary",
        label="production",
        version=1,
        latest_version=2,
        input_variables={"user_message": "ping"},
        max_requests=1_000_000,
        requests_per_second=10_000.0,
        callback_listen="127.0.0.1:0",
        allow_writes=True,
    )
    workflow = "5eb7cf5a86d9755df3a6c593"
    interactly = replace(
        promptlayer,
        service="interactly",
        workflow=workflow,
        label=None,
        latest_version=None,
        input_variables={"customer_name": "Ada"},
    )
    return [promptlayer, interactly]


def read_targets(path: Path, services: Sequence[str]) -> dict[str, Target]:
    """
    Read a file of targets.

    Raises SetUpError if it cannot be read; the line names the target, the field and what it must be.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetUpError(f"cannot read the targets file {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SetUpError(f"the targets file {path} is not TOML: {error}") from error
    if set(document) - {"targets"}:
        raise SetUpError(f"{path}: unknown top-level key {min(set(document) - {'targets'})!r}; only targets is known")
    tables = document.get("targets")
    if not isinstance(tables, dict):
        raise SetUpError(f"{path}: there is no table [targets.NAME]")
    return {name: _target(path, name, table, services) for name, table in tables.items()}


def _target(path: Path, name: str, table: Any, services: Sequence[str]) -> Target:
    problem = next(_problems(name, table, services), None)
    if problem:
        raise SetUpError(f"{path}: targets.{name}{problem}")
    if "ca_file" in table:
        table = {**table, "ca_file": str(path.absolute().parent / table["ca_file"])}
    return Target(name=name, **table)


def _problems(name: str, table: Any, services: Sequence[str]) -> Iterator[str]:
    if name == SANDBOX:
        yield f": {SANDBOX} is the built-in target; choose another name"
    if not isinstance(table, dict):
        yield ": must be a table"
        return
    checks = {**CHECKS, "service": (True, f"one of {', '.join(services)}", lambda value: value in services)}
    for key in table:
        if key not in checks:
            yield f".{key}: unknown field; known: {', '.join(checks)}"
    for key, (required, wanted, holds) in checks.items():
        if key not in table:
            if required and (key != "workflow" or table.get("service") in RUN_OPERATIONS):
                yield f".{key}: is missing, must be {wanted}"
        elif not holds(table[key]):
            yield f".{key}: must be {wanted}"
    if "callback_public_url" in table and "callback_listen" not in table:
        yield ".callback_listen: is needed with callback_public_url"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _fits_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


def _is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain and parts.port != 0
    except ValueError:
        return False


def _is_environment_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _is_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value)) and all(map(_is_environment_name, value.values()))


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_listen(value: Any) -> bool:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return bool(host) and port.isdecimal() and int(port) < 2**16


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


Check = tuple[bool, str, Callable[[Any], bool]]
CHECKS: dict[str, Check] = {  # field: whether it is required, what it must be, and the test of that
    "service": (True, "a service of the contract", _is_text),
    "base_url": (True, "an http or https URL without query and password", _is_url),
    "api_key_env": (True, "the name of an environment variable", _is_environment_name),
    "headers_env": (False, "a table of header name = environment variable", _is_headers),
    "workflow": (True, "a text, the one workflow that may be run", _is_text),
    "generation": (False, '"a" or "b"', lambda value: value in ("a", "b")),
    "label": (False, "a text", _is_text),
    "version": (False, "a whole number", lambda value: _is_whole(value, 0)),
    "latest_version": (False, "a whole number", lambda value: _is_whole(value, 0)),
    "input_variables": (False, "a table", lambda value: isinstance(value, dict)),
    "max_requests": (False, "a whole number from 1", lambda value: _is_whole(value, 1)),
    "requests_per_second": (False, "a number above 0", _is_rate),
    "total_timeout": (False, "a number above 0", _is_rate),
    "max_response_bytes": (False, "a whole number from 1", lambda value: _is_whole(value, 1)),
    "callback_listen": (False, 'host and port, such as "127.0.0.1:0"', _is_listen),
    "callback_public_url": (False, "an http or https URL without query and password", _is_url),
    "ca_file": (False, "the name of a file with certificates in PEM form", _is_text),
    "allow_writes": (False, "true or false", lambda value: isinstance(value, bool)),
}
