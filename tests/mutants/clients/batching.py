"""Clients that run batches wrongly: they start an item twice, forget one, or flood the service."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect

STARTABLE: Final = '{"new", "refused"} if repeat_refused else {"new"}'
IN_DOUBT: Final = 'entry.state == "in_doubt" or (entry.state == "refused" and not repeat_refused)'
TASKS: Final = "batch.concurrency - len(running)):\n                    running.add(asyncio"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield defect(
        "batch.not-noted",
        "does not note an item before its request",
        "state lost",
        "CL-BAT-01",
        client("batch/running.py", '        self._note("begun")\n', ""),
    )
    yield defect(
        "batch.doubt-repeated",
        "starts an item in doubt again",
        "retry added",
        "CL-BAT-01",
        client("batch/running.py", STARTABLE, '{"new", "in_doubt"}'),
        client("batch/running.py", IN_DOUBT, 'entry.state == "refused" and not repeat_refused'),
    )
    yield defect(
        "batch.late-is-failed",
        "takes a wait that timed out for the end of the run",
        "outcome mistaken",
        "CL-BAT-02",
        client("batch/running.py", "RunOutcome, WaitCancelled\n", "RunOutcome, WaitCancelled, WaitTimeout\n"),
        client(
            "batch/running.py", "isinstance(error, RunFailed) else", "isinstance(error, RunFailed | WaitTimeout) else"
        ),
    )
    yield defect(
        "batch.flood",
        "has more items under way than it was asked for",
        "limit ignored",
        "CL-BAT-03",
        client("batch/running.py", TASKS, TASKS.replace(" - len(running)", "")),
    )
    yield defect(
        "batch.file-shared",
        "lets two batches have the same ledger at the same time",
        "lock removed",
        "CL-BAT-04",
        client("batch/ledger_file.py", '"locking_mode = EXCLUSIVE"', '"locking_mode = NORMAL"'),
    )
    yield defect(
        "batch.change-unseen",
        "takes an item with other inputs for the one that stood there",
        "comparison narrowed",
        "CL-BAT-05",
        client("batch/ledger.py", "json.dumps([call.path, call.body], sort_keys", "json.dumps([call.path], sort_keys"),
    )
