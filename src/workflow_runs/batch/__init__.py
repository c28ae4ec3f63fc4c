"""A list of inputs, run many at once and each at most once: `running` does it, `items` go in and come out of it.

`ledger` keeps in one file what was begun, so that a batch that was killed goes on where it was.
"""

from .items import BatchItem, BatchProgress, BatchResult
from .running import progress_of, run_batch, run_batch_async

__all__ = ["BatchItem", "BatchProgress", "BatchResult", "progress_of", "run_batch", "run_batch_async"]
