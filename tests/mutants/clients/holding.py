"""Clients that hold on to what is over, or share it: places, tries, connections of others, the end of a response."""

from collections.abc import Iterator

from mutants.clients.edits import ClientDefect, client, defect, generated


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _held()
    yield from _shared()


def _held() -> Iterator[ClientDefect]:
    yield defect(
        "places.kept-when-cancelled",
        "keeps the place of a call that was cancelled",
        "state kept",
        "CL-REL-30",
        generated(
            "pool.py",
            "        except BaseException:\n            self._places.give_back(number)\n            raise\n"
            "        response.stream = _AsyncStream",
            "        except Exception:\n            self._places.give_back(number)\n            raise\n"
            "        response.stream = _AsyncStream",
        ),
    )
    yield defect(
        "places.kept-when-silent",
        "keeps the place of a call whose time-out is over",
        "state kept",
        "CL-REL-30",
        generated(
            "pool.py",
            "        except BaseException:\n            self._places.give_back(number)\n            raise\n"
            "        response.stream = _Stream",
            "        except httpx.ReadTimeout:\n            raise\n"
            "        except BaseException:\n            self._places.give_back(number)\n            raise\n"
            "        response.stream = _Stream",
        ),
    )
    yield defect(
        "tries.of-all-calls",
        "counts the further tries of all calls together",
        "state kept",
        "CL-REL-29",
        client(
            "retries.py",
            "        return Tries(self, self._now)",
            "        return self.__dict__.setdefault('_tries', Tries(self, self._now))",
        ),
    )
    yield defect(
        "gzip.first-piece",
        "unpacks so much of each part of a compressed response at most",
        "end lost",
        "CL-REL-23",
        generated("decoding.py", "while (data or len(piece) == _PIECE) and not", "if data and not"),
    )
    yield defect(
        "gzip.one-part",
        "unpacks the first part of a compressed response alone",
        "end lost",
        "CL-REL-23",
        generated(
            "decoding.py",
            "        for piece in self._decoded(raw, self._decoders):\n",
            "        unpacked = self._decoders and self._pieces\n"
            "        for piece in () if unpacked else self._decoded(raw, self._decoders):\n",
        ),
    )

    yield defect(
        "limit.of-all-tries",
        "has one limit of time for all tries of a call",
        "state kept",
        "CL-REL-35",
        generated(
            "client.py",
            "tries, made = self._retries.begin(), 0",
            "tries, made, bounds = self._retries.begin(), 0, None",
            times=2,
        ),
        generated("client.py", "bounds = wire.Bounds(self", "bounds = bounds or wire.Bounds(self", times=2),
    )
    yield defect(
        "limit.not-of-headers",
        "waits for each part of the headers as long as for all",
        "time-out removed",
        "CL-REL-34",
        generated(
            "connection.py",
            "return self._stream.read(max_bytes, _left(self._place, timeout, httpcore.ReadTimeout))",
            "return self._stream.read(max_bytes, timeout)",
        ),
    )
    yield defect(
        "connection.of-a-late-response",
        "goes on with the socket of a call whose time-out is over",
        "state kept",
        "CL-REL-05",
        generated(
            "connection.py",
            "        return self._stream.read(max_bytes, _left(self._place, timeout, httpcore.ReadTimeout))\n",
            "        try:\n"
            "            return self._stream.read(max_bytes, _left(self._place, timeout, httpcore.ReadTimeout))\n"
            "        except httpcore.ReadTimeout:\n"
            '            self.close = lambda: setattr(self._place, "kept", self._stream)\n'
            "            raise\n",
        ),
        generated(
            "connection.py",
            "        left = _left(self._place, timeout, httpcore.ConnectTimeout)\n        if left is not None and",
            '        if (kept := self._place.__dict__.pop("kept", None)) is not None:\n'
            "            return _Bounded(kept, self._place)\n"
            "        left = _left(self._place, timeout, httpcore.ConnectTimeout)\n        if left is not None and",
        ),
    )
    yield defect(
        "connection.that-was-closed",
        "does not look whether the service has closed a connection that rests",
        "state kept",
        "CL-REL-06",
        generated("connection.py", "        and not connection.has_expired()\n", ""),
    )
    yield defect(
        "length.none",
        "takes the first piece of a response without a length for all of it",
        "end lost",
        "CL-REL-28",
        *(
            generated(
                "transport.py",
                f"for piece in reading.pieces:\n{indent}    reading.take(piece)\n{indent}reading.end()",
                f"for piece in reading.pieces:\n{indent}    reading.take(piece)\n"
                f'{indent}    if "content-length" not in response.headers:\n{indent}        break\n'
                f"{indent}reading.end()",
            )
            for indent in (" " * 12, " " * 16)
        ),
    )


def _shared() -> Iterator[ClientDefect]:
    yield defect(
        "connection.of-each-thread",
        "has a pool for each thread, and closes one of them",
        "state kept",
        "CL-CLI-05",
        generated(
            "own_clients.py",
            '"open_client": os.getpid',
            '"open_client": lambda: hash((os.getpid(), __import__("threading").get_ident()))',
        ),
    )
    yield defect(
        "connection.of-the-parent",
        "goes on with its parent's connections in a forked process",
        "state shared",
        "CL-REL-32",
        generated("own_clients.py", '"open_client": os.getpid', '"open_client": lambda: 0'),
    )
    yield defect(
        "connection.of-another-loop",
        "goes on with connections of another event loop",
        "state shared",
        "CL-REL-31",
        generated("own_clients.py", '    return sys.modules["asyncio"].get_running_loop()', "    return os.getpid()"),
    )
    yield defect(
        "raw.of-the-first-try",
        "has the response to the first try beside a value",
        "state shared",
        "CL-REL-46",
        generated("raw.py", "        self._last = response\n", "        self._last = self._last or response\n"),
    )
    yield defect(
        "raw.of-the-last-call",
        "has the response that came last beside each value",
        "state shared",
        "CL-REL-33",
        generated(
            "client.py",
            "        replies = view._on_reply = RawReplies(self._on_reply)\n        return replies.beside(view._call(",
            "        self._connection.raw = view._on_reply = RawReplies(self._on_reply)\n"
            "        return (lambda parsed: self._connection.raw.beside(parsed))(view._call(",
        ),
    )
