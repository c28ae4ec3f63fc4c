"""The table, as text and as JSON."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from measuring import Measured

__all__ = ["WIDTH", "as_json", "heading", "line", "profile"]

WIDTH = 58
_LINE = "{:<" + str(WIDTH) + "} {:>10} {:>10}  {:<28} {:<22} {:<8} {}"


def heading(pairs: int) -> str:
    """What stands above the rows."""
    about = f"Python {platform.python_version()}, {platform.system()}; medians of {pairs} pairs [smallest..largest]"
    return f"{about}\n\n" + _LINE.format("row", "ours", "rival", "", "ratio", "target", "met")


def line(measured: Measured) -> str:
    """One row."""
    row = measured.row
    ratio = "{:.3f} [{:.3f}..{:.3f}]".format(*measured.ratios) if measured.ratios else "-"
    aimed = _target(measured)
    met = ("yes" if measured.met else "NO") if aimed else ""
    if measured.unwanted:
        met += f": loads {', '.join(measured.unwanted)}"
    rival = f"{row.rival} {measured.version}"
    return _LINE.format(row.what, _time(measured.ours), _time(measured.rival), rival, ratio, aimed, met).rstrip()


def _target(measured: Measured) -> str:
    row = measured.row
    if row.seconds_at_most is not None:
        return f"<= {row.seconds_at_most:g} s"
    return "" if row.at_most is None else f"<= {row.at_most:g}"


def _time(seconds: float) -> str:
    if abs(seconds) >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if abs(seconds) >= 1e-3 else f"{seconds * 1e6:.0f} us"  # noqa: PLR2004 - a ms


def profile(measured: Measured, lines: dict[str, list[str]]) -> list[str]:
    """Where the time of a row goes."""
    shown = [""]
    for side, told in lines.items():
        whose = "ours" if side == "ours" else f"{measured.row.rival} {measured.version}"
        shown += [f"{measured.row.what}: where the time goes, {whose}", *(f"    {text}" for text in told)]
    return shown


def as_json(done: list[Measured], pairs: int) -> dict[str, Any]:
    """All figures, in seconds."""
    machine = {"python": platform.python_version(), "system": platform.platform(), "pairs": pairs}
    return {"machine": machine, "rows": [_row(measured) for measured in done]}


def _row(measured: Measured) -> dict[str, Any]:
    row = measured.row
    ratios = dict(zip(("median", "min", "max"), measured.ratios, strict=True)) if measured.ratios else None
    return {
        "name": row.name,
        "what": row.what,
        "figure": row.figure,
        "rival": f"{row.rival} {measured.version}",
        "ours_s": measured.ours,
        "rival_s": measured.rival,
        "ratio": ratios,
        "at_most": row.at_most,
        "seconds_at_most": row.seconds_at_most,
        "met": measured.met if _target(measured) else None,
        "unwanted": measured.unwanted,
        "pairs_s": measured.pairs,
    }
