"""Measure the harness's client side: `python -m client_side_speed`.

Plays the contract's requests and replies, legal and broken, once with our client and once with bare httpx, which is the
harness's own floor: the same cases, the same server, the same process around the client. Faults on the wire are left
out, since they are mostly waiting. Both play in each round, in turn; figures are medians of the rounds.

Seconds are of the clock for the lines that say so and of the processor for the others, so that these tell something on
a busy machine too. Exit status: 0 measured; 2 the two did not play the same cases.
"""

from __future__ import annotations

import argparse
import resource
import sys
import threading
import time
from dataclasses import dataclass, fields
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.generation import Generator
from contract_tests.client.judging import judge
from contract_tests.client.selection import choose_client
from contract_tests.client.session import ClientSession
from contract_tests.client.subject import Subject
from contract_tests.client.trials import ClientTrials
from contract_tests.coverage import Coverage
from contract_tests.http.recording_server import RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Contract, Operation
from contract_tests.options import Options
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import NotApplicable, NotExercised, Violations, rule_of
from contract_tests.runner.command_line import parse

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

OURS: Final = "workflow_runs"
FLOOR: Final = "client_side_speed.bare_httpx:BareHttpx"
KINDS: Final = (
    "legal_requests",
    "broken_requests",
    "probes",
    "smuggled",
    "odd_numbers",
    "legal_replies",
    "odd_replies",
    "extended_responses",
    "deep_replies",
    "broken_replies",
)
JUDGES: Final = ("requests", "refusals", "responses", "response_types", "invalid_responses")
ROW: Final = "{:<46} {:>10} {:>10} {:>8}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One client in one round; seconds are of the processor where the clock is not named."""

    cases: int
    clock: float
    client: float
    wire: float
    messages: float
    comparison: float
    broken_rows: int


class TimedServer(RecordingServer):
    """A server that knows how much of the processor its threads have had."""

    def __init__(self) -> None:
        self._spent: dict[threading.Thread, float] = {}
        super().__init__()

    @property
    def seconds(self) -> float:
        """Processor time up to the last reply of each connection."""
        return sum(self._spent.values())

    def _reply(self, connection: socket.socket, answer: ScriptedResponse, method: str) -> bool:
        goes_on = super()._reply(connection, answer, method)
        self._spent[threading.current_thread()] = time.thread_time()
        return goes_on


def main() -> int:
    """Run the program."""
    arguments = _arguments()
    words = ["--side", "client", "--budget", arguments.budget, "--seed", str(arguments.seed)]
    options = {name: _options([*words, "--adapter", name]) for name in (OURS, FLOOR)}
    contract = Contract.load(options[OURS].spec)
    book = CaseBook(contract, Generator(contract, random_seed=arguments.seed, budget=options[OURS].budget))
    started = time.process_time()
    made = sum(1 for operation in contract.operations for kind in KINDS for _ in _cases(book, kind, operation))
    making = time.process_time() - started
    rounds: dict[str, list[Measured]] = {OURS: [], FLOOR: []}
    idle = {name: _idle(options[name]) for name in rounds}
    for number in range(arguments.rounds):
        for name in rounds if number % 2 == 0 else reversed(rounds):
            rounds[name].append(_measured(book, options[name], idle[name]))
    _print(rounds, made, making)
    return 0 if len({one.cases for measured in rounds.values() for one in measured}) == 1 else 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each client plays all cases (3)")
    parser.add_argument("--budget", default="quick", help="cases for each property: quick or nightly (quick)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated data (1)")
    return parser.parse_args()


def _options(words: list[str]) -> Options:
    options = parse(words)
    if not isinstance(options, Options):
        raise TypeError(words)
    return options


def _cases(book: CaseBook, kind: str, operation: Operation) -> Iterator[Any]:
    try:
        yield from getattr(book, kind)(operation)
    except (NotApplicable, NotExercised):
        return


def _idle(options: Options) -> float:
    """Processor time of a client's process that is started, and ended without a call."""
    before = _children()
    with Subject(choose_client(options)):
        pass
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measured(book: CaseBook, options: Options, idle: float) -> Measured:
    before = _children()
    with TimedServer() as server:
        with Subject(choose_client(options)) as subject:
            client_trials = ClientTrials(ClientSession(book, subject, server, Coverage(book.contract)))
            clock, processor = time.perf_counter(), time.process_time()
            _play(client_trials)
            clock, processor = time.perf_counter() - clock, time.process_time() - processor
            cases, wire = client_trials.session.played, server.seconds
            started = time.process_time()
            broken_rows = sum(_is_broken(client_trials, options, *row) for row in _rows(book.contract))
            comparison = time.process_time() - started
            if client_trials.session.played != cases:
                raise RuntimeError("comparing played further cases: its time would not be that of comparing")
        client = _children() - before - idle
    return Measured(
        cases=cases,
        clock=clock,
        client=client,
        wire=wire,
        messages=processor - wire,
        comparison=comparison,
        broken_rows=broken_rows,
    )


def _play(client: ClientTrials) -> None:
    for operation in client.contract.operations:
        for kind in KINDS:
            try:
                getattr(client.of(operation), kind)()
            except (NotApplicable, NotExercised):
                continue


def _rows(contract: Contract) -> Iterator[tuple[Callable[..., None], Operation]]:
    rules_of_this_package()  # imports the chapters
    for name in JUDGES:
        for check in vars(sys.modules[f"contract_tests.client.rules.{name}"]).values():
            rule = rule_of(check)
            if rule is not None and rule.is_property:
                yield from ((check, operation) for operation in contract.operations)


def _is_broken(client: ClientTrials, options: Options, check: Callable[..., None], operation: Operation) -> bool:
    try:
        judge(check, client, operation, options)
    except (NotApplicable, NotExercised):
        return False
    except Violations:
        return True
    return False


def _print(rounds: dict[str, list[Measured]], made: int, making: float) -> None:
    middle = {
        name: {one.name: median(getattr(each, one.name) for each in measured) for one in fields(Measured)}
        for name, measured in rounds.items()
    }
    ours, floor = middle[OURS], middle[FLOOR]
    rates = [one["cases"] / one["clock"] for one in (ours, floor)]
    ratios = [floor_one.clock / our_one.clock for our_one, floor_one in zip(rounds[OURS], rounds[FLOOR], strict=True)]
    print(
        f"{len(ratios)} rounds; {made} cases made once for both in {making:.2f} s ({1000 * making / made:.2f} ms each)"
    )
    print(ROW.format("", "ours", "bare httpx", "ratio"))
    print(ROW.format("cases played", f"{ours['cases']:.0f}", f"{floor['cases']:.0f}", ""))
    print(ROW.format("cases per second (clock)", *(f"{rate:.0f}" for rate in rates), f"{median(ratios):.2f}"))
    print(f"  ratio of the rounds: {min(ratios):.2f} to {max(ratios):.2f}")
    print("milliseconds for each case:")
    lines = {
        "from call to outcome (clock)": "clock",
        "the client's process (processor)": "client",
        "the wire server (processor)": "wire",
        "messages, outcomes, coverage (processor)": "messages",
        "comparison by the rules (processor)": "comparison",
    }
    for text, name in lines.items():
        each = [1000 * one[name] / one["cases"] for one in (ours, floor)]
        print(ROW.format(f"  {text}", *(f"{figure:.2f}" for figure in each), f"{each[0] / each[1]:.2f}"))
    print(ROW.format("rows with a violation", f"{ours['broken_rows']:.0f}", f"{floor['broken_rows']:.0f}", ""))


if __name__ == "__main__":
    sys.exit(main())
