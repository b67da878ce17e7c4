"""Connection pool of one origin: limits the connections, and reuses the idle one that was used last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from weakref import WeakSet

from addon.origin.connection import OriginConnection
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.proxy import Route
from addon.origin.response_reader import ResponseReader


class OriginPool:
    """Leases connections.

    Each exchange needs a slot, and there are `max_connections` slots. A new connection is opened only by the holder of
    a slot, and only if no connection is idle. So idle and leased connections together never exceed the slots. An
    exchange whose response may have no end returns its slot as soon as that is known. Its connection is used again only
    if that exceeds nothing.
    """

    def __init__(
        self, route: Route, dial: Callable[[Route, OriginConnection], Awaitable[None]], options: OriginOptions
    ) -> None:
        self.route = route
        self.name = route.subject
        """The first hop, at the beginning of messages."""
        self._dial = dial
        self.options = options
        self._free_slots = options.max_connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[OriginConnection] = []
        self._open: set[OriginConnection] = set()
        self._endless: set[OriginConnection] = set()
        """Connections that have returned their slots."""
        self._held_back: WeakSet[ResponseReader] = WeakSet()
        self._closed = False

    def idle_connection(self) -> OriginConnection | None:
        """Return an idle connection for one exchange, or None if there is none; never waits."""
        while self._idle and self._free_slots:
            connection = self._idle.pop()
            if connection.try_reuse():
                self._free_slots -= 1
                return connection
        return None

    async def lease(self, *, fresh: bool = False, single_use: bool = False) -> tuple[OriginConnection, bool]:
        """Return a connection for one exchange, and whether it was used before.

        Args:
            fresh: Open a new connection, and close the idle ones: the origin has just closed one of the same age.
            single_use: Open a new connection that is closed after this exchange.

        Raises:
            OriginFailure: the connection failed, or none became free within `first_byte_timeout`.
        """
        await self._wait_for_slot()
        try:
            if fresh:
                self.close_idle()
            if single_use and self._idle and len(self._open) >= self.options.max_connections:
                self._idle.pop(0).close()
            while self._idle and not single_use:
                connection = self._idle.pop()
                if connection.try_reuse():
                    return connection, True
            connection = OriginConnection(
                self.options, self._on_released, self._on_lost, on_endless=self._on_endless, single_use=single_use
            )
            await self._dial(self.route, connection)
            if self._closed:
                connection.abort()
                raise shutdown_failure()
        except BaseException:
            self._release_slot()
            raise
        if not connection.closed.done():
            self._open.add(connection)
        return connection, False

    async def close(self) -> None:
        """Close every connection. Unfinished exchanges fail."""
        self._closed = True
        for connection in self._open:
            connection.abort()
        while self._open:
            await next(iter(self._open)).closed

    async def _wait_for_slot(self) -> None:
        if self._free_slots:
            self._free_slots -= 1
            return
        seconds = self.options.first_byte_timeout
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():  # it got the slot just before the timeout
                self._release_slot()
            if not isinstance(error, TimeoutError):
                raise
            sentence = f"No connection to {self.route.where} became free within {seconds:g} seconds"
            raise OriginFailure(FailureKind.CONNECTION_LIMIT_REACHED, sentence, disconnected=True) from None

    def _release_slot(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)  # the slot passes to the waiting request
                return
        self._free_slots += 1

    def close_idle(self) -> None:
        """Close the connections that are idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def let_wait(self, response: ResponseReader, seconds: float) -> None:
        """Let the head of a response be held back for so many seconds, unless half of the slots wait in this way."""
        waiting = sum(other.head is None and not other.finished for other in self._held_back)
        if waiting < self.options.max_connections // 2:
            response.held_back = seconds
            self._held_back.add(response)

    def _on_endless(self, connection: OriginConnection) -> None:
        if connection not in self._endless:
            self._endless.add(connection)
            self._release_slot()

    def _on_released(self, connection: OriginConnection) -> None:
        has_slot = connection not in self._endless
        self._endless.discard(connection)
        if connection.reusable and (has_slot or len(self._idle) < self._free_slots):
            connection.set_idle()
            self._idle.append(connection)
        elif connection.reusable:
            connection.close()
        if has_slot:
            self._release_slot()

    def _on_lost(self, connection: OriginConnection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


def shutdown_failure() -> OriginFailure:
    """Return the failure of a request that comes after `close`."""
    return OriginFailure(FailureKind.PROXY_INTERNAL_ERROR, "The proxy is shutting down.")
