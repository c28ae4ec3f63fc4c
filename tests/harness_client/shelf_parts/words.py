"""Words of the shelf."""

import re
from enum import StrEnum

ISBN = re.compile(r"\d{10}")


class Genre(StrEnum):
    """What a book is about."""

    FACT = "fact"
    FICTION = "fiction"
