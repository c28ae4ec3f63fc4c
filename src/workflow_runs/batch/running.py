"""Running a list of inputs, many at once, each at most once: a batch that was killed goes on where it was.

What may be done with an item when a batch goes on, going by its state in the ledger:

    new          nothing was sent                              it is started
    begun        its request was about to go out: in doubt     it is listed, and never started again by itself
    started      it has an execution id                        it is waited for again
    refused      it was not started                            it is listed; with `repeat_refused` it is started
    succeeded    its run has ended, and the result             nothing
    failed       was handed over
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from workflow_runs.both_forms import at_once, result_of
from workflow_runs.outcome import RunFailed, RunOutcome, WaitCancelled
from workflow_runs.run_arguments import wants_all_outputs
from workflow_runs.waiting import checked_deadline
from workflow_runs_api.api.promptlayer.run_workflow import OPERATION, request
from workflow_runs_api.errors import BadArgument, Unauthorized, WorkflowRunsError

from .items import BatchItem, BatchProgress, BatchResult
from .ledger import Entry, Ledger, LedgerError
from .ledger_checks import checked_path

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Generator

    from workflow_runs.promptlayer import AsyncPromptLayer, PromptLayer
    from workflow_runs_api.models import RunAccepted, RunCreated
    from workflow_runs_api.operation import Call

__all__ = ["BatchItem", "BatchProgress", "BatchResult", "progress_of", "run_batch", "run_batch_async"]

_HOUR = 3600.0
_CONCURRENCY = 8
# As many connections as the client's pool has: more items would only wait for one.
_MOST_AT_ONCE = 100
_HANDED_OVER: Final = frozenset({"succeeded", "failed"})


class _Batch:
    """What both flavours share: everything but sending and waiting."""

    def __init__(
        self,
        client: PromptLayer | AsyncPromptLayer,
        items: Iterable[BatchItem],
        *,
        ledger: str | os.PathLike[str],
        concurrency: int,
        deadline: float,
        repeat_refused: bool,
        on_progress: Callable[[BatchProgress], object] | None,
        stopped: threading.Event | asyncio.Event,
    ) -> None:
        if isinstance(items, Iterator) or not isinstance(items, Iterable):
            raise BadArgument("expected a list, or what else can be gone through twice", field="items")
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= _MOST_AT_ONCE:
            raise BadArgument(f"expected a number from 1 to {_MOST_AT_ONCE}", field="concurrency")
        self.base_url = client.base_url
        self.concurrency = concurrency
        self.deadline = checked_deadline(deadline)
        self.stopped = stopped
        self.ledger: Ledger
        self._items = items
        self._path = checked_path(ledger)
        self._repeat_refused = repeat_refused
        self._on_progress = on_progress

    @contextmanager
    def open(self) -> Iterator[Iterator[_Work]]:
        """Open the ledger and yield what there is to do, lazily."""
        with Ledger(self._path) as self.ledger:
            self.ledger.admit(self.base_url, ((key, call) for _, key, call in self._checked()))
            yield self._works()

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """However the block ends, nothing more is begun or waited for."""
        try:
            yield
        finally:
            self.stopped.set()

    def _checked(self) -> Iterator[tuple[BatchItem, str, Call]]:
        for position, item in enumerate(self._items):
            if not isinstance(item, BatchItem):
                raise BadArgument("expected a BatchItem", field=f"items[{position}]")
            key = str(position) if item.key is None else item.key
            if not isinstance(key, str) or not key or not key.isprintable():
                raise BadArgument("expected a printable text that is not empty", field=f"items[{position}].key")
            yield item, key, _call(position, item)

    def _works(self) -> Iterator[_Work]:
        # Items that were added since then are for the next time.
        for position, (item, _, call) in enumerate(itertools.islice(self._checked(), self.ledger.total)):
            entry = self.ledger.entry(position, call)
            if entry.state not in _HANDED_OVER:
                yield _Work(self, item, entry, repeat_refused=self._repeat_refused)

    def tell(self) -> None:
        """Report how far the batch has come."""
        if self._on_progress is not None:
            self._on_progress(progress_of(self.ledger.counts()))


class _Work:
    """One item on its way through its states."""

    def __init__(self, batch: _Batch, item: BatchItem, entry: Entry, *, repeat_refused: bool) -> None:
        self.item = item
        self.result: BatchResult | None = None
        self._batch = batch
        self._entry = entry
        self._startable = {"new", "refused"} if repeat_refused else {"new"}
        if entry.state == "in_doubt" or (entry.state == "refused" and not repeat_refused):
            self._end(entry.state)

    @property
    def to_start(self) -> bool:
        """Whether a run is to be started."""
        return self._entry.state in self._startable and not self._batch.stopped.is_set()

    @property
    def to_wait(self) -> bool:
        """Whether there is a run to wait for."""
        return self._entry.state == "started"

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Stands round the request that starts the run. The ledger knows of it before it goes out."""
        self._note("begun")
        try:
            yield
        except (BadArgument, Unauthorized):
            # The client itself can't be used, or the key: that is no fault of the item, and would meet all of them.
            self._note("new")
            raise
        except WorkflowRunsError as error:
            result = self._end("in_doubt" if error.may_have_run else "refused", error=error)
            self._note(result.state, reason=result.reason, result=result.to_json())

    def started(self, run: RunCreated | RunAccepted) -> None:
        """Note the execution id."""
        execution_id = run.workflow_version_execution_id
        try:
            self._note("started", execution_id=execution_id)
        except LedgerError as error:
            error.may_have_run = True
            error.message += f"; item {self._entry.key!r} runs as execution {execution_id}"
            raise

    @property
    def question(self) -> dict[str, Any]:
        """The arguments of `wait`."""
        return {
            "run": self._entry.execution_id,
            "return_all_outputs": wants_all_outputs(self.item.arguments),
            "deadline": self._batch.deadline,
            "cancelled": self._batch.stopped,
        }

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Stands round the wait. Its end is noted once the result is handed over: until then it can be had again."""
        try:
            yield
        except WaitCancelled:
            return
        except WorkflowRunsError as error:
            # A service may count beyond what the contract lets anybody ask for: that is a fault of this item alone.
            is_of_its_id = isinstance(error, BadArgument) and error.field == "workflow_version_execution_id"
            if isinstance(error, BadArgument | Unauthorized) and not is_of_its_id:
                raise
            result = self._end("failed" if isinstance(error, RunFailed) else "unfinished", error=error)
            if result.state == "unfinished":
                self._note("started", result=result.to_json())

    def ended(self, outcome: RunOutcome) -> None:
        """Keep the outcome."""
        self._end("succeeded", outcome=outcome)

    def _end(
        self, state: Any, *, outcome: RunOutcome | None = None, error: WorkflowRunsError | None = None
    ) -> BatchResult:
        entry = self._entry
        reason = entry.reason if error is None else str(error)
        self.result = BatchResult(entry.key, entry.position, state, entry.execution_id, outcome, reason, error)
        return self.result

    def handed_over(self) -> None:
        """Note the end of the run, since its result is with the user now."""
        assert self.result is not None
        if self.result.state in _HANDED_OVER:
            self._note(self.result.state, reason=self.result.reason, result=self.result.to_json())
        self._batch.tell()

    def _note(self, state: str, **more: Any) -> None:
        self._entry = self._batch.ledger.note(self._entry, state, **more)


def run_batch(
    client: PromptLayer,
    items: Iterable[BatchItem],
    *,
    ledger: str | os.PathLike[str],
    concurrency: int = _CONCURRENCY,
    deadline: float = _HOUR,
    repeat_refused: bool = False,
    on_progress: Callable[[BatchProgress], object] | None = None,
) -> Generator[BatchResult]:
    """Run a list of inputs, several at once, and yield their results as they come, from the loop's first step on.

    The ledger makes it safe to kill the process at any moment and to call this again: no item is started twice. What
    has ended and was handed over isn't yielded again; the last one may be, if the process ended before asking for the
    next. Items in doubt and refused ones are yielded every time. An item's failure doesn't end the batch. If the loop
    is left, requests on their way are let finish, so that their execution ids are noted; nothing more is started.

    Args:
        client: Starts the runs and waits for them, with its own `retries`.
        items: What to run. It is gone through twice, first to check every item, and never held in memory.
        ledger: File that keeps what became of the items, outputs included. A batch that goes on has to be the same, at
            the same address; it may have grown: items at the end that the ledger doesn't know are new.
        concurrency: Items under way at once, 1 to 100. Default: 8.
        deadline: Seconds to wait for each run at most. Default: an hour.
        repeat_refused: Whether items that the service refused, or that found no connection, are started again.
        on_progress: Is called with a `BatchProgress` whenever it may have changed.

    Raises:
        BadArgument: An argument or an item makes no sense, the error names it; nothing was started.
        LedgerInUse: Another process goes on with this batch.
        LedgerMismatch: The ledger belongs to another batch.
        LedgerError: The ledger can't be used: it is no file, empty, damaged, or another program's; or it was removed
            or moved meanwhile.
        Unauthorized: The key is not valid. The items wait for another one.

    Example:
        >>> items = [BatchItem("support-agent", {"input_variables": {"user_message": text}}) for text in ("Hi", "Bye")]
        >>> for result in run_batch(client, items, ledger="support.ledger", concurrency=1):
        ...     print(result.key, result.state, result.outcome.output)
        0 succeeded Your invoice is attached.
        1 succeeded Your invoice is attached.
        >>> list(run_batch(client, items, ledger="support.ledger"))
        []
    """
    batch = _Batch(
        client,
        items,
        ledger=ledger,
        concurrency=concurrency,
        deadline=deadline,
        repeat_refused=repeat_refused,
        on_progress=on_progress,
        stopped=threading.Event(),
    )
    return _in_threads(client, batch)


def _in_threads(client: PromptLayer, batch: _Batch) -> Generator[BatchResult]:
    running: set[Future[_Work]] = set()
    # In this order: at the end the threads are told to stop, then waited for, and then the ledger is closed.
    with batch.open() as works, ThreadPoolExecutor(batch.concurrency) as pool, batch.stopping():
        while True:
            for work in itertools.islice(works, batch.concurrency - len(running)):
                running.add(pool.submit(at_once, _run(client, work)))
            batch.tell()
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                work = future.result()
                if work.result is not None:
                    yield work.result
                    work.handed_over()


async def _run(client: PromptLayer | AsyncPromptLayer, work: _Work) -> _Work:
    if work.to_start:
        with work.starting():
            work.started(await result_of(client.run_workflow(work.item.workflow_name, **work.item.arguments)))
    if work.to_wait:
        with work.waiting():
            work.ended(await result_of(client.wait(**work.question)))
    return work


def run_batch_async(
    client: AsyncPromptLayer,
    items: Iterable[BatchItem],
    *,
    ledger: str | os.PathLike[str],
    concurrency: int = _CONCURRENCY,
    deadline: float = _HOUR,
    repeat_refused: bool = False,
    on_progress: Callable[[BatchProgress], object] | None = None,
) -> AsyncGenerator[BatchResult]:
    """Run a list of inputs like `run_batch`, for asyncio, with the same arguments; goes into an `async for`.

    The ledger is synced to the disk in the event loop's thread, three syncs for each step of an item: what is
    noted must not be torn from what is sent. Close the generator (`contextlib.aclosing`) if you leave the loop early.

    Example:
        >>> async def main() -> list[str]:
        ...     async with AsyncPromptLayer() as client:  # key from PROMPTLAYER_API_KEY
        ...         items = [BatchItem("support-agent", {"input_variables": {"user_message": "Hi"}})]
        ...         return [result.state async for result in run_batch_async(client, items, ledger="hi.ledger")]
        >>> asyncio.run(main())
        ['succeeded']
    """
    batch = _Batch(
        client,
        items,
        ledger=ledger,
        concurrency=concurrency,
        deadline=deadline,
        repeat_refused=repeat_refused,
        on_progress=on_progress,
        stopped=asyncio.Event(),
    )
    return _in_tasks(client, batch)


async def _in_tasks(client: AsyncPromptLayer, batch: _Batch) -> AsyncGenerator[BatchResult]:
    running: set[asyncio.Task[_Work]] = set()
    done: set[asyncio.Task[_Work]] = set()
    with batch.open() as works:
        try:
            while True:
                for work in itertools.islice(works, batch.concurrency - len(running)):
                    running.add(asyncio.create_task(_run(client, work)))
                batch.tell()
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    work = task.result()
                    if work.result is not None:
                        yield work.result
                        work.handed_over()
        finally:
            batch.stopped.set()
            await asyncio.gather(*running, *done, return_exceptions=True)


def _call(position: int, item: BatchItem) -> Call:
    try:
        call = request(item.workflow_name, **item.arguments)
        OPERATION.outgoing(call, "")  # finds what can be read as an argument, but not be written
    except BadArgument as refusal:
        words = refusal.message.removeprefix(f"{refusal.field}: ")
        raise BadArgument(words, field=f"items[{position}].{refusal.field}") from None
    except TypeError as refusal:
        words = str(refusal).removeprefix("request() ")
        raise BadArgument(words, field=f"items[{position}].arguments") from None
    return call


def progress_of(counts: dict[str, int]) -> BatchProgress:
    """Return how far a batch has come, going by the number of items in each state."""
    under_way = counts.get("begun", 0) + counts.get("started", 0)
    named = {state: counts.get(state, 0) for state in ("new", "succeeded", "failed", "refused", "in_doubt")}
    return BatchProgress(total=sum(counts.values()), under_way=under_way, **named)
