"""A fresh process asks for one result: `first_result.py measure|profile ours|rival`."""

import os
import sys
import time

TASK, SIDE = sys.argv[1:]
ADDRESS = os.environ["ADDRESS"]
marks = [time.process_time()]


def ours() -> object:
    """By our client."""
    from workflow_runs import PromptLayer  # noqa: PLC0415 - a part of what is measured

    marks.append(time.process_time())
    with PromptLayer(api_key="key", base_url=ADDRESS) as client:
        marks.append(time.process_time())
        return client.get_workflow_version_execution_results(workflow_version_execution_id=1).value


def rival() -> object:
    """By bare httpx, with a client, which a program that asks more than once has."""
    import httpx  # noqa: PLC0415

    marks.append(time.process_time())
    with httpx.Client() as client:
        marks.append(time.process_time())
        url = f"{ADDRESS}/workflow-version-execution-results"
        query, headers = {"workflow_version_execution_id": 1}, {"x-api-key": "key"}
        return client.request("GET", url, params=query, headers=headers).json()


ask = ours if SIDE == "ours" else rival
if TASK == "profile":
    from turns import profile, tell

    lines = profile(ask)
    tell(profile=lines)
else:
    done = ask()
    marks.append(time.process_time())
    if done != "Your invoice is attached.":
        raise SystemExit("the run has another output than the service has sent")
    # By hand: nothing may be loaded here that the work itself doesn't load.
    print('{{"version": "{}"}}'.format(sys.modules["httpx"].__version__))
