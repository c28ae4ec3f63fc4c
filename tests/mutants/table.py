"""Prints trials as a table with a summary, and gives them as data."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from mutants.outcome import Judgement, OtherTool, Outcome, Trial

ROW = "{:<44} {:<24} {:<15} {:<21} {:>6} {:>6}  {:<30}"
OTHER_ROW = "{:<6} {:>6} {:>6}  {}"
MOST_RULES = 4


def heading(unit: str, *, with_other: bool) -> str:
    """Give the line above the table."""
    line = ROW.format("defect", "operator", "declared rule", "outcome", unit[:6], "s", "rules that fired")
    return line + OTHER_ROW.format("stock", unit[:6], "s", "codes") if with_other else line.rstrip()


def row(trial: Trial) -> str:
    """Give the line of one trial."""
    defect, judgement = trial.defect, trial.judgement
    line = ROW.format(
        defect.id,
        defect.operator,
        defect.rules[0],
        trial.outcome.value,
        "-" if judgement.after is None else judgement.after,
        f"{judgement.seconds:.1f}",
        _some(judgement.fired) or "-",
    )
    return (line + _other(trial)).rstrip()


def notes(trials: Sequence[Trial]) -> Iterator[str]:
    """Give what has to be said of single trials: reasons, proofs and complaints."""
    for trial in trials:
        if trial.complaint:
            yield f"WRONG {trial.defect.id}: {trial.complaint}"
        elif trial.outcome is Outcome.MISSED:
            yield f"missed {trial.defect.id}: {trial.defect.missed}"
        elif trial.outcome is Outcome.EQUIVALENT:
            yield f"equivalent {trial.defect.id}: {trial.defect.equivalent}"


def summary(trials: Sequence[Trial], unit: str) -> Iterator[str]:
    """Give the figures."""
    real = [trial for trial in trials if trial.outcome is not Outcome.EQUIVALENT]
    found = [trial for trial in real if trial.judgement.fired]
    declared = [trial for trial in real if trial.outcome is Outcome.FOUND]
    counts = {outcome.value: sum(trial.outcome is outcome for trial in trials) for outcome in Outcome}
    yield f"{len(trials)} defects: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    yield (
        f"harness: {_share(found, real)} of those that are not equivalent found, {_share(declared, real)} by the "
        f"declared rule; {_speed([trial.judgement for trial in found], unit)}"
    )
    compared = [trial for trial in real if trial.other is not None]
    if compared:
        yield from _comparison(compared, unit)


def requirements(trials: Sequence[Trial], rules: Collection[str], declared: Collection[str]) -> Iterator[str]:
    """
    Return what the trials say of the rules, each of which is a requirement.

    Args:
        trials: Those that were made.
        rules: The ids of all rules of this half.
        declared: Those among them for which there is a defect, tried or not.
    """
    real = [trial for trial in trials if trial.outcome is not Outcome.EQUIVALENT]
    tried = dict.fromkeys(trial.defect.rules[0] for trial in real)
    not_kept = dict.fromkeys(trial.defect.rules[0] for trial in real if trial.outcome is not Outcome.FOUND)
    yield f"rules: {_share([one for one in tried if one not in not_kept], tried)} found every defect of their own"
    yield from _list_of("did not find each of their own", sorted(not_kept))
    yield from _list_of("have no defect of their own here", sorted(set(rules) - set(declared)))


def _list_of(about: str, ids: Sequence[str]) -> Iterator[str]:
    if ids:
        yield f"{len(ids)} rules {about}: {' '.join(ids)}"


def to_data(trials: Sequence[Trial], remarks: Sequence[str], unit: str) -> dict[str, Any]:
    """Give everything that the table shows, for a program."""
    return {
        "unit": unit,
        "summary": [*summary(trials, unit), *remarks],
        "trials": [
            {
                "id": trial.defect.id,
                "title": trial.defect.title,
                "operator": trial.defect.operator,
                "operation": trial.defect.operation,
                "rules": list(trial.defect.rules),
                "outcome": trial.outcome.value,
                "complaint": trial.complaint,
                "equivalent": trial.defect.equivalent,
                "missed": trial.defect.missed,
                "harness": asdict(trial.judgement),
                "stock": trial.other and asdict(trial.other),
            }
            for trial in trials
        ],
    }


def _other(trial: Trial) -> str:
    other = trial.other
    if other is None:
        return ""
    said = "?" if other.problem else "found" if other.has_found else "missed"
    after = "-" if other.after is None else other.after
    return OTHER_ROW.format(said, after, f"{other.seconds:.1f}", other.problem or " ".join(other.codes))


def _comparison(compared: Sequence[Trial], unit: str) -> Iterator[str]:
    ours = [trial.judgement for trial in compared if trial.judgement.fired]
    others = [trial.other for trial in compared if trial.other is not None and trial.other.has_found]
    yield f"of those that stock judged too, harness: {_share(ours, compared)} found; {_speed(ours, unit)}"
    yield f"of those that stock judged too, stock: {_share(others, compared)} found; {_speed(others, unit)}"


def _speed(said: Sequence[Judgement | OtherTool], unit: str) -> str:
    after = [one.after for one in said if one.after is not None]
    seconds = [one.seconds for one in said]
    return f"median {_median(after)} {unit} to the first finding, {_median(seconds)} s for the run"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_RULES
    return " ".join(names[:MOST_RULES]) + (f" +{more}" if more > 0 else "")


def _share(part: Collection[Any], whole: Collection[Any]) -> str:
    return f"{len(part)} of {len(whole)} ({100 * len(part) / len(whole):.1f} %)" if whole else "0 of 0"


def _median(values: Sequence[float]) -> str:
    return f"{median(values):.3g}" if values else "-"
