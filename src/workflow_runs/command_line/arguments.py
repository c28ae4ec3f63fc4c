"""The options of `workflow-runs`, and its help."""

from __future__ import annotations

import argparse
import math
from typing import NoReturn

from workflow_runs.version import __version__

from .endings import UsageError

__all__ = ["parser"]

_HOUR = 3600.0
_SHOWN = 300
_DIGITS = 40
_EPILOG = """\
environment:
  PROMPTLAYER_API_KEY   the key; it is never given as an option, where other users of the machine could read it
  PROMPTLAYER_BASE_URL  the service's address, if it isn't PromptLayer's own

exit status:
  0    all is well
  1    the run has failed, or the service answered with an error or could not be reached
  2    wrong usage or set-up; nothing was sent
  3    the run goes on: it had not ended when the deadline came
  4    in doubt: a run may have been started, and nobody can tell
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP
"""
_RUN = """\
examples:
  workflow-runs run support-agent -i user_message="I need help with billing" --wait
  workflow-runs run support-agent -i user_message=Hello -i attempts:=3 --label production
  workflow-runs run support-agent --input-json input.json --metadata team=blue --wait --json
  echo '{"user_message": "Hello"}' | workflow-runs run support-agent --input-json - --all-outputs --wait
"""
_RESULTS = """\
examples:
  workflow-runs results 98765
  workflow-runs results 98765 --wait --deadline 600 --all-outputs --json
"""
_BATCH = """\
Each line of FILE is an object with the arguments of a run, and perhaps a key and the name of the workflow:

  {"key": "ada", "workflow_name": "support-agent", "input_variables": {"user_message": "Hello"}}

The ledger makes it safe to interrupt or kill the command at any moment: the same command goes on where it was, and
starts no item twice. Lines may be added at the end of FILE: the same command runs them alone. Items in doubt, which may
have been started, are listed until --settle says what became of them. Results are JSON lines; those in --output are
kept, and none is written twice. The ledger keeps them too: --show prints them again, also while the batch runs.

exit status: 4 if an item is in doubt, else 1 if one has failed or was refused, else 3 if one has not ended.

examples:
  workflow-runs batch inputs.jsonl --workflow support-agent --concurrency 16 --output results.jsonl
  workflow-runs batch inputs.jsonl --workflow support-agent --output results.jsonl --repeat-refused
  workflow-runs batch inputs.jsonl --workflow support-agent --output results.jsonl --settle ada=98765 --settle bob=none
  workflow-runs batch --show inputs.jsonl.ledger
"""
_LISTEN = """\
The first line is the address to give as callback_url. Ends with Ctrl-C, or after --count callbacks.

examples:
  workflow-runs listen --port 8080 --public-url https://abc.example.com
  workflow-runs listen --count 1 --json
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        shown = message if len(message) <= _SHOWN else f"{message[:_SHOWN]}..."
        raise UsageError(f"{shown} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="workflow-runs",
        description="Run PromptLayer workflows: start them, ask for their results, run many at once.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(_command(commands, "run", "start a run, and perhaps wait for it", _RUN))
    _results(_command(commands, "results", "ask for the results of a run", _RESULTS))
    _batch(_command(commands, "batch", "run many inputs, each at most once", _BATCH))
    _listen(_command(commands, "listen", "show callbacks as they come", _LISTEN))
    return top


def _command(commands: argparse._SubParsersAction[_Parser], name: str, words: str, epilog: str) -> _Parser:
    described = f"{words[0].upper()}{words[1:]}."
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(
        name, help=words, description=described, epilog=epilog, formatter_class=raw, allow_abbrev=False
    )


def _run(command: _Parser) -> None:
    add = command.add_argument
    add("name", metavar="NAME", help="name of the workflow")
    add("-i", "--input", action="append", default=[], metavar="K=TEXT|K:=JSON", help="an input variable; repeat it")
    add("--input-json", metavar="FILE", help="file with an object of input variables, - for standard input; -i wins")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--label", help="run the version that carries this label (default: the latest)")
    which.add_argument("--version", type=_whole, metavar="N", help="run the version with this number")
    add("--metadata", action="append", default=[], metavar="K=TEXT", help="text to attach to the run; repeat it")
    add("--callback-url", metavar="URL", help="address to which the outcome is posted")
    _outcome(command)
    _address(command)


def _results(command: _Parser) -> None:
    command.add_argument("id", metavar="ID", type=_whole, help="execution id, as `run` prints it")
    _outcome(command)
    _address(command)


def _outcome(command: _Parser) -> None:
    add = command.add_argument
    add("--all-outputs", action="store_true", help="every node's entry, not the main output alone")
    add("--wait", action="store_true", help="wait until the run has ended")
    _deadline(command)
    add("--json", action="store_true", help="write one JSON document, errors included")


def _deadline(command: _Parser) -> None:
    words = "seconds to wait for a run at most (default: %(default)g)"
    command.add_argument("--deadline", type=_seconds, default=_HOUR, metavar="S", help=words)


def _address(command: _Parser) -> None:
    words = "the service's address (default: PROMPTLAYER_BASE_URL, else PromptLayer's own)"
    command.add_argument("--base-url", metavar="URL", help=words)


def _batch(command: _Parser) -> None:
    add = command.add_argument
    add("file", nargs="?", metavar="FILE", help="the items, one JSON object a line; - for standard input")
    add("--show", metavar="LEDGER", help="print the results that a ledger keeps, without running anything")
    add("--workflow", metavar="NAME", help="name of the workflow of items that don't name one")
    add("--ledger", metavar="FILE", help="what became of the items (default: FILE.ledger)")
    add("--output", metavar="FILE", help="where the results go (default: standard output)")
    add("--concurrency", type=_whole, default=8, metavar="N", help="items at once, 1 to 100 (default: %(default)s)")
    add("--repeat-refused", action="store_true", help="start the items again that were refused")
    settled = "what became of an item in doubt: its execution, or none if it has never run; repeat it"
    add("--settle", action="append", default=[], metavar="KEY=ID|none", help=settled)
    add("--plain", action="store_true", help="lines instead of a progress bar, as when standard error is no terminal")
    add("--json", action="store_true", help="tell an error as a JSON document, too; results are JSON lines anyway")
    _deadline(command)
    _address(command)


def _listen(command: _Parser) -> None:
    add = command.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_whole, default=0, metavar="P", help="port to listen on (default: a free one)")
    add("--public-url", metavar="URL", help="address under which a tunnel or a proxy leads here")
    add("--count", type=_whole, metavar="N", help="end after so many callbacks")
    add("--json", action="store_true", help="write one JSON document a line")


def _whole(text: str) -> int:
    # Only what a person writes: Python reads "5_0" and other scripts' digits, too.
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        shown = text if len(text) <= _DIGITS else f"{text[:_DIGITS]}..."
        raise argparse.ArgumentTypeError(f"{shown!r} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
