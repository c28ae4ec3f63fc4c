"""
Defective clients: the generated package and ``workflow_runs`` with one change of their source each.

A changed copy is judged as ``--generated COPY`` or ``--client COPY``, by all rules of the client side. What our
contract gives no client an occasion for is changed in ``careful_shelf``, a correct client of another contract.
"""

from collections.abc import Sequence

from mutants.clients import (
    batching,
    delivered,
    holding,
    keeping,
    of_the_shelf,
    packaging,
    past,
    reading,
    refusing,
    relating,
    repeating,
    sending,
    showing,
    surrounding,
    taking,
    waiting,
)
from mutants.clients.edits import ClientDefect
from mutants.clients.runner import open_runner

__all__ = ["defects", "open_runner"]

CHAPTERS = (
    sending,
    refusing,
    reading,
    taking,
    repeating,
    relating,
    waiting,
    batching,
    past,
    holding,
    showing,
    surrounding,
    keeping,
    packaging,
    delivered,
    of_the_shelf,
)


def defects() -> Sequence[ClientDefect]:
    """Give all defects, in the order in which a call meets them."""
    return [defect for chapter in CHAPTERS for defect in chapter.defects()]
