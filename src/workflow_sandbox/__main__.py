"""Command line of the sandbox. Exit status: 0 stopped by SIGTERM or SIGINT, 2 could not start (one line says why)."""

import argparse
import contextlib
import logging
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from workflow_sandbox.faults import UnknownFault, described, parse
from workflow_sandbox.log import BoundedHandler
from workflow_sandbox.parent import Parent
from workflow_sandbox.sizes import Sizes

_PROGRAM = "workflow-sandbox"
_EPILOG = """\
The base URL is printed once requests are accepted: PromptLayer's operations are at it, Interactly's at it + /workflows.
The default database lies in the current directory, where a second start finds the runs of the first; a temporary
directory would forget them.
metadata {"sandbox": "fail"} makes the output nodes of a run fail, {"sandbox": "fail:NAME"} the node NAME.
Faults, for --fault, the request's header X-Sandbox-Fault and the admin endpoints:
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(_refuse(message))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is told to stop; return the exit status."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format=f"{_PROGRAM}: %(message)s", handlers=[BoundedHandler()])
    logging.getLogger("workflow_sandbox").setLevel(logging.INFO)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after its clean stop; the default handler would make a failure of that.
        signal.signal(stop, _exit_cleanly)
    parent = Parent() if options.end_with_parent else None
    try:
        return _run(options)
    except ModuleNotFoundError as missing:
        return _refuse(f'{missing.name} is not installed: pip install "workflow-runs[sandbox]"')
    finally:
        if parent is not None:
            parent.clean_up()


def _run(options: argparse.Namespace) -> int:
    # Imported here so that --help is quick and a missing extra is told in one line.
    from workflow_sandbox import assumptions, workflow_files  # noqa: PLC0415
    from workflow_sandbox.answers import asking  # noqa: PLC0415
    from workflow_sandbox.app import Settings, create_app  # noqa: PLC0415
    from workflow_sandbox.callbacks import CallbackPolicy  # noqa: PLC0415
    from workflow_sandbox.chaos import Profile  # noqa: PLC0415
    from workflow_sandbox.database import UnusableDatabase  # noqa: PLC0415
    from workflow_sandbox.listener import CannotListen, bind, serve  # noqa: PLC0415
    from workflow_sandbox.store import Store  # noqa: PLC0415

    try:
        assumed = assumptions.read(options.set)
        own = workflow_files.read(options.workflows) if options.workflows else workflow_files.OwnWorkflows()
    except assumptions.UnknownAssumption as error:
        return _refuse(f"argument --set: {error}")
    except workflow_files.WrongWorkflows as error:
        return _refuse(str(error))
    callbacks = CallbackPolicy(
        attempts=options.callback_attempts,
        backoff_seconds=options.callback_backoff,
        anywhere=options.callbacks_anywhere,
    )
    try:
        profile = Profile(options.chaos, dict(options.fault), options.seed)
    except UnknownFault as error:
        return _refuse(str(error))
    sizes = Sizes(options.max_body_bytes, options.max_text, options.max_rows)
    ask = asking(options.answers_from) if options.answers_from else None
    settings = Settings(options.api_key, options.run_seconds, callbacks, profile, assumed, sizes, own, ask)
    try:
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(bind(options.host, options.port))
            admin = None if options.admin_port is None else stack.enter_context(bind("127.0.0.1", options.admin_port))
            store = stack.enter_context(Store(options.database, sizes.rows))
            workflow_files.keep(own, store)
            served = serve(create_app(store, settings), listening, admin)
    except (CannotListen, UnusableDatabase, workflow_files.WrongWorkflows) as error:
        return _refuse(str(error))
    return 0 if served else 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description="Serve PromptLayer's and Interactly's workflow operations, statefully, from one database.",
        epilog=_EPILOG + described(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=_port, default=8765, help="port to listen on; 0 takes a free one (default: %(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--database",
        type=_file,
        default="workflow-sandbox.db",
        metavar="FILE|URL",
        help="SQLite file, or a postgresql:// URL that several processes may share (default: ./%(default)s)",
    )
    add("--api-key", type=_key, default="sandbox-key", metavar="K", help="key and bearer (default: %(default)s)")
    add(
        "--run-seconds",
        type=_seconds,
        default=0.05,
        metavar="S",
        help="seconds that each node of a run takes (default: %(default)s)",
    )
    add(
        "--callback-attempts",
        type=_count,
        default=5,
        metavar="N",
        help="posts per callback before it is given up (default: %(default)s)",
    )
    add(
        "--callback-backoff",
        type=_seconds,
        default=0.5,
        metavar="S",
        help="seconds before the second post of a callback, doubled for each further one (default: %(default)s)",
    )
    add(
        "--callbacks-anywhere",
        action="store_true",
        help="post callbacks to any address, not to loopback addresses alone",
    )
    for name, most, help_ in (
        ("--max-body-bytes", Sizes.body_bytes, "bytes of a request's body"),
        ("--max-text", Sizes.text_characters, "characters of one text in a body"),
        ("--max-rows", Sizes.rows, "runs, Interactly runs, versions and external ids, of each"),
    ):
        add(name, type=_amount, default=most, metavar="N", help=f"{help_} that are taken (default: %(default)s)")
    add("--admin-port", type=_port, metavar="N", help="port on loopback for faults and history (default: none)")
    add(
        "--chaos",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="share of requests, and of runs, that meet a fault of any kind (default: 0)",
    )
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="FAULT=SHARE",
        help="share of requests or runs that meet this fault, say error:503=0.1; may be given several times",
    )
    add("--seed", type=int, default=0, metavar="N", help="what --chaos and --fault draw by (default: %(default)s)")
    add("--workflows", type=Path, metavar="FILE", help="your own workflows, in TOML, YAML or JSON (docs/sandbox.md)")
    add(
        "--answers-from",
        type=_url,
        metavar="URL",
        help='post prompts there, where {"value": ...} or {"error": ...} is the reply; default: the prompt itself',
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="decide otherwise what the services' documentation leaves open; docs/sandbox.md lists the settings",
    )
    # For whoever embeds the server: standard input is a pipe whose other end the parent holds, however it ends.
    add("--end-with-parent", action="store_true", help=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _file(text: str) -> str:
    # SQLite takes these for a database that is gone with the process.
    if text in {"", ":memory:"}:
        raise argparse.ArgumentTypeError("a database is a file or a postgresql:// URL: runs are kept across restarts")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) < 1:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 9999")
    return int(text)


def _amount(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) < 1:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return share


def _fault(text: str) -> tuple[str, float]:
    fault, _, share = text.rpartition("=")
    try:
        return str(parse(fault)), _share(share)
    except UnknownFault as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not an http or https URL")
    return text


def _key(text: str) -> str:
    # The key itself is not repeated: it would end up in a log.
    if not text.strip() or text != text.strip() or not text.isascii() or not text.isprintable():
        raise argparse.ArgumentTypeError("a key is printable ASCII text without spaces around it")
    return text


def _refuse(message: str) -> int:
    sys.stderr.write(f"{_PROGRAM}: error: {' '.join(message.split())}\n")
    return 2


def _exit_cleanly(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
