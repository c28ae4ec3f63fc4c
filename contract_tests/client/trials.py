"""
What is played with the client, once for all rules that judge it.

Each kind of trial is played when a rule first asks for it. The first case about a thing is played in the client's
synchronous and in its asynchronous form, further ones about the same thing in turn.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from contract_tests.cases.case import RequestCase
from contract_tests.cases.keeping import forget, once, return_free_memory
from contract_tests.cases.network import FaultCase, fault_cases, large_faults, limited, odd_waits
from contract_tests.cases.responses import ReplyCase
from contract_tests.cases.same_form import reply_form, request_form, starts_by_form, successes_of
from contract_tests.cases.secret_responses import Ending, echoes, success_with, terminations
from contract_tests.client.adapter import Scheme
from contract_tests.client.faults import FaultTrial, play_faults
from contract_tests.client.outcome import Unclaimed
from contract_tests.client.session import MODES, ClientSession, Trial
from contract_tests.http.recording_server import RecordingServer, ScriptedResponse
from contract_tests.openapi.document import Operation
from contract_tests.registry import rules_of_this_package
from contract_tests.rules import NotApplicable, NotExercised, SetUpError, Side

Case = TypeVar("Case", RequestCase, ReplyCase)
Tried = TypeVar("Tried", bound=Trial[Any])
LOOKED_AT: Final = 4
TOO_MANY: Final = 429
WAIT_TOGETHER: Final = 24  # operations: enough that waiting costs little, few enough to be kept
IN_ONE_PROCESS: Final = 16  # operations: a client keeps the modules of each, two megabytes in a large package


class ClientTrials:
    """
    What is played with a whole client; its adapter is asked about its modules once, too.

    Attributes:
        judged: The ids of the operations that are judged; None for all of the contract.
    """

    def __init__(self, session: ClientSession, judged: Collection[str] | None = None) -> None:
        self.session, self.book, self.contract = session, session.book, session.book.contract
        self.judged = judged
        self._faults: dict[str, list[FaultTrial]] = {}
        self._firsts: dict[str, Operation | None] = {}
        self._done = 0

    @once
    def of(self, operation: Operation) -> "Trials":
        """Return the trials of one operation."""
        return Trials(self, operation)

    def faults(self, operation: Operation) -> list[FaultTrial]:
        """Return calls on a wire that misbehaves; those of several operations wait at the same time."""
        if operation.id not in self._faults:
            following = self.contract.operations[self.contract.operations.index(operation) :]
            group = [one for one in following if self.judged is None or one.id in self.judged][:WAIT_TOGETHER]
            calls = {one.id: [*self.of(one).fault_calls()] for one in group if one.id not in self._faults}
            played = iter(play_faults([call for several in calls.values() for call in several]))
            self._faults |= {name: [next(played) for _ in several] for name, several in calls.items()}
        return self._faults[operation.id]

    def forget(self, operation: Operation) -> None:
        """Let go of what was played with an operation, of its cases, and sometimes of the client's process."""
        forget(self, operation.id.__eq__)
        self.book.forget(operation)
        self._faults.pop(operation.id, None)
        self._done += 1
        if self._done % IN_ONE_PROCESS == 0:
            self.session.subject.close()
        return_free_memory()

    def first_of(self, kind: str, is_alike: Callable[[Operation], bool]) -> Operation | None:
        """Return the first operation of a kind that can be called; looked for once, since that draws requests."""

        def is_offered(operation: Operation) -> bool:
            try:
                return is_alike(operation) and bool(self.of(operation).modes())
            except (NotApplicable, NotExercised):
                return False

        if kind not in self._firsts:
            self._firsts[kind] = next(filter(is_offered, self.contract.operations), None)
        return self._firsts[kind]

    def documented(self) -> Mapping[str, str]:
        """Return the ids of rules that the client's own documentation states, with the places that do."""
        told: Mapping[str, str] = self.session.subject.ask("documents")["rules"]
        known = {rule.id for rule in rules_of_this_package() if rule.side is Side.CLIENT}
        if unknown := sorted(told.keys() - known):
            raise SetUpError(f"adapter {self.session.subject.choice.adapter}: no rule for clients is {unknown[0]}")
        return told

    @once
    def module_remarks(self) -> list[dict[str, str]]:
        """Return what is wrong with the modules of the client's packages; raises NotApplicable if none is named."""
        remarks: list[dict[str, str]] | None = self.session.subject.ask("modules").get("remarks")
        if remarks is None:
            raise NotApplicable("the adapter names no package to look at")
        return remarks


