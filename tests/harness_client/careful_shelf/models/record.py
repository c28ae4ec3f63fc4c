"""What all models have in common: members that the contract does not name are kept in ``additional_properties``."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

from attrs import define, field, fields

from careful_shelf.types import UNSET

MORE: Final = "additional_properties"


@define
class Record:
    """An object of the contract."""

    additional_properties: dict[str, Any] = field(factory=dict, kw_only=True)

    readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    @classmethod
    def attributes(cls) -> dict[str, str]:
        """Give the attribute of each member; an underscore behind keeps it apart from a word of Python's."""
        return {one.name.rstrip("_"): one.name for one in fields(cls) if one.name != MORE}

    def to_dict(self) -> dict[str, Any]:
        """Give the object as JSON, nothing of which is the object's own."""
        members = {name: getattr(self, attribute) for name, attribute in self.attributes().items()}
        known = {name: _written(value) for name, value in members.items() if value is not UNSET}
        return {**copy.deepcopy(self.additional_properties), **known}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Make an object of JSON, nothing of which is kept."""
        if not isinstance(src_dict, Mapping):
            raise TypeError(f"no object: {type(src_dict).__name__}")
        left = copy.deepcopy(dict(src_dict))
        known = {
            attribute: cls.readers.get(name, _as_it_is)(left.pop(name))
            for name, attribute in cls.attributes().items()
            if name in left
        }
        return cls(**known, additional_properties=left)

    @classmethod
    def list_from(cls, items: Any) -> list[Self]:
        """Make a list of objects."""
        if not isinstance(items, list):
            raise TypeError(f"no list: {type(items).__name__}")
        return [cls.from_dict(item) for item in items]

    @property
    def additional_keys(self) -> list[str]:
        """Names of members that the contract does not name."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self.attributes():
            raise KeyError(f"{key} is an attribute")
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


def _as_it_is(value: Any) -> Any:
    return value


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(item) for item in value]
    return value.to_dict() if isinstance(value, Record) else copy.deepcopy(value)
