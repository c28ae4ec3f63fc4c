"""Keywords of JSON Schema that the library judges in more time or memory than a large value leaves room for."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from jsonschema import ValidationError

from contract_tests.openapi.json_text import canonical

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]
MOST_PROBLEMS: Final = 200  # that are kept of one value, or of one alternative


def _unique_items(validator: Any, wanted: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(instance, "array") and len(set(map(canonical, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _any_of(validator: Any, alternatives: Sequence[Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    # The library collects every problem of an alternative, as many as the value has parts, before it tries the next.
    context: list[ValidationError] = []
    for index, one in enumerate(alternatives):
        found = list(islice(validator.descend(instance, one, schema_path=index), MOST_PROBLEMS))
        if not found:
            return
        context += found
    yield ValidationError(f"{instance!r} is not valid under any of the given schemas", context=context)


KEYWORDS: Final[dict[str, Keyword]] = {"anyOf": _any_of, "uniqueItems": _unique_items}