class Trials:
    """What is played with one operation; ``contract`` is the contract itself, ``incoming`` as responses see it."""

    def __init__(self, client: ClientTrials, operation: Operation) -> None:
        self.client, self.session, self.book = client, client.session, client.book
        self.contract, self.outgoing, self.incoming = client.contract, client.book.outgoing, client.book.incoming
        self.operation = operation
        self._turns: Counter[str] = Counter()
        self._by_number: dict[int, Trial[RequestCase] | Trial[ReplyCase]] = {}

    @property
    def start(self) -> RequestCase:
        """A small legal request."""
        return self.book.start(self.operation)

    @once
    def fullest(self) -> RequestCase:
        """Return a legal request with as many arguments as can be given together."""
        return self.book.fullest(self.operation)

    @property
    def success(self) -> ScriptedResponse:
        """A legal response of success."""
        return self.book.success(self.operation)

    @property
    def has_forms(self) -> bool:
        """Whether the form of a request decides that of the response."""
        return self.operation.has_same_form

    @once
    def _starts(self) -> dict[int | None, RequestCase]:
        return starts_by_form(self.outgoing, self.start)

    def start_for(self, case: ReplyCase) -> RequestCase:
        """Return a small legal request that may be answered by a response."""
        return self._starts().get(reply_form(self.incoming, case), self.start) if self.has_forms else self.start

    def success_for(self, case: RequestCase) -> ScriptedResponse:
        """Return a legal response of success to a request."""
        form = request_form(self.outgoing, case)
        own = successes_of(self.incoming, form, self.book.legal_replies(self.operation)) if form is not None else ()
        return next((one.answer for one in own), self.success)

    @property
    def scheme(self) -> Scheme | None:
        """Where the credentials go, if any are needed."""
        return self.session.scheme(self.operation)

    @once
    def legal_requests(self) -> list[Trial[RequestCase]]:
        """Return calls with legal arguments."""
        return self._requests("legal", self.book.legal_requests(self.operation), MODES)

    @once
    def broken_requests(self) -> list[Trial[RequestCase]]:
        """Return calls whose arguments break one constraint each."""
        return self._requests("broken", self.book.broken_requests(self.operation), self.modes())

    @once
    def probes(self) -> list[Trial[RequestCase]]:
        """Return calls with a step or nothing as a path parameter."""
        return self._requests("probe", self.book.probes(self.operation), self.modes())

    @once
    def smuggled(self) -> list[Trial[RequestCase]]:
        """Return calls with what could end a header or a cookie in one of them."""
        return self._requests("smuggled", self.book.smuggled(self.operation), self.modes())

    @once
    def odd_numbers(self) -> list[Trial[RequestCase]]:
        """Return calls with numbers that JSON does not have."""
        return self._requests("number", self.book.odd_numbers(self.operation), self.modes())

    @once
    def half_letters(self) -> list[Trial[RequestCase]]:
        """Return calls with texts that UTF-8 does not have."""
        return self._requests("half a letter", self.book.half_letters(self.operation), self.modes())

    @once
    def legal_replies(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered with each documented status and legal bodies."""
        return self._replies(self.book.legal_replies(self.operation))

    @once
    def odd_replies(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered with times that few libraries read."""
        return self._replies(self.book.odd_replies(self.operation))

    @once
    def extended_responses(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered with properties and enum values that the contract does not name."""
        return self._replies(self.book.extended_responses(self.operation))

    @once
    def deep_replies(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered with JSON that is nested very deeply."""
        return self._replies(self.book.deep_replies(self.operation))

    @once
    def broken_replies(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered with what the contract does not allow."""
        return self._replies(self.book.broken_replies(self.operation))

    @once
    def replies_to_others(self) -> list[Trial[ReplyCase]]:
        """Return calls that are answered in the form in which a request of another form is."""
        tried, modes = list[Trial[ReplyCase]](), self.modes()
        for form, start in self._starts().items() if self.has_forms else ():
            others = (case for case in self.book.legal_replies(self.operation) if case.is_success)
            wrong = [case for case in others if reply_form(self.incoming, case) not in {None, form}][:LOOKED_AT]
            tried += [self.session.play(case, start, [case.answer], mode) for case in wrong for mode in modes]
        return supported(tried)

    @once
    def terminations(self) -> Iterator[Trial[Ending]]:
        """Return calls that end in one way of each kind, with the places in which the key was left."""
        for mode in self.modes():
            for ending in terminations(self.success, self.book.legal_replies(self.operation)):
                yield self.session.play(ending, self.start, [ending.answer], mode, task="watched")

    @once
    def echoes(self) -> Iterator[Trial[Ending]]:
        """Return calls that are answered with the key, if they have sent it."""
        for mode in self.modes() if self.scheme else ():
            for ending in echoes(self.session.key, self.success, self.book.legal_replies(self.operation)):
                yield self.session.play(ending, self.start, [ending.answer], mode)

    @once
    def logged_echoes(self) -> list[Trial[Ending]]:
        """Return calls whose success comes with the key in a header, with the places in which the key was left."""
        ending = success_with(self.session.key, self.success)
        return [self.session.play(ending, self.start, [ending.answer], mode, task="watched") for mode in self.modes()]

    @once
    def modes(self) -> tuple[str, ...]:
        """Return the modes in which the operation can be called; raises NotExercised or NotApplicable if in none."""
        tried = supported(self.ask("call", mode) for mode in MODES)
        modes = tuple(trial.mode for trial in tried if trial.seen)
        if not modes:
            raise NotExercised("no legal request reached the wire, see CL-REQ-01")
        return modes

    @once
    def remarks(self) -> list[tuple[Trial[ReplyCase], dict[str, str]]]:
        """Return what is wrong with the objects that responses become: check, name of the class, and what was seen."""
        mode = self.modes()[0]
        tried = [
            self.session.play(case, self.start_for(case), [case.answer], mode, task="objects")
            for case in _telling(self.book.legal_replies(self.operation))
        ]
        return [(trial, remark) for trial in tried for remark in trial.told.get("remarks", ())]

    def faults(self) -> list[FaultTrial]:
        """Return calls on a wire that misbehaves, with the client's own policy for sending again."""
        self.modes()  # or the reason why there is none
        return supported(self.client.faults(self.operation))

    def fault_calls(self) -> Iterator[Callable[[], FaultTrial]]:
        """Return those calls, to be made at the same time as others; none if the operation can't be called."""
        try:
            modes = self.modes()
        except (NotExercised, NotApplicable):
            return
        self.fullest()  # made here, since many threads will ask for it
        first = self.contract.operations.index(self.operation)
        for number, case in enumerate(self._fault_cases(), first):
            # Among many operations each fault meets both modes, though not with every operation.
            in_turn = (modes[number % len(modes)],) if self.book.budget.has_many_operations else modes
            yield from (partial(self.play_fault, case, mode) for mode in in_turn)

    def _fault_cases(self) -> Iterator[FaultCase]:
        operation, book = self.operation, self.book
        yield from fault_cases(operation, self.success, partial(book.refusal, operation))
        if (alike := self.first_as_repeatable()) is not None and alike.id == operation.id:
            yield from odd_waits(self.success, book.refusal(operation, TOO_MANY))
        if self.represents("any", lambda _: True) and self.offers("has_whole_timeout"):
            yield from limited(self.success, book.refusal(operation, TOO_MANY))
        if self.represents("large", lambda one: not one.may_be_repeated and book.large(one) is not None):
            yield from large_faults()

    def first_as_repeatable(self) -> Operation | None:
        """Return the first operation that may be repeated as this one may, or not."""
        is_repeatable = self.operation.may_be_repeated
        return self.client.first_of(f"repeatable: {is_repeatable}", lambda one: one.may_be_repeated == is_repeatable)

    def represents(self, kind: str, is_alike: Callable[[Operation], bool]) -> bool:
        """Whether the operation is the first of its kind, where the kind is all that matters."""
        found = self.client.first_of(kind, is_alike)
        return found is not None and found.id == self.operation.id

    def play_fault(self, case: FaultCase, mode: str) -> FaultTrial:
        """Return one call on a wire that misbehaves."""
        # Each on a server of its own: the waits of all cases pass at the same time.
        with RecordingServer(reads_bodies=not case.is_large) as server:
            wire: dict[str, Any] = {
                "server": server,
                "timeout": case.timeout,
                "retries": None,
                "whole_timeout": case.whole_timeout,
            }
            large = self.book.large(self.operation) if case.is_large else None
            start = large or (self.fullest() if case.is_full else self.start)
            return self.session.play(case, start, case.answers, mode, **wire)

    def ask(self, task: str, mode: str, **connection: Any) -> Trial[RequestCase]:
        """Return what came of one of the driver's tasks with a plain successful call."""
        return self.answered(mode, self.success, task=task, **connection)

    def answered(self, mode: str, *answers: ScriptedResponse, **more: Any) -> Trial[RequestCase]:
        """Return a plain call with these responses; what else may be said is as in :meth:`ClientSession.play`."""
        return self.session.play(self.start, self.start, answers, mode, **more)

    def offers(self, name: str) -> bool:
        """Whether the adapter says of its client that it has something."""
        return bool(self.session.subject.ask("offers", name=name)["is_there"])

    def drawn(self, number: int | None) -> Trial[RequestCase] | Trial[ReplyCase] | None:
        """Return the trial with a number, if it is legal and its data was drawn."""
        trial = self._by_number.get(number or 0)
        return trial if trial is not None and self.book.is_drawn(trial.case) else None

    def _requests(self, kind: str, cases: Iterable[RequestCase], modes: tuple[str, ...]) -> list[Trial[RequestCase]]:
        return supported(
            trial
            for case in cases
            for trial in self._play(case, case, self.success_for(case), f"{kind} {_about(kind, case)}", modes)
        )

    def _replies(self, cases: Iterable[ReplyCase]) -> list[Trial[ReplyCase]]:
        modes = self.modes()
        return supported(
            trial
            for case in cases
            for trial in self._play(
                case, self.start_for(case), case.answer, f"reply {case.answer.status} {case.about}", modes
            )
        )

    def _play(
        self, case: Case, request: RequestCase, answer: ScriptedResponse, about: str, modes: tuple[str, ...]
    ) -> Iterator[Trial[Case]]:
        self._turns[about] += 1
        for mode in modes if self._turns[about] == 1 else (modes[self._turns[about] % len(modes)],):
            trial = self.session.play(case, request, [answer], mode)
            if trial.seen:
                self.session.coverage.saw_request(request.operation, request.names, request.body)
                self.session.coverage.saw_reply(request.operation, answer.status, answer.media_type or "")
            self._by_number[trial.number] = trial
            yield trial


def supported(trials: Iterable[Tried]) -> list[Tried]:
    """
    Leave out calls that the client does not claim to offer.

    Raises:
        NotApplicable: If that leaves none.
    """
    tried = [(trial, trial.outcome) for trial in trials]
    reasons = [outcome.reason for _, outcome in tried if isinstance(outcome, Unclaimed)]
    if reasons and len(reasons) == len(tried):
        raise NotApplicable(f"not claimed: {reasons[0]}")
    return [trial for trial, outcome in tried if not isinstance(outcome, Unclaimed)]


def _about(kind: str, case: RequestCase) -> str:
    # Each step in a path is a thing of its own.
    return f"{case.focus} {case.breach.constraint if case.breach else ''} {case.path if kind == 'probe' else ''}"


def _telling(cases: Iterable[ReplyCase]) -> list[ReplyCase]:
    """Return a few responses that are objects or lists, those with the most in them first; one of each error."""
    inner = [case for case in cases if isinstance(case.value, dict | list)]
    successes = [case for case in inner if case.is_success]
    largest = sorted(inner, key=lambda case: -len(case.answer.body))
    errors = {case.answer.status: case for case in reversed(largest) if not case.is_success}
    return [*[case for case in largest if case.is_success][:LOOKED_AT], *successes[:LOOKED_AT], *errors.values()]
