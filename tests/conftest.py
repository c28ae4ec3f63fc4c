"""What holds for every test."""

import gc
import signal

# A process that a shell script started in the background ignores Ctrl-C, and one under nohup a closed terminal. Both
# hand that on to the programs they start: the tests that interrupt one would wait for ever.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage, of which each run of the harness makes two."""
    gc.collect()
    gc.freeze()
