"""Our own pool of connections, an httpx transport: places in a row, each with a transport of one connection.

httpx' own pool looks through all that it holds with every call, so that a call costs more the more of them are under
way. Here one takes the lowest free place, which costs the same however many there are; whoever finds none waits for its
turn, first come, first served.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from .bounds import BOUNDS, Bounds
from .connection import single_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["KEPT", "PLACES", "AsyncPool", "Pool"]

PLACES = 100
KEPT = 5.0  # seconds that an idle connection stays open, as with httpx
_LOOKED_FOR = 1.0  # seconds between two searches for connections that have been idle for longer

T = TypeVar("T")


class _Place(Generic[T]):
    """A place: a transport of one connection, opened when it is first needed, and the bounds of the try it serves."""

    def __init__(self) -> None:
        self.transport: T | None = None
        self.bounds = Bounds(None, None, None)
        self.free_since = 0.0


class _Places(Generic[T]):
    """Which places are taken, and who waits for one. Has no idea of what is done there."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._places: list[_Place[T]] = [_Place() for _ in range(PLACES)]
        self._open(self._places[0])  # now, so that settings which make no sense are told at once
        self._free = list(range(PLACES))
        self._turns: deque[Any] = deque()
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self.closed = False

    def take(self, new_turn: Callable[[], Any]) -> tuple[int, Any]:
        """The lowest free place, or a future that will have one as its result, or -1 if the pool is closed first.

        Raises:
            httpx.ConnectError: the pool is closed.
        """
        with self._lock:
            if self.closed:
                raise httpx.ConnectError(_CLOSED)
            if self._free:
                return heapq.heappop(self._free), None
            turn = new_turn()
            self._turns.append(turn)
            return _NO_PLACE, turn

    def give_back(self, number: int) -> None:
        """Hand a place on to who has waited longest, else it is free."""
        with self._lock:
            if self.closed:
                return
            while self._turns:
                turn = self._turns.popleft()
                if not turn.done():
                    turn.set_result(number)
                    return
            self._places[number].free_since = time.monotonic()
            heapq.heappush(self._free, number)

    def leave(self, turn: Any) -> None:
        """Wait no longer; a place that has come meanwhile goes to the next."""
        with self._lock:
            given = turn.done() and not turn.cancelled()
            turn.cancel()
        if given and turn.result() != _NO_PLACE:
            self.give_back(turn.result())

    def begin(self, number: int, request: httpx.Request) -> T:
        """The transport of a place that was taken; the clock of the request starts."""
        if self.closed:
            raise httpx.ConnectError(_CLOSED)
        place = self._places[number]
        place.bounds = request.extensions[BOUNDS]
        if place.bounds.is_over:
            raise _in_vain()
        place.bounds.start()
        return place.transport or self._open(place)

    def _open(self, place: _Place[T]) -> T:
        place.transport = self._make()
        single_out(place)
        return place.transport

    def idle(self) -> list[T]:
        """The transports whose connection has been idle for too long; the places forget them."""
        now = time.monotonic()
        if now < self._looked + _LOOKED_FOR:
            return []
        with self._lock:
            self._looked = now
            late = [self._places[number] for number in self._free if self._places[number].free_since + KEPT < now]
            return _taken_out(late)

    def close(self) -> list[T]:
        """All transports that were opened; whoever waits for a place is told."""
        with self._lock:
            self.closed = True
            for turn in self._turns:
                if not turn.done():
                    turn.set_result(_NO_PLACE)
            return _taken_out(self._places)


_CLOSED = "the client was closed"
_NO_PLACE = -1


def _taken_out(places: list[_Place[T]]) -> list[T]:
    found = [place.transport for place in places if place.transport is not None]
    for place in places:
        place.transport = None
    return found


def _patience(request: httpx.Request) -> float | None:
    """Seconds to wait for a place. Only an `httpx.Timeout` of the caller's and the end of a wait bound them."""
    bounds: Bounds = request.extensions[BOUNDS]
    return bounds.left(request.extensions["timeout"]["pool"])


def _in_vain() -> httpx.PoolTimeout:
    return httpx.PoolTimeout(f"all {PLACES} connections of this client were busy; more calls at once only wait longer")


class Pool(httpx.BaseTransport):
    """A hundred connections for calls in threads.

    Args:
        make: Makes an httpx transport of one connection.
    """

    def __init__(self, make: Callable[[], httpx.BaseTransport]) -> None:
        self._places = _Places(make)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as soon as there is a place for it, which is free again once the reply is closed."""
        number, turn = self._places.take(_Turn)
        if turn is not None:
            number = self._await(turn, _patience(request))
        try:
            for transport in self._places.idle():
                transport.close()
            response = self._places.begin(number, request).handle_request(request)
        except BaseException:
            self._places.give_back(number)
            raise
        response.stream = _Stream(response.stream, self._places, number)
        return response

    def _await(self, turn: _Turn, seconds: float | None) -> int:
        try:
            if not turn.wait(seconds):
                raise _in_vain()
            return turn.result()
        except BaseException:
            self._places.leave(turn)
            raise

    def close(self) -> None:
        """Close all connections."""
        for transport in self._places.close():
            transport.close()


class _Turn(threading.Event):
    """As much of a future as the places need; the standard library's takes longer to load than a call takes."""

    number: int | None = None

    def done(self) -> bool:
        return self.is_set()

    def cancelled(self) -> bool:
        return self.is_set() and self.number is None

    def cancel(self) -> None:
        self.set()

    def set_result(self, number: int) -> None:
        self.number = number
        self.set()

    def result(self) -> int:
        return _NO_PLACE if self.number is None else self.number


class _Stream(httpx.SyncByteStream):
    """A reply's body, whose place is given back when it is closed."""

    def __init__(self, stream: Any, places: _Places[Any], number: int) -> None:
        self._stream, self._places, self._number = stream, places, number

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            number, self._number = self._number, -1
            if number >= 0:
                self._places.give_back(number)


class AsyncPool(httpx.AsyncBaseTransport):
    """The same for asyncio."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._places = _Places(make)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as soon as there is a place for it, which is free again once the reply is closed."""
        number, turn = self._places.take(sys.modules["asyncio"].get_running_loop().create_future)
        if turn is not None:
            number = await self._await(turn, _patience(request))
        try:
            for transport in self._places.idle():
                await transport.aclose()
            response = await self._places.begin(number, request).handle_async_request(request)
        except BaseException:
            self._places.give_back(number)
            raise
        response.stream = _AsyncStream(response.stream, self._places, number)
        return response

    async def _await(self, turn: Any, seconds: float | None) -> int:
        try:
            async with sys.modules["asyncio"].timeout(seconds):
                number: int = await turn
        except TimeoutError:
            self._places.leave(turn)
            raise _in_vain() from None
        except BaseException:
            self._places.leave(turn)
            raise
        return number

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._places.close():
            await transport.aclose()


class _AsyncStream(httpx.AsyncByteStream):
    """The same for asyncio."""

    def __init__(self, stream: Any, places: _Places[Any], number: int) -> None:
        self._stream, self._places, self._number = stream, places, number

    def __aiter__(self) -> AsyncIterator[bytes]:
        found: AsyncIterator[bytes] = self._stream.__aiter__()
        return found

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            number, self._number = self._number, -1
            if number >= 0:
                self._places.give_back(number)
