"""Judges servers with one defect each: the harness, and stock schemathesis beside it."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from contract_tests.runner.command_line import default_spec
from mutants import harness
from mutants.fork_server import ForkServer, Order
from mutants.outcome import Judgement, OtherTool
from mutants.runner import Runner, RunnerOptions
from mutants.servers.fault import ServerDefect
from mutants.servers.messages import EXECUTE, KEY, LIST_RUNS, READ_RUN, RESULTS, RUN, WORKFLOWS
from mutants.servers.serving import CORRECT, served
from mutants.servers.stock import Failure, judge_with_stock

KEY_ENV: Final = "FAULTY_SERVER_KEY"
PROMPTLAYER, INTERACTLY = "promptlayer", "interactly"
INTERACTLY_OPERATIONS: Final = frozenset({EXECUTE, READ_RUN, LIST_RUNS})
OPERATIONS: Final = {PROMPTLAYER: (RUN, RESULTS), INTERACTLY: (EXECUTE,)}
PREFIX: Final = {PROMPTLAYER: "", INTERACTLY: "/workflows"}
HEADERS: Final = {PROMPTLAYER: {"X-API-KEY": KEY}, INTERACTLY: {"Authorization": f"Bearer {KEY}"}}


@contextmanager
def open_runner(options: RunnerOptions) -> Iterator[Runner]:
    """Give what judges servers, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="faulty-servers-") as directory, ExitStack() as resources:
        made = ServerRunner(options, Path(directory), resources)
        if options.stock:
            made.measure_correct()
        yield made


class ServerRunner:
    """Serves each defect in a process of its own and has it judged by one in the role of its service."""

    unit = "requests"

    def __init__(self, options: RunnerOptions, directory: Path, resources: ExitStack) -> None:
        self._options = options
        self._directory = directory
        self._resources = resources
        self._idle: SimpleQueue[ForkServer] = SimpleQueue()
        self._spec = _with_known_names(default_spec(), directory)
        self._accepted: frozenset[tuple[str, str]] = frozenset()
        self._remarks: list[str] = []

    def judge(self, defect: ServerDefect) -> Judgement:
        """Have the harness judge the defect's server."""
        with self._fork_server() as fork_server, served(defect.id) as url:
            return self._by_harness(url, (_service(defect),), fork_server, defect.form)

    def judge_by_other_tool(self, defect: ServerDefect) -> OtherTool:
        """Have stock schemathesis judge the defect's server."""
        with served(defect.id) as url:
            return self._by_stock(url, _service(defect))[0]

    def remarks(self) -> Sequence[str]:
        """Give the times for a correct server."""
        return self._remarks

    def measure_correct(self) -> None:
        """Judge the correct server with both, to know what they say of it and how long they take."""
        total = 0.0
        for service in OPERATIONS:
            ours = self._correct_by_harness((service,))
            with served(CORRECT) as url:
                other, failures = self._by_stock(url, service)
            total += other.seconds
            self._accepted |= {(one.check, one.operation) for one in failures}
            self._remarks.append(f"correct server, {service}: found by stock {other.codes or 'nothing'}")
            self._compare(service, ours.seconds, other.seconds)
        ours = self._correct_by_harness(tuple(OPERATIONS))
        self._compare("both services, one command against one for each address", ours.seconds, total)

    def _correct_by_harness(self, services: tuple[str, ...]) -> Judgement:
        with served(CORRECT) as url:
            judgement = self._by_harness(url, services, None)
        found = judgement.problem or judgement.fired or "nothing"
        self._remarks.append(f"correct server, {' and '.join(services)}: found by harness {found}")
        return judgement

    def _compare(self, what: str, ours: float, others: float) -> None:
        times = f"harness {ours:.1f} s, stock {others:.1f} s, ratio {ours / others:.2f}"
        self._remarks.append(f"correct server, {what}, each started anew: {times}")

    @contextmanager
    def _fork_server(self) -> Iterator[ForkServer | None]:
        if not hasattr(os, "fork"):
            yield None
            return
        try:
            fork_server = self._idle.get_nowait()
        except Empty:
            fork_server = self._start_fork_server()
        yield fork_server
        if fork_server.is_ready:
            self._idle.put(fork_server)

    def _start_fork_server(self) -> ForkServer:
        with served(CORRECT) as url:
            directory = Path(tempfile.mkdtemp(dir=self._directory))
            arguments = (*self._arguments(url, tuple(OPERATIONS), directory), "--report-dir", str(directory))
            return self._resources.enter_context(ForkServer(Order(arguments, {KEY_ENV: KEY}, directory / "output.txt")))

    def _by_harness(
        self, url: str, services: tuple[str, ...], fork_server: ForkServer | None, form: str = "a"
    ) -> Judgement:
        with tempfile.TemporaryDirectory(dir=self._directory) as directory:
            arguments = self._arguments(url, services, Path(directory), form)
            return harness.judge(
                arguments, Path(directory, "report"), environment={KEY_ENV: KEY}, fork_server=fork_server
            )

    def _arguments(self, url: str, services: tuple[str, ...], directory: Path, form: str = "a") -> list[str]:
        targets = directory / "targets.toml"
        targets.write_text("".join(_table(url, service, form) for service in services), encoding="utf-8")
        return [
            *("--side", "server", "--targets", str(targets)),
            *(word for service in services for word in ("--target", service)),
            *("--seed", str(self._options.seed), "--budget", self._options.budget),
            *(["-k", self._options.pattern] if self._options.pattern else []),
        ]

    def _by_stock(self, url: str, service: str) -> tuple[OtherTool, list[Failure]]:
        with tempfile.TemporaryDirectory(dir=self._directory) as directory:
            return judge_with_stock(
                url + PREFIX[service],
                self._spec,
                OPERATIONS[service],
                headers=HEADERS[service],
                seed=self._options.seed,
                directory=Path(directory),
                accepted=self._accepted,
            )


def _service(defect: ServerDefect) -> str:
    return INTERACTLY if defect.operation in INTERACTLY_OPERATIONS else PROMPTLAYER


def _table(url: str, service: str, form: str) -> str:
    fields: Mapping[str, Any] = {
        "service": service,
        "base_url": url + PREFIX[service],
        "api_key_env": KEY_ENV,
        "workflow": WORKFLOWS[OPERATIONS[service][0]],
        **({"label": "production", "latest_version": 2} if service == PROMPTLAYER else {"generation": form}),
        "version": {PROMPTLAYER: 1, INTERACTLY: 0}[service],  # not the one that runs unasked
        "max_requests": 100_000,
        "requests_per_second": 10_000,
        "callback_listen": "127.0.0.1:0",
        "allow_writes": True,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    variable = {PROMPTLAYER: "user_message", INTERACTLY: "customer_name"}[service]
    return "\n".join([f"[targets.{service}]", *lines, f'input_variables = {{ {variable} = "ping" }}', ""])


def _with_known_names(spec: Path, directory: Path) -> Path:
    # Stock takes names of workflows from the examples. With one that does not exist it would see hardly more than 404.
    text = spec.read_text(encoding="utf-8")
    known = text.replace("example: support-agent", f"example: {WORKFLOWS[RUN]}")
    if known == text:
        raise ValueError(f"{spec} has no example that could become the name of a workflow")
    path = directory / "openapi.yaml"
    path.write_text(known, encoding="utf-8")
    return path
