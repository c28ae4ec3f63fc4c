"""Headers that a caller gives a client, with the names of those that it sends itself."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract_tests.cases.case import RequestCase
from contract_tests.client.outcome import Raised, Unclaimed
from contract_tests.client.relations import header_names
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import RecordedRequest

PROBE: Final = "X-Given"
# What RFC 9110, for Cookie RFC 6265 and for Origin RFC 6454 define to be no list. A list may come in several lines.
SINGLE: Final = frozenset(
    {
        *("authorization", "content-length", "content-location", "content-range", "content-type", "cookie", "date"),
        *("from", "host", "if-modified-since", "if-range", "if-unmodified-since", "max-forwards", "origin"),
        *("proxy-authorization", "range", "referer", "user-agent"),
    }
)
SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {"small letters": str.lower, "capitals": str.upper}
WAYS: Final = ("client", "view", "view of such a client")


@dataclass(frozen=True)
class Given:
    """Headers that were given to a client or to a view of it, and the call by which it was to send them."""

    about: str
    headers: Mapping[str, str]
    trial: Trial[RequestCase]

    @property
    def is_heeded(self) -> bool:
        """Whether the client takes headers of the caller's at all."""
        return any(seen.broken or seen.all(PROBE) for seen in self.trial.seen[:1])


def single_names(trials: Trials) -> set[str]:
    """Return the names, in small letters, of the fields that no request may have twice."""
    return {*SINGLE, *(name.lower() for name in header_names(trials))}


def doubled(trials: Trials, seen: RecordedRequest) -> list[str]:
    """Return the names of those that a request has more than once."""
    counts = Counter(name.lower() for name, _ in seen.headers)
    return sorted(name for name in single_names(trials) if counts[name] > 1)


def given_again(trials: Trials, mode: str) -> Iterator[Given]:
    """Return calls with headers that the client sends itself, as it sends them, by whom they are given to and how."""
    whole, single = trials.fullest(), single_names(trials)
    plain = _played(trials, mode, whole)
    own = {name: value for seen in plain.seen[:1] for name, value in seen.headers if name.lower() in single}
    for way in WAYS:
        taken = list(own)
        for about, spell in SPELLINGS.items():
            together = {spell(name): own[name] for name in taken}
            trial = _given(trials, mode, way, together)
            if isinstance(trial.outcome, Unclaimed):
                break
            if trial.seen or not _is_refusal(trial):
                yield Given(f"{way}: {about}", together, trial)
                continue
            # Which of them it refuses is seen one by one; the others it has to take.
            alone = {name: _given(trials, mode, way, {spell(name): own[name]}) for name in taken}
            taken = [name for name, one in alone.items() if one.seen or not _is_refusal(one)]
            for name in taken:
                yield Given(f"{way}: {about}", {spell(name): own[name]}, alone[name])


def _is_refusal(trial: Trial[RequestCase]) -> bool:
    return isinstance(trial.outcome, Raised) and trial.outcome.refuses


def _given(trials: Trials, mode: str, way: str, headers: Mapping[str, str]) -> Trial[RequestCase]:
    given, whole = {**headers, PROBE: "1"}, trials.fullest()
    if way == "client":
        return _played(trials, mode, whole, headers=given)
    more = {"how": "derived", "given": {"headers": given}}
    # The client's are spelled the other way than the view's.
    before = {name.swapcase(): value for name, value in headers.items()} if way == WAYS[-1] else {}
    return _played(trials, mode, whole, task="derived", more=more, headers=before)


def _played(trials: Trials, mode: str, case: RequestCase, **how: Any) -> Trial[RequestCase]:
    return trials.session.play(case, case, [trials.success_for(case)], mode, **how)
