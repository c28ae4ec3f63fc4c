"""Clients of ``shelf.yaml`` whose own documentation states what the contract does not."""

from typing import Final

from shelf_client import Conforming

PLACE: Final = "the shelf's handbook, page 3"


class Promising(Conforming):
    """Documents that its repr does not show the key, which it does."""

    documents: Final = {"CL-SEC-02": PLACE}

    def __init__(self, generated: str) -> None:
        super().__init__(generated, "key_in_repr")


class Mistaken(Promising):
    """Documents a rule that nobody has."""

    documents: Final = {"CL-SEC-99": PLACE}
