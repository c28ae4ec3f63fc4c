"""A regular expression as an automaton whose states are the places of its characters, with every way between two."""

import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser  # type: ignore[import-not-found]
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

LONGEST: Final = 10_000
WORK: Final = 400_000
START: Final = 0
_LAST: Final = 0x10FFFF
_WORD: Final = [(48, 57), (65, 90), (95, 95), (97, 122)]
_SPACE: Final = [(9, 13), (32, 32)]
_CLASSES: Final = {
    sre.CATEGORY_DIGIT: [(48, 57)],
    sre.CATEGORY_SPACE: _SPACE,
    sre.CATEGORY_WORD: _WORD,
}
_NEGATED: Final = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}

Ranges = list[tuple[int, int]]


class TooComplexError(Exception):
    """The expression can't be looked at within the work that is allowed."""


class _Piece(NamedTuple):
    first: list[int]
    last: list[int]
    empty: int  # in how many ways it matches nothing: none, one, or two for more than one


_EMPTY: Final = _Piece([], [], empty=1)
_SEVERAL: Final = 2


@dataclass
class Automaton:
    """
    The states of an expression that can fail after a text has led to them.

    Attributes:
        follow: For each state, the states that may come next, and by how many ways.
        letters: For each state, the characters that lead to it, as bits.
        asserted: What look-arounds demand, each an automaton, and whether it is tried at more than one place.
    """

    follow: dict[int, Counter[int]] = field(default_factory=dict)
    letters: dict[int, int] = field(default_factory=dict)
    asserted: list[tuple["Automaton", bool]] = field(default_factory=list)
    work: int = 0

    def spend(self, work: int = 1) -> None:
        """
        Take down work on it.

        Raises:
            TooComplexError: It was too much.
        """
        self.work += work
        if self.work > WORK:
            raise TooComplexError

    def overlap(self, *states: int) -> int:
        """Return the characters that lead to all of these states."""
        common = -1
        for state in states:
            common &= self.letters[state]
        return common


def automaton(pattern: str, most_copies: int) -> Automaton:
    """
    Read an expression as Python reads it; bounded repeats of more copies than these count as unbounded.

    Raises:
        re.error: Python can't read it.
        TooComplexError: It refers back to what it matched, or is too long.
    """
    if len(pattern) > LONGEST:
        raise TooComplexError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of operators in sets, which no Python knows yet
        parsed = re._parser.parse(pattern)  # noqa: SLF001 - there is no other way to it
    if parsed.state.flags & re.IGNORECASE:
        raise TooComplexError
    return _Maker(most_copies).make(list(parsed))


