"""Whatever a reply declares of its charset, and whatever its headers hold: it is read, or told as any other."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import raw_server as raw
from client_calls import KEY, RUN, Flavour

from workflow_runs import BadArgument, ContractBroken, ServerError, WorkflowRunsError

_ODD = [
    "utf-16", "utf-32", "utf-16-be", "idna", "punycode", "hex", "hex_codec", "zip", "zlib", "bz2", "uu", "quopri",
    "rot13", "rot_13", "base64", "base64_codec", "unknown", "undefined", "mbcs", "oem", "unicode_escape",
    "raw_unicode_escape", "utf-7", "utf_8_sig", "charmap", "cp65001", "ascii", "latin-1", "\u00fcml",
]  # fmt: skip
_BODIES = (b"", b"caf\xe9", b"\xff", b"\xfe\xff", b"+AGE-\\x", b"xn--\x80", b'{"message": "caf\xe9"}')


@pytest.mark.parametrize("charset", _ODD)
def test_any_declared_charset_ends_in_one_of_our_errors(charset: str, flavour: Flavour) -> None:
    """Also for those that Python knows as codecs of other things; whether it may have run is not lost."""
    header = [(b"content-type", f"text/plain; charset={charset}".encode())]
    answers = [httpx.Response(500, headers=header, content=body) for body in _BODIES]
    for answer in answers:
        client, _ = flavour.over(RUN, answer)
        with pytest.raises(ServerError) as caught:
            flavour.make(RUN, client)
        assert caught.value.may_have_run
        assert caught.value.response is not None
        assert isinstance(caught.value.response.text, str)
    success = httpx.Response(
        201, headers=[(b"content-type", f"application/json; charset={charset}".encode())], content=b"\xff"
    )
    client, _ = flavour.over(RUN, success)
    with pytest.raises(ContractBroken):
        flavour.make(RUN, client)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("iso-8859-1", "latin-1"), ("'windows-1252'", "cp1252"), ("UTF-16", "utf-16-le"), ("shift_jis", "shift_jis")],
)
def test_a_charset_of_texts_is_read(charset: str, codec: str, flavour: Flavour) -> None:
    """A service's words are told in the letters that it wrote, as JSON and as text."""
    word = "\u30c6\u30b9\u30c8" if codec == "shift_jis" else "caf\u00e9 au lait"
    for content in (word, f'{{"message": "{word}"}}'):
        answer = httpx.Response(
            400, headers={"content-type": f"text/html; charset={charset}"}, content=content.encode(codec)
        )
        client, _ = flavour.over(RUN, answer)
        with pytest.raises(WorkflowRunsError) as caught:
            flavour.make(RUN, client)
        assert word in str(caught.value) or caught.value.body == word  # type: ignore[attr-defined]


def test_headers_and_reasons_of_any_bytes_are_survived(flavour: Flavour) -> None:
    """A reply's head may hold what is no ASCII and no Latin-1."""
    head = (
        b"HTTP/1.1 500 \xff\xfe \xc3\xa9\r\nx-request-id: \xe9\xff\r\n"
        b"content-type: text/plain; charset=\xff\r\nretry-after: \xb2\r\n"
    )
    with (
        raw.RawServer(raw.sends(head + b"content-length: 2\r\n\r\n\xe9\xff")) as server,
        pytest.raises(ServerError) as caught,
    ):
        flavour.once(RUN, base_url=server.url)
    assert caught.value.may_have_run
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "content", [b"a" * 10**7, KEY.encode() * 400_000, b"\\" * 10**7, b"&amp;" * 2 * 10**6], ids="akbh"
)
def test_a_large_error_body_takes_no_longer_than_a_small_one(content: bytes, flavour: Flavour) -> None:
    """It is cut before it is masked, and masked in one pass, however many inputs were sent."""
    inputs: dict[str, Any] = {f"input_{number}": f"value {number} " * 5 for number in range(200)}
    client, _ = flavour.over(RUN, httpx.Response(500, content=content))
    began = time.process_time()
    with pytest.raises(ServerError) as caught:
        flavour.make(RUN, client, input_variables=inputs)
    assert time.process_time() - began < 1.5
    assert isinstance(caught.value.body, str)
    assert len(caught.value.body) < 70_000
    assert KEY not in caught.value.body


_FRAMING = [
    "Transfer-Encoding",
    "content-length",
    "Host",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "Content-Encoding",
    "Keep-Alive",
]


@pytest.mark.parametrize("name", _FRAMING)
def test_headers_that_frame_the_message_are_refused_by_name(name: str, flavour: Flavour) -> None:
    """They follow from the request; a second word on them can split it in two on its way."""
    for make in (
        lambda: flavour.client("promptlayer", headers={name: "chunked"}),
        lambda: flavour.client("promptlayer").with_options(headers={name: "chunked"}),
    ):
        with pytest.raises(BadArgument) as caught:
            make()
        assert caught.value.field == f"headers.{name}"


def test_a_brought_clients_framing_is_not_sent(flavour: Flavour) -> None:
    """A body has one length, whatever headers an httpx client adds to its requests."""
    for header in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "3"}):
        client, wire = flavour.over(RUN, RUN.ok())
        client._connection.foreign.headers.update(header)
        flavour.make(RUN, client)
        assert "transfer-encoding" not in wire.only.headers
        assert wire.only.headers.get_list("content-length") == [str(len(wire.only.content))]
