"""Texts that nearly are a key: parts of it, and other spellings of it."""

import unicodedata
from collections.abc import Mapping


def parts_and_more(key: str) -> Mapping[str, str]:
    """Return what begins as a key does, or goes on behind it, by how that differs."""
    shorter = {"without its last character": key[:-1]} if len(key) > 1 else {}
    return {**shorter, "with one character more": f"{key}x"}


def other_spellings(key: str) -> Mapping[str, str]:
    """Return other texts that some take for a key, by how they differ; the likeliest first."""
    spelled = {
        "in another case": key.swapcase(),
        "with a space behind it": f"{key} ",
        "with characters decomposed": unicodedata.normalize("NFD", key),
        "with another character for _": key.replace("_", "x"),
        "with a space before it": f" {key}",
    }
    return {how: other for how, other in spelled.items() if other != key}


def other_numerals(number: int) -> Mapping[str, str]:
    """Return other texts that some read as a number."""
    digits = str(number)
    wide = "".join(chr(ord("\uff10") + int(digit)) for digit in digits)
    return {
        "with a zero before it": f"0{digits}",
        "with a sign": f"+{digits}",
        "as a fraction": f"{digits}.0",
        "in wide digits": wide,
        "with a space behind it": f"{digits} ",
    }
