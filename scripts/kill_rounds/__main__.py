"""Kill the sandbox over and over under load, and count what is lost: `python scripts/kill_rounds`.

Each round kills a process with SIGKILL at a random moment after 1 to 20 more runs and starts it again; every third
round kills it once more while it starts or takes up what is unfinished, every sixth a third time. At the end every run
whose acceptance a client has read must have ended with its own output, and its callback must have come. With
`--processes 2` and a PostgreSQL database the processes share it, and the last kill is for good: the others finish.

Exit status: 0 nothing is lost; 1 something is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from load import Load, Receiver
from server import Server

_WORKFLOW = {
    "nodes": [
        {"name": "Start", "prompt": "{number}", "dependencies": ["number"]},
        {"name": "Slow", "returns": "slow", "sleeps": 0.1, "dependencies": ["Start"]},
        {"name": "Quick", "prompt": "{Start}", "dependencies": ["Start"]},
        {"name": "End", "prompt": "{Quick} {Slow}", "dependencies": ["Slow", "Quick"]},
    ]
}
_SECONDS_OF_LOAD, _SECONDS_TO_END = 5, 300


def main() -> int:
    """Run the program; return the exit status."""
    given = _arguments()
    draw = random.Random(given.seed)  # noqa: S311 - to be repeated
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kill-rounds-")))
        (folder / "workflows.json").write_text(json.dumps({"workflows": {"killed": _WORKFLOW}}), encoding="ascii")
        database = given.database or str(folder / "sandbox.db")
        servers = [stack.enter_context(Server(database, folder, number)) for number in range(given.processes)]
        receiver = stack.enter_context(Receiver(given.seed))
        load = stack.enter_context(Load(servers, receiver.url, threads=given.threads))
        for number in range(given.rounds):
            load.wait_for(draw.randint(1, 20), seconds=_SECONDS_OF_LOAD)
            _kill_and_start(draw.choice(servers), draw, again=(number % 3 == 0) + (number % 6 == 0))
        last, *others = servers[::-1]
        if others:
            last.kill()
        load.stop()
        is_lost = _told(load, receiver, (others or servers)[0])
        kills, early = (sum(getattr(one, name) for one in servers) for name in ("kills", "kills_of_starting"))
        print(f"kills {kills}, {early} of them while starting or recovering")
    return 1 if is_lost else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="kill_rounds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rounds", type=int, default=100, metavar="N", help="how many (100)")
    add("--database", metavar="FILE|URL", help="where everything is kept (a temporary SQLite file)")
    add("--processes", type=int, default=1, metavar="N", help="that share a PostgreSQL database (1)")
    add("--threads", type=int, default=4, metavar="N", help="that start runs (4)")
    add("--seed", type=int, default=7, metavar="N", help="what the moments are drawn by (7)")
    return parser.parse_args()


def _kill_and_start(server: Server, draw: random.Random, *, again: int) -> None:
    time.sleep(draw.uniform(0.0, 0.2))
    server.kill()
    for _ in range(again):
        server.begin()
        time.sleep(draw.uniform(0.0, 1.5))
        server.kill()
    server.begin()
    server.wait()


def _told(load: Load, receiver: Receiver, server: Server) -> bool:
    """Wait until nothing is left to be done, print the figures; return whether something is lost."""
    began, deadline = time.monotonic(), time.monotonic() + _SECONDS_TO_END
    unposted = receiver.lacks(load.accepted)
    print(f"after the last kill {len(unposted)} accepted runs are left to be done")
    while (unposted := receiver.lacks(unposted)) and time.monotonic() < deadline:
        time.sleep(0.05)
    print(f"the last callback came {time.monotonic() - began:.1f} s later")
    outputs = server.outputs(load.accepted, deadline)
    lost = [id_ for id_, number in load.accepted.items() if outputs.get(id_, {}).get("End") != f"{number} slow"]
    wrong = [id_ for id_ in load.accepted.keys() - unposted if receiver.posted[id_] != outputs.get(id_)]
    print(f"accepted runs {len(load.accepted)}, lost {len(lost)}; requests without a reply {load.unanswered}")
    print(f"callbacks lost {len(unposted)}, with another output {len(wrong)}; came again {receiver.duplicates}")
    print(f"runs beside the accepted ones {len(receiver.posted.keys() - load.accepted.keys())}")
    return bool(lost or unposted or wrong)


if __name__ == "__main__":
    sys.exit(main())
