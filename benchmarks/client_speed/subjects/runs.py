"""Runs a workflow to its end in a warm process: `runs.py measure|profile ours|rival SECONDS`."""

from __future__ import annotations

import logging
import os
import ssl
import sys
import time
from typing import Any

from turns import profile, tell, version

TASK, SIDE, SECONDS = sys.argv[1:]
ADDRESS = os.environ["ADDRESS"]
RUNS = {"0": 8, "0.3": 4, "3": 2}[SECONDS]
loading = 0.0
load_verify_locations = ssl.SSLContext.load_verify_locations


def timed(*arguments: Any, **keywords: Any) -> None:
    """Load certificate authorities, which is listed apart."""
    global loading  # noqa: PLW0603 - a figure of this program
    began = time.process_time()
    load_verify_locations(*arguments, **keywords)
    loading += time.process_time() - began


ssl.SSLContext.load_verify_locations = timed  # type: ignore[method-assign]
logging.disable()

if SIDE == "ours":
    from workflow_runs import PromptLayer

    client: Any = PromptLayer(api_key="key", base_url=ADDRESS)

    def run(seconds: str) -> object:
        """Run a workflow to its end."""
        return client.run_and_wait(f"takes-{seconds}", input_variables={"user_message": "Hello"}).output

else:
    import promptlayer

    client = promptlayer.PromptLayer(api_key="key", base_url=ADDRESS)

    def run(seconds: str) -> object:
        """Run a workflow to its end."""
        return client.run_workflow(f"takes-{seconds}", input_variables={"user_message": "Hello"})


if run("0") != "Your invoice is attached.":
    raise SystemExit("the run has another output than the service has sent")
if TASK == "profile":
    tell(profile=profile(lambda: run(SECONDS)))
    sys.exit()
loading = 0.0
cpu, wall = time.process_time(), time.perf_counter()
for _ in range(RUNS):
    run(SECONDS)
cpu, wall = (time.process_time() - cpu) / RUNS, (time.perf_counter() - wall) / RUNS
ca = loading / RUNS
rival = "workflow-runs" if SIDE == "ours" else "promptlayer"
tell(cpu=cpu, wall=wall, ca=ca, cpu_without_ca=cpu - ca, version="" if SIDE == "ours" else version(rival))
