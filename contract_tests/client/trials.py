"""
Everything that is played with the client, once for all rules that judge it.

Each kind of trial is played when a rule first asks for it. The first case about a thing is played in the client's
synchronous and in its asynchronous form, further ones about the same thing in turn.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from contract_tests.cases.case import RequestCase
from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.deliveries import Delivery, Post
from contract_tests.cases.keeping import once
from contract_tests.cases.network import FaultCase, fault_cases
from contract_tests.cases.responses import ReplyCase
from contract_tests.cases.secret_responses import Ending, echoes, terminations
from contract_tests.client.outcome import Lost, Outcome, Unclaimed
from contract_tests.client.session import MODES, ClientSession, Played
from contract_tests.coverage import Coverage
from contract_tests.http.recording_server import REQUEST_LIMIT, RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Operation, Parameter
from contract_tests.openapi.validation import Problem
from contract_tests.rules import NotApplicable, NotExercised

T = TypeVar("T")
AT_A_TIME: Final = 24
LOOKED_AT: Final = 4
DELIVERY_TIMEOUT: Final = 120.0


@dataclass(frozen=True)
class RequestTrial:
    """
    A call with these arguments, answered with a legal success.

    Attributes:
        focus: Pointer of the schema that the arguments were chosen for, empty if they were not.
        breach: The one constraint that the arguments break, None if they are legal.
    """

    case: RequestCase
    played: Played
    focus: str = ""
    breach: Problem | None = None


@dataclass(frozen=True)
class ProbeTrial:
    """A call with something that is not ordinary in one parameter or body member: ``about`` is its pointer."""

    case: RequestCase
    about: str
    played: Played
    parameter: Parameter | None = None


@dataclass(frozen=True)
class ReplyTrial:
    """A legal call, answered like this."""

    case: ReplyCase
    played: Played


@dataclass(frozen=True)
class ObjectRemark:
    """What is wrong with an object: which check says so, the name of its class, what was seen, and when."""

    check: str
    about: str
    text: str
    number: int


@dataclass(frozen=True)
class EndingTrial:
    """
    A legal call that ends in some way, and where the key lies afterwards.

    Attributes:
        held: Places below the error, as Python would reach them.
        framed: Variables of the frames that it went through.
        logged: Names of the loggers that tell it.
        number: How many cases had been played when it was, itself included.
    """

    ending: Ending
    mode: str
    outcome: Outcome
    held: tuple[str, ...]
    framed: tuple[str, ...]
    logged: tuple[str, ...]
    number: int


@dataclass(frozen=True)
class EchoTrial:
    """A legal call, answered with the key."""

    ending: Ending
    played: Played


@dataclass(frozen=True)
class DeliveryTrial:
    """
    A delivery, and what the client made of it.

    Attributes:
        parsed: What its parser made of it: ``json``, ``unreadable``, or ``error`` with ``own`` and ``text``; None if
            it was not asked.
        status: What its application answered, or what it let through; None if there is none.
        events: What its application handed on; None if there is none.
        tells: Whether the refusal says what a forger wants to know.
        number: How many cases had been played when it was, itself included.
    """

    post: Post
    parsed: Mapping[str, Any] | None
    status: int | str | None
    events: list[Mapping[str, Any]] | None
    tells: bool
    number: int


@dataclass(frozen=True)
class FaultTrial:
    """A legal call on a wire that misbehaves."""

    case: FaultCase
    played: Played


Trial = TypeVar("Trial", RequestTrial, ProbeTrial, ReplyTrial, FaultTrial)


def supported(trials: Iterable[Trial]) -> list[Trial]:
    """
    Leave out calls that the client does not claim to offer.

    Raises:
        NotApplicable: If that leaves none.
    """
    tried = list(trials)
    judged = [trial for trial in tried if not isinstance(trial.played.outcome, Unclaimed)]
    reasons = [trial.played.outcome.reason for trial in tried if isinstance(trial.played.outcome, Unclaimed)]
    if reasons and not judged:
        raise NotApplicable(f"not claimed: {reasons[0]}")
    return judged


class Trials:
    """Plays and keeps trials; see the module's docstring."""

    def __init__(self, book: CaseBook, stage: ClientSession, coverage: Coverage) -> None:
        self.contract, self.outgoing, self.incoming = book.contract, book.outgoing, book.incoming
        self.stage = stage
        self.book = book
        self._coverage = coverage
        self._kept: dict[tuple[str, str], Any] = {}
        self._modules: Mapping[str, Any] | None = None
        self._turns: Counter[str] = Counter()
        self._faults: dict[str, list[Future[FaultTrial]]] = {}

    @once
    def legal_requests(self, operation: Operation) -> list[RequestTrial]:
        """Return calls with legal arguments."""
        success = self.book.success(operation)
        return supported(
            RequestTrial(case.request, played, focus=case.focus)
            for case in self.book.legal_requests(operation)
            for played in self._play(case.request, success, f"legal {case.focus}")
        )

    @once
    def broken_requests(self, operation: Operation) -> list[RequestTrial]:
        """Return calls whose arguments break one constraint each."""
        success, modes = self.book.success(operation), self.modes(operation)
        return supported(
            RequestTrial(case, played, breach=case.breach)
            for case in self.book.broken_requests(operation)
            for played in self._play(case, success, f"broken {case.breach and case.breach.constraint}", modes)
        )

    @once
    def probes(self, operation: Operation) -> list[ProbeTrial]:
        """Return calls with a step or nothing as a path parameter."""
        found = ((case, item.pointer, item) for case, item in self.book.probes(operation))
        return self._play_odd(operation, "probe", found)

    @once
    def smuggled(self, operation: Operation) -> list[ProbeTrial]:
        """Return calls with what could end a header or a cookie in one of them."""
        found = ((case, item.pointer, item) for case, item in self.book.smuggled(operation))
        return self._play_odd(operation, "smuggled", found)

    @once
    def odd_numbers(self, operation: Operation) -> list[ProbeTrial]:
        """Return calls with numbers that JSON does not have."""
        found = ((case, pointer, None) for case, pointer in self.book.odd_numbers(operation))
        return self._play_odd(operation, "number", found)

    @once
    def legal_replies(self, operation: Operation) -> list[ReplyTrial]:
        """Return calls that are answered with each documented status and legal bodies."""
        return self._replies(operation, self.book.legal_replies(operation))

    @once
    def odd_replies(self, operation: Operation) -> list[ReplyTrial]:
        """Return calls that are answered with times that few libraries read."""
        return self._replies(operation, self.book.odd_replies(operation))

    @once
    def extended_responses(self, operation: Operation) -> list[ReplyTrial]:
        """Return calls that are answered with members and words that the contract does not name."""
        return self._replies(operation, self.book.extended_responses(operation))

    @once
    def deep_replies(self, operation: Operation) -> list[ReplyTrial]:
        """Return calls that are answered with JSON that is nested very deeply."""
        return self._replies(operation, self.book.deep_replies(operation))

    @once
    def broken_replies(self, operation: Operation) -> list[ReplyTrial]:
        """Return calls that are answered with what the contract does not allow."""
        return self._replies(operation, self.book.broken_replies(operation))

    def drawn(self, operation: Operation, number: int | None) -> RequestTrial | ReplyTrial | None:
        """Return the legal trial with a number, if its data was drawn."""
        kept = (self._kept.get((kind, operation.id), ()) for kind in ("legal_requests", "legal_replies"))
        trials = [trial for several in kept if isinstance(several, list) for trial in several]
        trial = next((one for one in trials if one.played.number == number), None)
        if isinstance(trial, RequestTrial):
            return trial if trial.case.is_drawn else None
        return trial if isinstance(trial, ReplyTrial) and self.book.is_drawn(trial.case) else None

    def start(self, operation: Operation) -> RequestCase:
        """Give a small legal request."""
        return self.book.start(operation)

    def success(self, operation: Operation) -> ScriptedResponse:
        """Give a legal answer of success."""
        return self.book.success(operation)

    @once
    def terminations(self, operation: Operation) -> Iterator[EndingTrial]:
        """Return calls that end in one way of each kind, with all that was left behind."""
        start, success = self.book.start(operation), self.book.success(operation)
        for mode in self.modes(operation):
            connection = self.stage.connection(operation, self.stage.server, mode)
            for ending in terminations(success, self.book.legal_replies(operation)):
                asked = self.stage.ask("watched", start, [ending.answer], connection)
                held, framed, logged = (tuple(asked.answer.get(name, ())) for name in ("held", "framed", "logged"))
                yield EndingTrial(ending, mode, asked.outcome, held, framed, logged, asked.number)

    @once
    def echoes(self, operation: Operation) -> Iterator[EchoTrial]:
        """Return calls that are answered with the key."""
        if self.stage.scheme(operation) is None:
            return  # what an operation is not sent it can't send back
        start, success = self.book.start(operation), self.book.success(operation)
        for mode in self.modes(operation):
            for ending in echoes(self.stage.key, success, self.book.legal_replies(operation)):
                yield EchoTrial(ending, self.stage.play(start, [ending.answer], mode))

    @once
    def modes(self, operation: Operation) -> tuple[str, ...]:
        """Return the modes in which an operation can be called; raises NotExercised or NotApplicable if in none."""
        start, success = self.book.start(operation), self.book.success(operation)
        tried = supported(RequestTrial(start, self.stage.play(start, [success], mode)) for mode in MODES)
        modes = tuple(trial.played.mode for trial in tried if trial.played.seen)
        if not modes:
            raise NotExercised("no legal request reached the wire, see CL-REQ-01")
        return modes

    @once
    def remarks(self, operation: Operation) -> list[ObjectRemark]:
        """Return what is wrong with the objects that replies become."""
        start, mode = self.book.start(operation), self.modes(operation)[0]
        connection = self.stage.connection(operation, self.stage.server, mode)
        found: list[ObjectRemark] = []
        for case in _telling(self.book.legal_replies(operation)):
            asked = self.stage.ask("objects", start, [case.answer], connection)
            remarks = asked.answer.get("remarks", ())
            found += (ObjectRemark(one["check"], one["about"], one["text"], asked.number) for one in remarks)
        return found

    def module_remarks(self) -> list[dict[str, str]] | None:
        """Give what is wrong with the modules of the client's packages; None if the adapter names none."""
        if self._modules is None:
            self._modules = self.stage.subject.ask("modules")
        remarks: list[dict[str, str]] | None = self._modules.get("remarks")
        return remarks

    def proofs(self, delivery: Delivery) -> list[str]:
        """Give the kinds of proof of a sender that can be missing; raises NotApplicable like :meth:`deliver`."""
        answer = self.stage.subject.ask("receive", delivery=delivery.name, posts=[])
        if answer["kind"] != "received":
            raise NotApplicable(f"not claimed: {answer['text']}")
        proofs: list[str] = answer["proofs"]
        return proofs

    def deliver(self, delivery: Delivery, posts: Sequence[Post]) -> list[DeliveryTrial]:
        """
        Post to one receiver of the client's, in order.

        Raises:
            NotApplicable: If the client does not claim to receive these.
        """
        made = list(posts)
        first = self.stage.count(len(made))
        messages = [post.to_message() for post in made]
        answer = self.stage.subject.ask("receive", delivery=delivery.name, posts=messages, timeout=DELIVERY_TIMEOUT)
        if answer["kind"] != "received":
            raise NotApplicable(f"not claimed: {answer['text']}")
        pairs = zip(made, answer["taken"], strict=True)
        return [
            DeliveryTrial(post, taken["parsed"], taken["status"], taken["events"], taken["tells"], first + index)
            for index, (post, taken) in enumerate(pairs)
        ]

    def faults(self, operation: Operation) -> list[FaultTrial]:
        """Give calls on a wire that misbehaves, with the client's own policy for sending again."""
        if not self._faults:
            self._start_faults()
        return supported(future.result() for future in self._faults[operation.id])

    def fault_again(self, operation: Operation, trial: FaultTrial) -> FaultTrial:
        """Return the same call on a wire that misbehaves, made once more."""
        return self._play_fault(self.book.start(operation), trial.case, trial.played.mode)

    def _play(
        self, case: RequestCase, answer: ScriptedResponse, about: str, modes: tuple[str, ...] = MODES
    ) -> Iterator[Played]:
        names = [*case.path, *case.query, *case.headers, *case.cookies]
        about = f"{case.operation.id} {about}"
        self._turns[about] += 1
        for mode in modes if self._turns[about] == 1 else (modes[self._turns[about] % len(modes)],):
            played = self.stage.play(case, [answer], mode)
            if played.seen:
                self._coverage.saw_request(case.operation, names, case.body)
                self._coverage.saw_reply(case.operation, answer.status, answer.media_type or "")
            yield played

    def _play_odd(
        self, operation: Operation, kind: str, found: Iterable[tuple[RequestCase, str, Parameter | None]]
    ) -> list[ProbeTrial]:
        success, modes = self.book.success(operation), self.modes(operation)
        return supported(
            ProbeTrial(case, about, played, parameter)
            for case, about, parameter in found
            for played in self._play(case, success, f"{kind} {about} {case.path}", modes)
        )

    def _replies(self, operation: Operation, cases: Iterable[ReplyCase]) -> list[ReplyTrial]:
        start, modes = self.book.start(operation), self.modes(operation)
        return supported(
            ReplyTrial(case, played)
            for case in cases
            for played in self._play(start, case.answer, f"reply {case.answer.status} {case.about}", modes)
        )

    def _start_faults(self) -> None:
        # Faults are mostly waiting: those of all operations wait at the same time.
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for operation in self.contract.operations:
                self._faults[operation.id] = list(self._submit_faults(pool, operation))
        # All calls of a moment share one process: what another call did to it says nothing of this one. So whoever was
        # lost with it is called again, without the cases that end it, and then alone. Alone a call that hangs costs
        # its whole time, so a case that hung once is not tried again; one that storms is stopped at once.
        for at_a_time, is_guilty in ((AT_A_TIME, _ends_its_process), (1, _hangs)):
            guilty = {trial.case.name for trial in self._fault_trials() if is_guilty(trial.played)}
            with ThreadPoolExecutor(at_a_time) as pool:
                for operation in self.contract.operations:
                    self._faults[operation.id] = [
                        pool.submit(self.fault_again, operation, one.result()) if _was_lost(one, guilty) else one
                        for one in self._faults[operation.id]
                    ]

    def _fault_trials(self) -> list[FaultTrial]:
        played = [one for futures in self._faults.values() for one in futures]
        return [one.result() for one in played if one.exception() is None]

    def _submit_faults(self, pool: ThreadPoolExecutor, operation: Operation) -> Iterator[Future[FaultTrial]]:
        try:
            start, success = self.book.start(operation), self.book.success(operation)
            modes = self.modes(operation)
        except (NotExercised, NotApplicable) as reason:
            yield _failed(reason)
            return
        for case in fault_cases(operation, success, lambda status: self.book.refusal(operation, status)):
            for mode in modes:
                yield pool.submit(self._play_fault, start, case, mode)

    def _play_fault(self, start: RequestCase, case: FaultCase, mode: str) -> FaultTrial:
        # Each on a server of its own: the waits of all cases pass at the same time.
        with RecordingServer() as server:
            played = self.stage.play(start, case.answers, mode, timeout=case.timeout, retries=None, server=server)
        return FaultTrial(case, played)


