"""How a text of the contract gets into Python: as a literal, or into a docstring. There is no third way."""

from __future__ import annotations

import unicodedata
from typing import Any

from openapi_python_client.strings import safe_for_docstring

_CONTROL = frozenset({"Cc", "Cs"})
_JSON_TYPES = (str, int, float, bool, type(None), list, dict)


def literal(value: Any) -> str:
    """A JSON value as Python writes it; what can't be printed is escaped."""
    kind = type(value)
    if kind is list or kind is tuple:
        return f"[{', '.join(map(literal, value))}]"
    if kind is dict:
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if kind not in _JSON_TYPES:
        raise TypeError(f"{kind.__name__} is no JSON value")  # a text that another one wrapped would not be quoted
    return repr(value)


def docstring(value: Any) -> str:
    """A text for a docstring, which it can't end, and where it is no example to run."""
    text = getattr(value, "get_untrusted_value", lambda: value)()
    lines = str(text).replace("\r\n", "\n").replace("\r", "\n").replace(">>>", "\\>>>")
    plain = "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in _CONTROL).strip()
    safe = safe_for_docstring(plain)
    # Quotes are escaped by threes; one of those that are left would be taken for the first of the closing ones.
    has_loose_end = (len(plain) - len(plain.rstrip('"'))) % 3
    return safe[:-1] + '\\"' if has_loose_end else safe
