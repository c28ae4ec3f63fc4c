"""Which placeholders the variables of Interactly runs have filled: those of their own kind, or others of that name."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from contract_tests.openapi.json_text import texts_in
from contract_tests.server.relations.known_runs import KnownRun
from contract_tests.server.relations.shown_inputs import DATA
from contract_tests.server.relations.shown_runs import events_in, pairs_in

PLACEHOLDERS: Final = {"dynamic_variables": "{{%s}}", "runtime_variables": "[[%s]]"}
WRITTEN: Final = re.compile(r"(\{\{|\[\[)\s*(\w+)\s*(\}\}|\]\])")
IN_BRACKETS: Final = re.compile(r"\[\[(\w+)\]\]")


def strays(run: KnownRun, others: Iterable[KnownRun]) -> Iterator[tuple[str, str, bool]]:
    """
    Yield each variable under a name that another kind has a placeholder for: its kind, that one, whether it is there.

    It is if a text of another run has the placeholder, or what fills it, where this run has the variable. Of runs that
    were given both kinds the right one must be missing there: a service may tell of its variables, too.
    """
    seen = [(other, text) for other in others for text in _texts(other)]
    variables = {(kind, name): mark for kind, name, mark in _variables(run)}
    for (kind, name), mark in variables.items():
        for own, form in PLACEHOLDERS.items():
            place, right = form % name, variables.get((own, name))
            known = {_template(other, text) for other, text in seen if right is not None or place in text}
            known = {text for text in known if place in text}
            if kind != own and known:
                stands = {_template(run, text.replace(mark, place)) for text in _texts(run) if mark in text}
                own_texts = {_template(run, text) for text in _texts(run) if right is not None and right in text}
                yield kind, place, bool(stands & known - own_texts)


def names_in_brackets(run: KnownRun) -> set[str]:
    """Return the names of placeholders in double brackets that a run shows unfilled."""
    return {name for text in _texts(run) for name in IN_BRACKETS.findall(text)}


def _variables(run: KnownRun) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and value of those of its variables that nothing else looks like."""
    marks = {given.mark for given in run.inputs.values()}
    for kind in sorted(DATA & run.given.keys()):
        yield from (
            (kind, name, value) for name, value in run.given[kind].items() if isinstance(value, str) and value in marks
        )


def _template(run: KnownRun, text: str) -> str:
    """Return a text of a run with the placeholders that were filled with its variables."""
    for kind, name, mark in _variables(run):
        text = text.replace(mark, PLACEHOLDERS[kind] % name) if kind in PLACEHOLDERS else text
    return text


def _texts(run: KnownRun) -> set[str]:
    """Return the texts of what the first stretch of a run's execution has brought."""
    shown = [
        events_in(run.started.result),
        *(pair.get("run_output") for one in run.exchanges for pair in pairs_in(one)[:1]),
    ]
    return {WRITTEN.sub(r"\1\2\3", text) for one in shown for text in texts_in(one)}
