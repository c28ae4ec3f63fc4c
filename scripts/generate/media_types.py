"""What the client makes of a media type, and which ones are none at all (RFC 9110)."""

from __future__ import annotations

import re

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
_MEDIA_TYPE = re.compile(rf"({_WORD})/({_WORD})((?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|{_QUOTED}))*)")
_CHARSET = re.compile(rf";[ \t]*charset=(?:({_WORD})|({_QUOTED}))", re.IGNORECASE)
ANY = frozenset({"*/*", "application/*"})
EVENTS = "text/event-stream"  # never whole, so that nothing could be read of it before it ends
_UTF_8 = frozenset({"utf-8", "utf8"})


def essence(media_type: str) -> str:
    """A media type without its parameters, in small letters."""
    return media_type.partition(";")[0].strip().lower()


def kind(media_type: str) -> str:
    """How a body of it is read: as `json`, `text` or `bytes`; empty for a stream of events, which has no end."""
    name = essence(media_type)
    if name == "application/json" or name.endswith("+json"):
        return "json"
    if name == EVENTS:
        return ""
    return "text" if name.startswith("text/") else "bytes"


def kind_of_request(media_type: str) -> str:
    """How a body of it is written: as `json`, `form`, `multipart`, `text` or `bytes`."""
    forms = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}
    return forms.get(essence(media_type)) or kind(media_type) or "text"


def problem(media_type: str) -> str:
    """Why a text is no media type that a client can send or wait for; empty if it is one."""
    if not _MEDIA_TYPE.fullmatch(media_type):
        return "no media type; write it as type/subtype, with any parameters as ; name=value"
    charset = _charset(media_type)
    if charset and charset not in _UTF_8 and kind(media_type) == "json":
        return f"JSON is written in UTF-8 and not in {charset}; leave the charset out"
    return ""


def _charset(media_type: str) -> str:
    found = _CHARSET.search(media_type)
    return (found[1] or found[2].strip('"')).lower() if found else ""
