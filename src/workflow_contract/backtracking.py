r"""
How long a regular expression may search: Python's `re` goes back and tries again, and it has no time-out.

If a state of its automaton comes back to itself by two ways of one text, the time doubles with each repetition of it
(`(a+)+$`); if two states that repeat can share a text (`\s*\s*$`), the time grows with a power of its length. What is
found safe is safe; what is too complex to be looked at counts as unsafe.
"""

import math
import re
from functools import cache
from itertools import product
from typing import Final

from workflow_contract.automaton import Automaton, TooComplexError, automaton

# A search of so many steps is done within a tenth of a second.
STEPS: Final = 10_000_000
# Two to this power is more ways of one text than any search should try.
MOST_DOUBLINGS: Final = 12
# First with bounded repeats counted as they are, then roughly.
COPIES: Final = (128, 8)


@cache
def longest_text(pattern: str) -> float:
    """Return the length in characters up to which a search for a pattern ends soon: infinity if always, 0 if never."""
    for copies in COPIES:
        try:
            power = _power_of(automaton(pattern, copies))
        except TooComplexError:
            continue
        except (re.error, OverflowError):
            return math.inf  # Python can't search for it at all
        except RecursionError:
            return 0
        return math.inf if power <= 1 else 0 if power == math.inf else int(STEPS ** (1 / power))
    return 0


def _power_of(made: Automaton) -> float:
    """Return the power of a text's length with which the time grows; infinity if it doubles."""
    reached = {state: _reached(state, made) for state in made.follow}
    if _doublings(made, reached) > MOST_DOUBLINGS:
        return math.inf
    inner = [(_power_of(one), repeated) for one, repeated in made.asserted]
    return max([_chain(made, reached), *(power + repeated for power, repeated in inner if power)], default=0)


def _reached(start: int, made: Automaton) -> set[int]:
    """Return the states that come after one, by one character or more."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        new = made.follow[waiting.pop()].keys() - found
        made.spend(len(new))
        found |= new
        waiting += new
    return found


def _doublings(made: Automaton, reached: dict[int, set[int]]) -> float:
    """Count the places, one after the other, where one text can be read in two ways; infinity if one repeats."""
    forks = {state: _joined_again(state, made) for state in made.follow}
    if any(state == end or state in reached[end] for state, ends in forks.items() for end in ends):
        return math.inf
    # What is reached from fewer states comes earlier, so the last ones are counted first.
    counts: dict[int, int] = {}
    for state in sorted(made.follow, key=lambda one: len(reached[one])):
        own = max((1 + max(counts.get(one, 0) for one in (end, *reached[end])) for end in forks[state]), default=0)
        counts[state] = own
    return max(counts.values(), default=0)


def _joined_again(start: int, made: Automaton) -> set[int]:
    """Return the states to which two different ways of one text lead from a state."""
    joined = {state for state, ways in made.follow[start].items() if ways > 1}
    seen: set[tuple[int, ...]] = set()
    waiting: list[tuple[int, ...]] = [(start, start)]
    while waiting:
        pair = waiting.pop()
        for one, other in product(*(made.follow[state] for state in pair)):
            made.spend()
            if one == other:
                joined |= {one} if pair[0] != pair[1] else set()
            elif (one, other) not in seen and made.overlap(one, other):
                seen.add((one, other))
                waiting.append((one, other))
    return joined


def _chain(made: Automaton, reached: dict[int, set[int]]) -> int:
    """Count the repeated states, one after the other, of which each can take over a text from the one before."""
    repeated = [state for state in made.follow if state in reached[state]]
    takes_over = {
        one: [
            other
            for other in repeated
            if other in reached[one] - {one} and one not in reached[other] and _shares(one, other, made)
        ]
        for one in repeated
    }
    counts: dict[int, int] = {}
    for state in sorted(repeated, key=lambda one: len(reached[one])):
        counts[state] = 1 + max(
            (counts.get(one, 0) for other in takes_over[state] for one in (other, *reached[other])), default=0
        )
    return max(counts.values(), default=0)


def _shares(one: int, other: int, made: Automaton) -> bool:
    """Whether one text leads from the first state to itself, from the first to the other, and from that to itself."""
    seen: set[tuple[int, ...]] = set()
    waiting: list[tuple[int, ...]] = [(one, one, other)] if made.overlap(one, other) else []
    while waiting:
        for states in product(*(made.follow[state] for state in waiting.pop())):
            made.spend()
            if states not in seen and made.overlap(*states):
                if states == (one, other, other):
                    return True
                seen.add(states)
                waiting.append(states)
    return False
