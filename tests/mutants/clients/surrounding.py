"""Clients that go wrong with what is around a call: many others, a proxy, a limit, a view, the end of a response."""

from collections.abc import Iterator

from mutants.clients.edits import ClientDefect, client, defect, generated


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _limits()
    yield from _proxies()
    yield from _masks()


def _limits() -> Iterator[ClientDefect]:
    yield defect(
        "places.given-twice",
        "puts a place among the free ones that it has handed on",
        "state shared",
        "CL-REL-37",
        generated(
            "pool.py",
            "                    turn.set_result(number)\n                    return\n            self._places[number]",
            "                    turn.set_result(number)\n                    break\n            self._places[number]",
        ),
    )
    yield defect(
        "size.of-the-wire",
        "counts the bytes of a response as they come over the wire alone",
        "limit removed",
        "CL-REL-38",
        generated(
            "decoding.py",
            "            if self._most is not None and self._length > self._most:\n                raise TooLong\n",
            "",
        ),
    )
    yield defect(
        "size.a-byte-less",
        "gives up a response that is as large as it may be",
        "limit moved",
        "CL-REL-38",
        generated("decoding.py", "self._length > self._most", "self._length >= self._most"),
    )
    yield defect(
        "view.adds-to-the-client",
        "keeps the query of a view for its own calls",
        "state shared",
        "CL-REL-39",
        generated(
            "client.py",
            "        view._extra_query = _both(",
            "        self._extra_query = view._extra_query = _both(",
        ),
    )
    yield defect(
        "packed.half",
        "takes the beginning of a compressed response for all of it",
        "end lost",
        "CL-REL-40",
        generated(
            "decoding.py",
            "if self._raw and not all(decoder.is_whole for decoder in self._decoders):",
            "if self._raw and not self._pieces:",
        ),
    )
    yield defect(
        "packed.first-member",
        "reads the first member of a compressed response alone",
        "end lost",
        "CL-REL-41",
        generated(
            "decoding.py",
            "                if not data.startswith(_GZIP):\n                    return\n"
            "                self._zlib = zlib.decompressobj(self._first)",
            "                return",
        ),
    )
    yield defect(
        "tag.of-all",
        "gives all runs one tag",
        "state shared",
        "CL-REL-42",
        client("promptlayer.py", "{tag_name: os.urandom(8).hex(), **", '{tag_name: "of-all", **'),
    )
    yield defect(
        "sent-at.of-the-error",
        "tells the time of an error for that of its request",
        "value changed",
        "CL-REL-43",
        client("in_doubt.py", "time.time() - (time.monotonic() - began)", "time.time()"),
    )
    yield defect(
        "wait.first-branch",
        "takes a run for failed if its first output node has not succeeded",
        "outcome mistaken",
        "CL-RUN-02",
        client(
            "outcome.py",
            "            return MainOutput(succeeded=True, value=node.value)\n",
            "            return MainOutput(succeeded=True, value=node.value)\n        break\n",
        ),
    )


def _proxies() -> Iterator[ClientDefect]:
    yield defect(
        "proxy.unread",
        "goes to no proxy, whatever the environment says",
        "setting ignored",
        "CL-PRX-01",
        generated(
            "own_clients.py",
            "for pattern, address in environment.proxies().reveal().items()}",
            "for pattern, address in environment.proxies().reveal().items() if not pattern}",
        ),
    )
    yield defect(
        "proxy.endings",
        "takes a name in NO_PROXY for the ending of a host's",
        "comparison changed",
        "CL-PRX-02",
        generated("environment.py", 'host.endswith(f".{name}")', "host.endswith(name)"),
    )
    yield defect(
        "proxy.host-alone",
        "goes to the proxy for hosts below one that NO_PROXY names",
        "comparison changed",
        "CL-PRX-02",
        generated("environment.py", ' or host.endswith(f".{name}")', ""),
    )
    yield defect(
        "proxy.password",
        "tells in its errors which proxy it has gone by",
        "secret shown",
        "CL-PRX-03",
        generated(
            "transport.py",
            "        return NotSent(told, operation=operation.name)\n",
            '        from os import environ\n\n        told += environ.get("http_proxy", "")\n'
            "        return NotSent(told, operation=operation.name)\n",
        ),
    )


def _masks() -> Iterator[ClientDefect]:
    yield defect(
        "key.escaped",
        "masks a key that was sent back as it was sent alone, not if it comes in escapes",
        "secret shown",
        "CL-SEC-01",
        generated(
            "redaction.py",
            "        found += map(once.origin, _places(once.text, form))\n"
            "        found += (once.origin(twice.origin(place)) for place in _places(twice.text, form))\n",
            "",
        ),
    )
    yield defect(
        "key.in-long-bodies",
        "masks a key that was sent back in bodies of up to 64 KiB alone",
        "secret shown",
        "CL-SEC-11",
        generated(
            "reply.py",
            "self._has_secrets():\n            return self.shown(self.response.text)\n",
            "self._has_secrets():\n            return value\n",
        ),
    )
    yield defect(
        "key.half-at-the-cut",
        "cuts a long text before it masks the key in it",
        "secret shown",
        "CL-SEC-11",
        generated("redaction.py", "_bytes(text[: longest + _LOOK_AHEAD])", "_bytes(text[:longest])"),
    )
