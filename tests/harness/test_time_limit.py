"""What takes too long is ended, whatever it is at."""

import time
import weakref

import pytest

from contract_tests.cases.time_limit import OutOfTime, time_limit


class _Thing:
    """What a callback may wait for."""


def _spin(seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


def test_an_end_that_python_drops_comes_again_and_says_nothing() -> None:
    """What is raised while an object is deleted is dropped, and no words of it are anybody's business."""
    things = [_Thing()]
    watch = weakref.ref(things[0], lambda _: _spin(0.3))

    def delete_and_go_on() -> None:
        with time_limit(0.1, "enough"):
            things.clear()
            _spin(30)

    with pytest.raises(OutOfTime, match="enough"):
        delete_and_go_on()
    assert watch() is None
