"""The rows of the table: what is measured, against what, and what it should come to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        name: For `--only`.
        rival: The distribution it is measured against, whose version is told.
        subject: The program in `subjects` that does the work, with arguments that say which work.
        in_turn: Whether the subject measures both sides in one process; else it is run once for each side.
        environments: Whose virtualenv runs our side, and whose runs the rival's.
        figure: Which of the figures that a subject tells is compared.
        at_most: The ratio that is aimed at, if one is.
        seconds_at_most: The seconds of our side that are aimed at, if there are.
        beside: Seconds to take away from both figures, which neither side can save.
    """

    name: str
    what: str
    rival: str
    subject: tuple[str, ...]
    in_turn: bool = True
    environments: tuple[str, str] = ("clients", "clients")
    figure: str = "cpu"
    at_most: float | None = None
    seconds_at_most: float | None = None
    beside: float = 0.0


def _imports() -> list[Row]:
    statements = {"import": "import workflow_runs", "import-name": "from workflow_runs import PromptLayer"}
    return [
        Row(name=name, what=statement, rival="httpx", subject=("imports", statement), in_turn=False, at_most=0.25)
        for name, statement in statements.items()
    ]


def _first_results() -> list[Row]:
    # The wall is told beside it: it depends on whatever else the machine does meanwhile.
    figures = {"process_cpu": ("", 1.3), "process_wall": (", wall", None)}
    return [
        Row(name=f"first-result{words.replace(', ', '-')}", what=f"fresh process to first result{words}", rival="httpx",
            subject=("first_result",), in_turn=False, figure=figure, at_most=at_most)
        for figure, (words, at_most) in figures.items()
    ]  # fmt: skip


def _calls() -> list[Row]:
    rows = []
    for kind, at_most in {"sync": 1.0, "async": None}.items():
        for operation, words in {"results": "fetch results", "run": "start a run"}.items():
            for way, where in {
                "socket": "own client, socket",
                "custom": "caller's httpx client, socket",
                "memory": "caller's httpx client, MockTransport",
            }.items():
                rows.append(
                    Row(name=f"call-{kind}-{operation}-{way}", what=f"{words}, {kind}: {where}", rival="httpx",
                        subject=("calls", kind, operation, way), at_most=at_most)
                )  # fmt: skip
    return rows


def _decodes() -> list[Row]:
    rivals = {
        "stock": ("stock", "openapi-python-client"),
        "pydantic": ("pydantic", "pydantic"),
        "msgspec": ("msgspec", "msgspec"),
        "json": ("json.loads alone, which checks nothing", "python"),
    }
    rows = []
    for environment, extra in {"clients": "", "fast": " with fast"}.items():
        for name, (words, distribution) in rivals.items():
            aim = {"clients": 0.8, "fast": 0.6}[environment] if name == "stock" else None
            rows.append(
                Row(name=f"decode{extra.replace(' with ', '-')}-{name}", what=f"decode 44 KB{extra} / {words}",
                    rival=distribution, subject=("decode", name), environments=(environment, environment), at_most=aim)
            )  # fmt: skip
    return rows


def _runs() -> list[Row]:
    rows = []
    for seconds in ("0", "0.3", "3"):
        figures = {
            "cpu": ("CPU", {"at_most": 0.1}),
            "cpu_without_ca": ("CPU without CA loading", {"at_most": 0.1}),
            "ca": ("CA loading alone", {}),
            "wall": ("wall", {}),
        }
        if seconds == "0.3":
            figures["waiting"] = ("waiting, wall above the run's own time", {"seconds_at_most": 1.0, "beside": 0.3})
        for figure, (words, aim) in figures.items():
            rows.append(
                Row(name=f"run-{seconds}-{figure.replace('_', '-')}", what=f"completed run of {seconds} s: {words}",
                    rival="promptlayer", subject=("runs", seconds), in_turn=False,
                    environments=("clients", "promptlayer"), figure=figure.replace("waiting", "wall"), **aim)
            )  # fmt: skip
    return rows


def _in_flight() -> list[Row]:
    """Many calls at once: seconds by call stand for calls per second."""
    aims: dict[tuple[str, str], float] = {
        ("async", "httpx"): 1 / 3,
        ("threads", "httpx"): 1 / 1.5,
        ("aiohttp", "aiohttp"): 2,
    }
    rows = []
    for (kind, rival), aim in {
        **aims,
        ("async", "aiohttp"): None,
        ("async", "promptlayer"): None,
        ("threads", "promptlayer"): None,
    }.items():
        for number in (1, 20, 90):
            at_most = aim if number == _MOST or rival == "aiohttp" else None
            # A loop makes as many calls as their processor time allows; the wall tells the load of the machine.
            figure, words = ("cpu", "CPU") if rival == "aiohttp" else ("wall", "wall")
            rows.append(_flight((kind, number, rival), figure, f"{number} in flight, {kind}: {words} by call", at_most))
    for kind in ("async", "threads", "aiohttp"):
        words = f"{_MOST} in flight, {kind}"
        rows.append(_flight((kind, _MOST, "one"), "cpu", f"{words}: CPU by call, against 1 in flight", 1.2))
        rows.append(_flight((kind, _MOST, "median"), "p99", f"{words}: p99, against the median", 3.0))
    return rows


def _flight(flight: tuple[str, int, str], figure: str, what: str, at_most: float | None) -> Row:
    kind, number, rival = flight
    is_own = rival in {"one", "median"}
    ours = "aiohttp" if kind == "aiohttp" else "clients"
    theirs = rival if rival in {"aiohttp", "promptlayer"} else ours
    return Row(name=f"flight-{kind}-{number}-{rival}", what=what, subject=("many", kind, str(number), rival),
               rival="workflow-runs" if is_own else rival, in_turn=is_own,
               environments=(ours, theirs), figure=figure, at_most=at_most)  # fmt: skip


_MOST = 90
ROWS = (*_imports(), *_first_results(), *_calls(), *_decodes(), *_runs(), *_in_flight())
