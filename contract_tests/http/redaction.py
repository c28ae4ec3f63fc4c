"""Keeps secrets out of everything that is shown."""

from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
SHORTEST = 4  # a shorter secret would blot out ordinary words


class Secrets:
    """The values that must never be shown."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Mask this value from now on, in its plain form and as it stands escaped in JSON, a repr or a URL."""
        if len(value) >= SHORTEST:
            self._values |= {value, repr(value)[1:-1], value.encode("unicode_escape").decode(), quote(value, safe="")}

    def mask(self, text: str) -> str:
        """Return the text without secrets."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text

    @property
    def longest(self) -> int:
        """Length of the longest text that is masked."""
        return max(map(len, self._values), default=0)

    def mask_start(self, text: str, limit: int) -> str:
        """
        Return the beginning of a text without secrets, in a time that does not grow with the text.

        It is longer than ``limit`` if the text is, unless secrets in it were masked.
        """
        start = text[: limit + self.longest]
        masked = self.mask(start)
        if len(start) == len(text):
            return masked
        # A secret that is cut in two at the end is not recognised: nothing is left of where it may begin.
        return masked[: len(masked) - self.longest] if len(masked) > self.longest else ""

    def __repr__(self) -> str:
        return f"{len(self._values)} secrets"
