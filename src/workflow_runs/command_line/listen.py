"""`workflow-runs listen`: show callbacks as they come."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING

from workflow_runs.callbacks.listener import CallbackListener
from workflow_runs.outcome import nodes_to_json
from workflow_runs_api.types import UNSET

from .endings import Exit, Interrupted, UsageError
from .output import Output, write

if TYPE_CHECKING:
    import argparse

    from workflow_runs.callbacks import RunFinished

__all__ = ["listen"]

_WORDS = {True: "succeeded", False: "failed", None: "ended"}


def listen(options: argparse.Namespace, _: Output) -> Exit:
    """Listen until the user ends it, or as many callbacks have come as were asked for."""
    if options.count is not None and options.count < 1:
        raise UsageError("--count is at least 1")
    with CallbackListener(host=options.host, port=options.port, public_url=options.public_url) as listener:
        _line(json.dumps({"state": "listening", "url": listener.url}) if options.json else listener.url)
        try:
            for finished in itertools.islice(listener, options.count):
                _line(_document(finished) if options.json else _text(finished))
        except KeyboardInterrupt:
            raise Interrupted("interrupted; no longer listening") from None
    return Exit.OK


def _document(finished: RunFinished) -> str:
    output = None if finished.output is UNSET else finished.output
    about = {"execution_id": finished.execution_id, "output": output, "nodes": nodes_to_json(finished)}
    return json.dumps({"state": _WORDS[finished.succeeded], **about})


def _text(finished: RunFinished) -> str:
    output = "" if finished.output is UNSET else f": {json.dumps(finished.output, ensure_ascii=False)}"
    return f"execution {finished.execution_id} {_WORDS[finished.succeeded]}{output}"


def _line(text: str) -> None:
    write(sys.stdout, text)
