"""What holds for every test."""

import signal

# A process that a shell script started in the background ignores Ctrl-C, and hands that on to the programs it starts:
# the tests that interrupt one would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
