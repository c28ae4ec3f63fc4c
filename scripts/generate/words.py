"""The member by whose word alternatives can be told apart where the contract names no discriminator."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Words(NamedTuple):
    """The name of a member on the wire, and the words that each alternative has there, if it has the member."""

    member: str
    of_each: list[list[str]]


def telling(alternatives: Iterable[Any], models: Mapping[str, Any], wire: Mapping[str, str]) -> Words | None:
    """Return the member that most alternatives require to be a word of their own; None if there is none."""
    required = [_required_words(each, models) for each in alternatives]
    names = Counter(name for words in required for name in words)
    for name, count in names.most_common():
        of_each = [words.get(name, []) for words in required]
        if count > 1 and len({word for words in of_each for word in words}) == sum(map(len, of_each)):
            return Words(wire[name], of_each)
    return None


def _required_words(alternative: Any, models: Mapping[str, Any]) -> dict[str, list[str]]:
    model = models.get(str(alternative.class_info.name)) if hasattr(alternative, "class_info") else None
    found = {
        prop.name.get_untrusted_value(): _words(prop) for prop in (model.required_properties or () if model else ())
    }
    return {name: words for name, words in found.items() if words}


def _words(prop: Any) -> list[str]:
    if type(prop).__name__ == "ConstProperty":
        words = {prop.value.raw_value}
    else:
        words = getattr(prop, "values", ()) if type(prop).__name__ == "LiteralEnumProperty" else ()
    return sorted(word for word in words if isinstance(word, str))
