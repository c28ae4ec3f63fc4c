"""What a run shows of the marked inputs that it was given."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from contract_tests.openapi.json_text import same
from contract_tests.server.relations.marked_inputs import Loss, MarkedInput, loss

NOTE: Final = "contract_tests_note"
VARIABLE: Final = "a variable of the workflow"
RUN_BY: Final = "run_by"
THREADS: Final = "thread_to_node_inputs"
OUTPUTS: Final = "thread_to_node_outputs"
DATA: Final = frozenset({"dynamic_variables", "runtime_variables", "miscellaneous"})


def losses(shown: Any, inputs: Mapping[str, MarkedInput]) -> Iterator[tuple[str, Loss | None]]:
    """Yield the place of each input that is shown, and what of it is not as it was given; None if all of it is."""
    for place, given in inputs.items():
        for value in _shown(shown, given):
            is_part = place in {RUN_BY, VARIABLE}  # which stands within a text of the service
            is_text = is_part or isinstance(given.value, str)
            lost = list(given.lost_in(as_text(value)) if is_text else given.lost_in_value(value))
            yield from ((place, one) for one in lost)
            if not lost:
                yield place, None


def changed(run_input: Any, given: Mapping[str, Any]) -> Iterator[tuple[str, Loss]]:
    """Yield what a run input shows otherwise of what was given beside the marked inputs, or does not show."""
    for place in DATA & run_input.keys() & given.keys() if isinstance(run_input, Mapping) else ():
        shown = run_input[place]
        if isinstance(shown, Mapping) and shown.keys() & given[place].keys():
            for name, value in given[place].items():
                if not name.startswith(NOTE) and not (name in shown and same(shown[name], value)):
                    yield place, loss(name, value, as_text(shown[name]) if name in shown else "nothing")


def misplaced(run_input: Any, inputs: Mapping[str, MarkedInput]) -> Iterator[tuple[str, str]]:
    """Yield each place of a run input in which the input of another place is shown, with that one."""
    if isinstance(run_input, Mapping):
        for place in DATA & run_input.keys():
            text = as_text(run_input[place])
            yield from ((place, one) for one, given in inputs.items() if one in DATA - {place} and given.mark in text)


def threads_of(holder: Any, said: Mapping[str, str], name: str = THREADS) -> dict[str, set[str]]:
    """Return the threads under which a run input, or output, shows each mark of what was said, if it shows any."""
    shown = holder.get(name) if isinstance(holder, Mapping) else None
    texts = {thread: as_text(one) for thread, one in shown.items()} if isinstance(shown, Mapping) else {}
    found = {mark: {thread for thread, text in texts.items() if mark in text} for mark in said}
    return found if any(found.values()) else {}


def _shown(value: Any, given: MarkedInput) -> Iterator[Any]:
    """Yield what is shown of an input: what stands under its name, or a text that has its mark."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == NOTE and given.mark in as_text(inner):
                yield inner
            else:
                yield from _shown(inner, given)
    elif isinstance(value, list):
        for inner in value:
            yield from _shown(inner, given)
    elif isinstance(value, str) and given.mark in value and isinstance(given.value, str):
        yield value


def as_text(value: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