def _telling(cases: Iterable[ReplyCase]) -> list[ReplyCase]:
    """Give a few replies that are objects or lists, those with the most in them first; one of each error."""
    inner = [case for case in cases if isinstance(case.value, dict | list)]
    successes = [case for case in inner if case.is_success]
    failures = [case for case in inner if not case.is_success]
    errors = {case.answer.status: case for case in reversed(_largest_first(failures))}
    return [*_largest_first(successes)[:LOOKED_AT], *successes[:LOOKED_AT], *errors.values()]


def _largest_first(cases: Iterable[ReplyCase]) -> list[ReplyCase]:
    return sorted(cases, key=lambda case: -len(case.answer.body))


def _hangs(played: Played) -> bool:
    return isinstance(played.outcome, Lost) and played.outcome.is_hung


def _ends_its_process(played: Played) -> bool:
    """Return whether a call hung or sent requests without end."""
    return _hangs(played) or (isinstance(played.outcome, Lost) and len(played.seen) >= REQUEST_LIMIT)


def _was_lost(one: Future[FaultTrial], guilty: Collection[str]) -> bool:
    """Return whether a call was lost with a process that it did not end itself, in none of the guilty cases."""
    trial = one.result() if one.exception() is None else None
    if trial is None or _ends_its_process(trial.played):
        return False
    return isinstance(trial.played.outcome, Lost) and trial.case.name not in guilty


def _failed(reason: Exception) -> Future[FaultTrial]:
    future: Future[FaultTrial] = Future()
    future.set_exception(reason)
    return future
