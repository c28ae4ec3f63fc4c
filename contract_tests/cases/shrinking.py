"""Property tests on drawn data: hypothesis draws, the caller tries, and what fails is shrunk."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky, Unsatisfiable

from contract_tests.cases.case import RequestCase
from contract_tests.openapi.document import LOCATIONS
from contract_tests.rules import NotExercised, SetUpError

MOST_TRIES: Final = 200  # after the first failure: each may be a call through the process of a client


class StillFails(Exception):
    """What was drawn fails, like what is being shrunk."""


def quiet_settings(count: int, *phases: Phase, **more: Any) -> settings:
    """Return settings with which hypothesis draws up to so many values, keeps none of them and prints nothing."""
    quiet: dict[str, Any] = {"suppress_health_check": list(HealthCheck), "verbosity": Verbosity.quiet}
    return settings(
        max_examples=count, database=None, deadline=None, phases=phases, report_multiple_bugs=False, **quiet | more
    )


def smallest(
    strategy: Any,
    count: int,
    random_seed: int,
    fails: Callable[[Any], bool],
    *,
    read: Callable[[Any], Any],
    most_tries: int = MOST_TRIES,
) -> Any | None:
    """
    Return the smallest value that fails; None if none of those that are drawn does.

    Args:
        strategy: Where values come from.
        count: How many are drawn until one fails.
        random_seed: The same one draws the same values.
        fails: Whether a value fails.
        read: Makes a value of what is drawn. A strategy that is mapped draws other data from the same seed.
        most_tries: How often that may be asked after the first failure.

    Raises:
        NotExercised: If ``fails`` does so before anything has failed; SetUpError likewise, whenever it does.
    """
    found: list[Any] = []
    ended: list[NotExercised | SetUpError] = []
    tries = 0

    @seed(random_seed)
    @quiet_settings(count, Phase.generate, Phase.shrink)
    @given(strategy)
    def judge(drawn: Any) -> None:
        nonlocal tries
        tries += bool(found)
        if ended or tries > most_tries:
            return
        value = read(drawn)
        try:
            is_failing = fails(value)
        except (NotExercised, SetUpError) as reason:
            ended.append(reason)  # raised here, it would be taken for a failure, and shrunk
            return
        if is_failing:
            found.append(value)
            raise StillFails

    run: Callable[[], None] = judge
    # Beyond the bound nothing fails any more, which hypothesis takes for flaky.
    with contextlib.suppress(StillFails, Flaky, Unsatisfiable):
        run()
    for reason in ended:
        if not found or isinstance(reason, SetUpError):
            raise reason
    return found[-1] if found else None


def with_fewest_parts(case: RequestCase, fails: Callable[[RequestCase], bool]) -> RequestCase:
    """Return a request that fails without the parameters and members that it fails without too."""
    for place in LOCATIONS:
        case = _fewest(case.values(place), partial(case.with_values, place), fails)
    return _fewest(case.body, lambda body: replace(case, body=body), fails)


def _fewest(value: Any, put: Callable[[Any], RequestCase], fails: Callable[[RequestCase], bool]) -> RequestCase:
    return put(with_fewest_members(value, lambda fewer: fails(put(fewer))))


def with_fewest_members(value: Any, fails: Callable[[Any], bool]) -> Any:
    """Return an object that fails without the members that it fails without too, which hypothesis leaves in."""
    for name in list(value) if isinstance(value, dict) else ():
        fewer = {key: member for key, member in value.items() if key != name}
        value = fewer if fails(fewer) else value
    return value
