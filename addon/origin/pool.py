"""The connections to one origin: a slot for each exchange, the idle ones reused last in, first out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from addon.origin.connection import OriginConnection
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.proxy import Route


class OriginPool:
    """Leases connections.

    A new connection is made only by the holder of a slot, and only while none is idle; therefore idle ones and
    leased ones together are never more than there are slots.
    """

    def __init__(
        self, route: Route, dial: Callable[[Route, OriginConnection], Awaitable[None]], options: OriginOptions
    ) -> None:
        self.route = route
        self._dial = dial
        self._options = options
        self._free = options.max_connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[OriginConnection] = []
        self._open: set[OriginConnection] = set()
        self._closed = False

    def idle_connection(self) -> OriginConnection | None:
        """Return an idle connection for one exchange, or None where one has to be waited for or made."""
        while self._idle and self._free:
            connection = self._idle.pop()
            if connection.wake():
                self._free -= 1
                return connection
        return None

    async def lease(self, *, fresh: bool = False, single: bool = False) -> tuple[OriginConnection, bool]:
        """Return a connection for one exchange, and whether it was used before.

        Args:
            fresh: Take a new connection, and close the idle ones: they are as old as the one that was found dead.
            single: Take a new connection, for this exchange alone.

        Raises:
            OriginFailure: not connected, or no connection became free within `first_byte_timeout`.
        """
        await self._wait_for_slot()
        try:
            if fresh:
                self._close_idle()
            if single and self._idle and len(self._open) >= self._options.max_connections:
                self._idle.pop(0).close()
            while self._idle and not single:
                connection = self._idle.pop()
                if connection.wake():
                    return connection, True
            connection = OriginConnection(self._options, self._on_released, self._on_lost, single=single)
            await self._dial(self.route, connection)
            if self._closed:
                connection.abort()
                raise closed()
        except BaseException:
            self._give_back_slot()
            raise
        if not connection.closed.done():
            self._open.add(connection)
        return connection, False

    async def close(self) -> None:
        """Close every connection; exchanges under way fail."""
        self._closed = True
        for connection in self._open:
            connection.abort()
        while self._open:
            await next(iter(self._open)).closed

    async def _wait_for_slot(self) -> None:
        if self._free:
            self._free -= 1
            return
        seconds = self._options.first_byte_timeout
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # its turn came just then
                self._give_back_slot()
            if not isinstance(error, TimeoutError):
                raise
            sentence = f"No connection to {self.route.where} became free within {seconds:g} seconds"
            raise OriginFailure(FailureKind.CONNECTION_LIMIT_REACHED, sentence, disconnected=True) from None

    def _give_back_slot(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # the slot changes hands
                return
        self._free += 1

    def _close_idle(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _on_released(self, connection: OriginConnection) -> None:
        if connection.reusable:
            connection.rest()
            self._idle.append(connection)
        self._give_back_slot()

    def _on_lost(self, connection: OriginConnection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


def closed() -> OriginFailure:
    """Return the failure of whoever asks after the end."""
    return OriginFailure(FailureKind.PROXY_INTERNAL_ERROR, "The proxy is shutting down.")
