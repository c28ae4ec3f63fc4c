"""Keywords of JSON Schema that the library judges in a time that grows with the square of a value's size."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from jsonschema import ValidationError

from contract_tests.json_text import canonical

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def _unique_items(validator: Any, wanted: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(instance, "array") and len(set(map(canonical, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


KEYWORDS: Final[dict[str, Keyword]] = {"uniqueItems": _unique_items}
