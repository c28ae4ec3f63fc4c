"""Processes that start with everything imported already, where the system can do that."""

import multiprocessing
import sys
from typing import Final

HEAVY: Final = [
    "contract_tests.runner.session",
    "mutants.servers.serving",
    "mutants.servers.preload",
]
if sys.platform == "win32":
    CONTEXT = multiprocessing.get_context("spawn")
else:
    CONTEXT = multiprocessing.get_context("forkserver")
    CONTEXT.set_forkserver_preload(HEAVY)
