"""How a reply's bytes are read as text: by a charset of texts that it declares, else as UTF-8."""

from __future__ import annotations

import codecs
import re

__all__ = ["charset_of"]

_DECLARED = r"(?i);\s*charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})"
# The names of Python's codecs. There are others, which no text is written in: of zip, hex, idna or escape sequences.
_OF_TEXTS = frozenset(
    {"utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
    | {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp{page}" for page in (437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259))}
    | {
        "big5",
        "euc_jp",
        "euc_kr",
        "gb18030",
        "gb2312",
        "gbk",
        "iso2022_jp",
        "koi8-r",
        "koi8-u",
        "mac-roman",
        "shift_jis",
    }
)
_MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}


def charset_of(content_type: str, content: bytes) -> str:
    """Name of the codec to read a body with. Bytes that are wrong in it are to be replaced."""
    declared = re.search(_DECLARED, content_type)
    try:
        name = codecs.lookup(declared[1]).name if declared else "utf-8"
    except (LookupError, UnicodeError):
        return "utf-8"
    if name in _MARKS:
        # Without a mark the order of bytes is told by where the zeros of plain letters stand; Python would refuse it.
        return name if content.startswith(_MARKS[name]) else name + ("-be" if content[:1] == b"\0" else "-le")
    return name if name in _OF_TEXTS else "utf-8"