class _Maker:
    def __init__(self, most_copies: int) -> None:
        self._most_copies = most_copies
        self._made = Automaton(follow={START: Counter()})
        self._ranges: dict[int, Ranges] = {}
        self._depth = 0
        self._has_gate = False

    def make(self, nodes: list[Any], *, is_assertion: bool = False) -> Automaton:
        made, anchored = self._made, is_assertion or _is_anchored(nodes)
        self._repeated = not anchored
        whole = self._sequence(nodes[1:] if nodes and _is_anchored(nodes[:1]) and nodes[0][0] is sre.AT else nodes)
        self._join([START], whole.first)
        if not anchored:
            self._ranges[START] = [(0, _LAST)]
            self._join([START], [START])  # a search begins at every place of a text
        accepting = set() if self._has_gate else {*whole.last, *([START] if whole.empty else [])}
        self._letters()
        # Whatever has led to an accepting state, the search succeeds: nothing is tried again.
        made.follow = {
            state: Counter({one: ways for one, ways in after.items() if one not in accepting})
            for state, after in made.follow.items()
            if state not in accepting
        }
        return made

    def _letters(self) -> None:
        starts = sorted(
            {bound for ranges in self._ranges.values() for low, high in ranges for bound in (low, high + 1)}
        )
        for state in self._made.follow:
            bits = 0
            for low, high in self._ranges.get(state, ()):
                first, end = bisect_left(starts, low), bisect_left(starts, high + 1)
                bits |= (1 << end) - (1 << first)
            self._made.letters[state] = bits

    def _sequence(self, nodes: Any) -> _Piece:
        whole = _EMPTY
        for operation, argument in nodes:
            whole = self._chain(whole, self._one(operation, argument))
        return whole

    def _one(self, operation: Any, argument: Any) -> _Piece:
        if operation in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return self._character(_characters(operation, argument))
        if operation is sre.BRANCH:
            pieces = [self._sequence(branch) for branch in argument[1]]
            return _Piece(
                [one for piece in pieces for one in piece.first],
                [one for piece in pieces for one in piece.last],
                min(_SEVERAL, sum(piece.empty for piece in pieces)),
            )
        if operation is sre.SUBPATTERN and not argument[1]:
            return self._sequence(argument[3])
        if operation is sre.ATOMIC_GROUP:
            return self._sequence(argument)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self._repeat(*argument)
        self._has_gate = True
        if operation in (sre.ASSERT, sre.ASSERT_NOT):
            inner = _Maker(self._most_copies).make(list(argument[1]), is_assertion=True)
            self._made.asserted.append((inner, self._repeated))
        elif operation is not sre.AT:
            raise TooComplexError  # it refers to what was matched before, or changes the flags
        return _EMPTY

    def _character(self, ranges: Ranges) -> _Piece:
        state = len(self._made.follow)
        self._made.spend()
        self._made.follow[state] = Counter()
        self._ranges[state] = ranges
        return _Piece([state], [state], empty=0)

    def _repeat(self, least: int, most: int, body: Any) -> _Piece:
        before, repeated = len(self._made.follow), self._repeated
        self._repeated = repeated or most > 1
        piece = self._sequence(body)
        size = len(self._made.follow) - before
        if most == sre.MAXREPEAT or size * most > self._most_copies:
            if piece.empty and most != sre.MAXREPEAT:
                raise TooComplexError  # each copy may be left out: too many ways to count roughly
            self._join(piece.last, piece.first)
        elif most > 1:
            piece = self._copies(piece, least, most, body)
        self._repeated = repeated
        return piece._replace(empty=min(_SEVERAL, piece.empty + (least == 0)))

    def _copies(self, first: _Piece, least: int, most: int, body: Any) -> _Piece:
        # As the engine counts them: a further copy only behind the one before it.
        rest = _EMPTY
        for number in range(most, 1, -1):
            rest = self._chain(self._sequence(body), rest)
            rest = rest._replace(empty=min(_SEVERAL, rest.empty + (number > least)))
        return self._chain(first, rest)

    def _chain(self, one: _Piece, other: _Piece) -> _Piece:
        self._join(one.last, other.first)
        return _Piece(
            one.first + other.first * one.empty,
            other.last + one.last * other.empty,
            min(_SEVERAL, one.empty * other.empty),
        )

    def _join(self, states: list[int], followers: list[int]) -> None:
        self._made.spend(len(states) * len(followers))
        for state in states:
            self._made.follow[state].update(followers)


def _is_anchored(nodes: Any) -> bool:
    if not nodes:
        return False
    operation, argument = nodes[0]
    if operation is sre.AT:
        return argument in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
    if operation is sre.SUBPATTERN:
        return _is_anchored(list(argument[3]))
    return operation is sre.BRANCH and all(_is_anchored(list(branch)) for branch in argument[1])


def _characters(operation: Any, argument: Any) -> Ranges:
    if operation is sre.ANY:
        return _all_but([(10, 10)])
    if operation is sre.LITERAL:
        return [(argument, argument)]
    if operation is sre.NOT_LITERAL:
        return _all_but([(argument, argument)])
    negated = bool(argument) and argument[0][0] is sre.NEGATE
    ranges = [one for item in argument[negated:] for one in _item(*item)]
    return _all_but(ranges) if negated else ranges


def _item(operation: Any, argument: Any) -> Ranges:
    if operation is sre.RANGE:
        return [argument]
    if operation is sre.CATEGORY:
        return _CLASSES[argument] if argument in _CLASSES else _all_but(_CLASSES[_NEGATED[argument]])
    return [(argument, argument)]


def _all_but(ranges: Ranges) -> Ranges:
    return list(_gaps(sorted(ranges)))


def _gaps(ranges: Ranges) -> Iterator[tuple[int, int]]:
    begin = 0
    for low, high in ranges:
        if low > begin:
            yield begin, low - 1
        begin = max(begin, high + 1)
    if begin <= _LAST:
        yield begin, _LAST
