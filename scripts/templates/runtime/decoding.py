"""A reply's body, decompressed piece by piece: however much a few bytes stand for, no more than the cap is kept."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

try:
    import brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    try:
        import brotlicffi as brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        brotli = None  # type: ignore[assignment,unused-ignore]
try:
    import zstandard  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    zstandard = None  # type: ignore[assignment,unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Body", "CannotDecode", "TooLong"]

_PIECE = 65_536
_GZIP = b"\x1f"
# Real services use one; each further one multiplies what a byte can stand for, and what decompressing takes.
_MOST_ENCODINGS = 4


class CannotDecode(Exception):
    """The body is not compressed as its headers say."""


class TooLong(Exception):
    """The body is longer than the cap."""


class Body:
    """What has come of a body so far.

    Args:
        encodings: The reply's `Content-Encoding`; one that nobody here knows is left as it is, as httpx does.
        most: Bytes at most, compressed or not, or None.

    Raises:
        CannotDecode: it is compressed too many times over.
    """

    def __init__(self, encodings: str, most: int | None) -> None:
        names = [name.strip().lower() for name in encodings.split(",")] if encodings else []
        self._decoders = [_DECODERS[name]() for name in reversed(names) if name in _DECODERS]
        if len(self._decoders) > _MOST_ENCODINGS:
            raise CannotDecode(f"it is compressed {len(self._decoders)} times over")
        self._most = most
        self._pieces: list[bytes] = []
        self._raw = self._length = 0

    def feed(self, raw: bytes) -> None:
        """Take in what has come over the wire.

        Raises:
            CannotDecode: it is not compressed as the headers say.
            TooLong: it is longer than the cap.
        """
        self._raw += len(raw)
        for piece in self._decoded(raw, self._decoders):
            self._length += len(piece)
            self._pieces.append(piece)
            if self._most is not None and self._length > self._most:
                raise TooLong
        if self._most is not None and self._raw > self._most:
            raise TooLong

    def end(self) -> None:
        """Take in that nothing more comes.

        Raises:
            CannotDecode: what is compressed is not whole.
        """
        if self._raw and not all(decoder.is_whole for decoder in self._decoders):
            raise CannotDecode("the compressed body ends before its end")

    def _decoded(self, raw: bytes, decoders: list[Any]) -> Iterable[bytes]:
        if not decoders:
            return (raw,)
        first, *others = decoders
        return (piece for between in first.decode(raw) for piece in self._decoded(between, others))

    def content(self, longest: int | None = None) -> bytes:
        """All of it, or its beginning."""
        content = b"".join(self._pieces)
        return content if longest is None else content[:longest]


class _Deflate:
    """`deflate`, with the header of zlib or, as some servers have it, without."""

    _first, _then = zlib.MAX_WBITS, -zlib.MAX_WBITS

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(self._first)
        self._begun = False

    @property
    def is_whole(self) -> bool:
        return self._zlib.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        piece = b""
        while (data or len(piece) == _PIECE) and not self._zlib.eof:
            piece = self._piece(data)
            data = self._zlib.unconsumed_tail
            yield piece

    def _piece(self, data: bytes) -> bytes:
        try:
            piece = self._zlib.decompress(data, _PIECE)
        except zlib.error as error:
            if self._begun or self._first == self._then:
                raise CannotDecode(str(error)) from None
            self._zlib = zlib.decompressobj(self._then)
            self._begun = True
            return self._piece(data)
        self._begun = True
        return piece


class _Gzip(_Deflate):
    _first = _then = zlib.MAX_WBITS | 16

    def decode(self, data: bytes) -> Iterator[bytes]:
        # A file may be several members in a row (RFC 1952, 2.2); what else stands behind them is filling.
        while data:
            if self._zlib.eof:
                data = data.lstrip(b"\0")
                if not data.startswith(_GZIP):
                    return
                self._zlib = zlib.decompressobj(self._first)
            yield from super().decode(data)
            data = self._zlib.unused_data


class _Stepwise:
    """A decompressor that can't be told how much to give at once, and so is given little at once."""

    step: int

    def __init__(self) -> None:
        self._decompress = self._new()

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), self.step):
            try:
                yield self._decompress(data[start : start + self.step])
            except Exception as error:  # noqa: BLE001 - each library has an error of its own
                raise CannotDecode(str(error)) from None

    @property
    def is_whole(self) -> bool:
        raise NotImplementedError

    def _new(self) -> Callable[[bytes], bytes]:
        raise NotImplementedError


class _Brotli(_Stepwise):
    # Nine bytes can stand for 16 MiB.
    step = 16

    @property
    def is_whole(self) -> bool:
        return bool(self._decompressor.is_finished())

    def _new(self) -> Callable[[bytes], bytes]:
        self._decompressor = _BROTLI.Decompressor()
        found: Any = getattr(self._decompressor, "decompress", None) or self._decompressor.process
        decompress: Callable[[bytes], bytes] = found
        return decompress


class _Zstandard(_Stepwise):
    # Four bytes can stand for 128 KiB.
    step = 64

    @property
    def is_whole(self) -> bool:
        return self._frame is not None and bool(self._frame.eof)

    def _new(self) -> Callable[[bytes], bytes]:
        return self._of_frames

    def _of_frames(self, data: bytes) -> bytes:
        pieces = []
        while data:
            if self._frame is None or self._frame.eof:
                self._frame = _ZSTANDARD.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()
            pieces.append(self._frame.decompress(data))
            data = self._frame.unused_data if self._frame.eof else b""
        return b"".join(pieces)

    _frame: Any = None


# The very ones that httpx offers to a service if they are installed.
_BROTLI: Any = brotli
_ZSTANDARD: Any = zstandard
_LARGEST_WINDOW = 128 * 1024 * 1024
_DECODERS: dict[str, Callable[[], Any]] = {"gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate}
if _BROTLI is not None:
    _DECODERS["br"] = _Brotli
if _ZSTANDARD is not None:
    _DECODERS["zstd"] = _Zstandard
