"""Draws again what has failed, under hypothesis, which shrinks it to the smallest value that fails the same way."""

import contextlib
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky, Unsatisfiable

MOST_TRIES: Final = 200  # after the first failure: each may be a call through the process of a client


class _StillFails(Exception):
    pass


def smallest(strategy: Any, count: int, random_seed: int, fails: Callable[[Any], bool]) -> Any | None:
    """
    Return the smallest value that fails; None if none of those that are drawn does.

    Args:
        strategy: Where values come from.
        count: How many are drawn.
        random_seed: The one that they were drawn with before, so that they are the same.
        fails: Whether a value fails; asked a bounded number of times.
    """
    found: list[Any] = []
    tries = 0

    @seed(random_seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def judge(value: Any) -> None:
        nonlocal tries
        tries += bool(found)
        if tries <= MOST_TRIES and fails(value):
            found.append(value)
            raise _StillFails

    run: Callable[[], None] = judge
    # Beyond the bound nothing fails any more, which hypothesis takes for flaky.
    with contextlib.suppress(_StillFails, Flaky, Unsatisfiable):
        run()
    return found[-1] if found else None


def with_fewest_members(value: Any, fails: Callable[[Any], bool]) -> Any:
    """Return an object that fails without the members that it fails without too, which hypothesis leaves in."""
    for name in list(value) if isinstance(value, dict) else ():
        fewer = {key: member for key, member in value.items() if key != name}
        value = fewer if fails(fewer) else value
    return value
