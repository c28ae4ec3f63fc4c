"""Answers every request at once with the same run, on a free port, which it prints."""

from __future__ import annotations

import asyncio
import re

BODY = b'{"success":true,"message":"started","workflow_version_execution_id":7}'
REPLY = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
LENGTH = re.compile(rb"(?i)content-length: *([0-9]+)")


class Instant(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each request once it is there in full."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n") + 4) > 3:  # noqa: PLR2004 - the blank line itself
            length = LENGTH.search(self._received, 0, end)
            end += int(length[1]) if length else 0
            if len(self._received) < end:
                return
            self._received = self._received[end:]
            self._transport.write(REPLY)  # type: ignore[attr-defined]


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", 0, backlog=1_000)
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


asyncio.run(main())
