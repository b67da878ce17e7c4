"""Connection pool of one origin: limits the connections, and reuses the idle one that was used last."""

from __future__ import annotations

import asyncio
from collections import deque

from addon.origin.backends.health import OriginHealth
from addon.origin.connection import OriginConnection
from addon.origin.dial import Dialler
from addon.origin.errors import FailureKind, OriginFailure, shutdown_failure
from addon.origin.http2.connection import Http2Connection
from addon.origin.negotiation import KnownProtocols, Offer
from addon.origin.options import OriginOptions
from addon.origin.proxy import Route
from addon.origin.response_buffer import ResponseBuffer

type Connection = OriginConnection | Http2Connection

UNCHECKED_FOR = 1.0
"""Seconds after an exchange in which a connection is used again without a system call that looks for its end.

What the origin has sent until the event loop last looked is known without. Origins keep their connections for longer.
"""


class OriginPool:
    """Lends connections.

    There are `max_connections` slots, and a new connection is opened only by the holder of a slot.

    Over HTTP/1, each exchange needs a slot, and a connection is opened only if none is idle. So idle and used
    connections together never exceed the slots. An exchange whose response may have no end returns its slot as soon as
    that is known. Its connection is used again only if that exceeds nothing.

    Over HTTP/2, a connection keeps its slot until it is closed, and carries as many exchanges as the origin allows.
    Another one is opened when it is full. Once an origin is known to speak HTTP/2, requests wait for the connection
    that is being opened, instead of opening more.
    """

    def __init__(
        self,
        route: Route,
        dialler: Dialler,
        options: OriginOptions,
        protocols: KnownProtocols,
        health: OriginHealth | None = None,
    ) -> None:
        self.route = route
        self.health = health
        """The health of the origin, if it is one of a site."""
        self.name = route.subject
        """The first hop, at the beginning of messages."""
        self.options = options
        self._dialler = dialler
        self._free_slots = options.max_connections
        self._waiting: deque[asyncio.Future[bool]] = deque()
        """Requests that wait: for a slot (True), or to look again for a shared connection (False)."""
        self._idle: list[OriginConnection] = []
        self._open: set[Connection] = set()
        self._endless: set[OriginConnection] = set()
        """Connections that have returned their slots."""
        self._shared: list[Http2Connection] = []
        self._protocols = protocols
        self._dialling = 0
        self._held_back: list[ResponseBuffer] = []
        """Responses whose heads could be held back when the last of them was added."""
        self._closed = False

    @property
    def busy(self) -> int:
        """Return how many exchanges are under way, or wait for a connection."""
        shared = sum(connection.busy for connection in self._shared) - len(self._shared) if self._shared else 0
        return self.options.max_connections - self._free_slots + len(self._endless) + len(self._waiting) + shared

    @property
    def is_ready(self) -> bool:
        """Return whether `ready_connection` probably returns one."""
        return bool(self._shared or (self._idle and self._free_slots))

    def ready_connection(self) -> Connection | None:
        """Return a connection that can carry one more exchange now, or None if there is none; never waits.

        The request must be one that may be sent again: the origin may just have closed the connection.
        """
        return self._shared_connection() or self.idle_connection(UNCHECKED_FOR)

    def idle_connection(self, unchecked_for: float = 0.0) -> OriginConnection | None:
        """Return an idle HTTP/1 connection for one exchange, or None if there is none; never waits.

        `unchecked_for` is as in `OriginConnection.try_reuse`.
        """
        while self._idle and self._free_slots:
            connection = self._idle.pop()
            if connection.try_reuse(unchecked_for):
                self._free_slots -= 1
                return connection
        return None

    async def acquire(self, *, fresh: bool = False, single_use: bool = False) -> tuple[Connection, bool]:
        """Return a connection for one exchange, and whether it was used before.

        Args:
            fresh: Over HTTP/1, open a new connection, and close the idle ones: the origin has just closed one of the
                same age.
            single_use: Over HTTP/1, open a new connection that is closed after this exchange.

        Raises:
            OriginFailure: the connection failed, or none became free within `first_byte_timeout`.
        """
        until = asyncio.get_running_loop().time() + self.options.first_byte_timeout
        while True:
            if shared := self._shared_connection():
                return shared, True
            if not await self._wait_for_slot(until, may_share=True):
                continue
            connection, used = await self._connection(self._protocols.offer, fresh=fresh, single_use=single_use)
            if isinstance(connection, OriginConnection) or self._share(connection):
                return connection, used

    async def acquire_http1(self, *, single_use: bool = False) -> OriginConnection:
        """Return an HTTP/1.1 connection for one exchange, even if the origin speaks HTTP/2. See `acquire`."""
        until = asyncio.get_running_loop().time() + self.options.first_byte_timeout
        await self._wait_for_slot(until, may_share=False)
        connection, _ = await self._connection(Offer.HTTP1, single_use=single_use)
        if isinstance(connection, OriginConnection):
            return connection
        raise TypeError(f"expected an HTTP/1.1 connection, got {type(connection).__name__}")

    async def _connection(
        self, offer: Offer, *, fresh: bool = False, single_use: bool = False
    ) -> tuple[Connection, bool]:
        """Return an idle or a new connection to the holder of a slot, and whether it was used before.

        Raises OriginFailure.
        """
        try:
            if fresh:
                self.close_idle()
            if single_use and self._idle and len(self._open) >= self.options.max_connections:
                self._idle.pop(0).close()
            while self._idle and not single_use:
                connection = self._idle.pop()
                if connection.try_reuse():
                    return connection, True
            return await self._dial(offer, single_use=single_use), False
        except BaseException:
            self._release_slot()
            raise

    async def _dial(self, offer: Offer, *, single_use: bool) -> Connection:
        """Open a connection. Raises OriginFailure, also for the requests that have waited for it."""

        def make(http2: bool) -> Connection:
            if http2:
                return Http2Connection(self.options, self._on_shared_lost, self._on_room)
            return OriginConnection(
                self.options, self._on_released, self._on_lost, on_endless=self._on_endless, single_use=single_use
            )

        self._dialling += 1
        try:
            connection = await self._dialler.dial(self.route, offer, make)
        except OriginFailure as failure:
            self._fail_waiting(failure)
            raise
        finally:
            self._dialling -= 1
            self._wake_waiting()
        if self._closed:
            connection.abort()
            raise shutdown_failure()
        if not connection.closed.done():
            self._open.add(connection)
        if offer is self._protocols.offer:
            self._protocols.http2 = isinstance(connection, Http2Connection)
        return connection

    async def close(self) -> None:
        """Close every connection. Unfinished exchanges fail."""
        self._closed = True
        for connection in self._open:
            connection.abort()
        while self._open:
            await next(iter(self._open)).closed

    def use_http1(self) -> None:
        """Use HTTP/1.1 from now on, since the origin wants that."""
        self._protocols.offer, self._protocols.http2 = Offer.HTTP1, False
        for connection in self._shared:
            connection.close_if_idle()
        self._shared.clear()

    # ---- slots

    async def _wait_for_slot(self, until: float, *, may_share: bool) -> bool:
        """Wait for a slot; return False if there may be a shared connection instead.

        Raises OriginFailure at the time `until` of the event loop.
        """
        if self._free_slots and not (may_share and self._awaits_shared):
            self._free_slots -= 1
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout_at(until):
                has_slot = await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None and waiter.result():
                self._release_slot()  # it got the slot just before the timeout
            if not isinstance(error, TimeoutError):
                raise
            seconds = self.options.first_byte_timeout
            sentence = f"No connection to {self.route.where} became free within {seconds:g} seconds"
            raise OriginFailure(FailureKind.CONNECTION_LIMIT_REACHED, sentence, disconnected=True) from None
        return has_slot or (not may_share and await self._wait_for_slot(until, may_share=False))

    def _release_slot(self) -> None:
        while self._waiting and not self._awaits_shared:  # else they will share a connection
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(True)  # the slot passes to the waiting request
                return
        self._free_slots += 1

    def close_idle(self) -> None:
        """Close the connections that are idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        for shared in list(self._shared):
            shared.close_if_idle()

    def let_wait(self, response: ResponseBuffer, seconds: float) -> None:
        """Let the head of a response be held back for so many seconds, unless half of the slots wait in this way."""
        self._forget_arrived()
        if len(self._held_back) < self.options.max_connections // 2:
            response.held_back = seconds
            self._held_back.append(response)

    def _forget_arrived(self) -> None:
        """Forget the responses that are not held back any more: they refer to their clients."""
        self._held_back = [other for other in self._held_back if other.head is None and not other.finished]

    # ---- HTTP/1 connections

    def _on_endless(self, connection: OriginConnection) -> None:
        if connection not in self._endless:
            self._endless.add(connection)
            self._release_slot()

    def _on_released(self, connection: OriginConnection) -> None:
        if self._held_back:
            self._forget_arrived()
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

    # ---- HTTP/2 connections

    def _shared_connection(self) -> Http2Connection | None:
        """Return an HTTP/2 connection that can carry one more exchange now."""
        for connection in self._shared:
            if connection.try_reuse():
                return connection
        return None

    @property
    def _awaits_shared(self) -> bool:
        """Return whether an HTTP/2 connection will soon carry more exchanges than now."""
        return self._protocols.http2 and (self._dialling > 0 or self._awaits_settings)

    @property
    def _awaits_settings(self) -> bool:
        return any(connection.is_usable and not connection.greeted for connection in self._shared)

    def _share(self, connection: Http2Connection) -> bool:
        """Let other requests use a new connection as well. Close it and return False if it is not needed."""
        if connection.closed.done():
            self._release_slot()
            return True  # the request fails with the reason
        if self._awaits_settings or self._shared_connection():
            connection.close()
            return False
        self._shared.append(connection)
        return True

    def _on_room(self, connection: Http2Connection) -> None:
        room = connection.room if self._waiting else 0
        while room and self._waiting:
            room -= self._look_again(self._waiting.popleft())

    def _wake_waiting(self) -> None:
        while self._waiting and self._free_slots:
            self._look_again(self._waiting.popleft())

    def _look_again(self, waiter: asyncio.Future[bool]) -> bool:
        """Have a request look again for a shared connection; return False if it does not wait any more."""
        if waiter.done():
            return False
        waiter.set_result(False)
        return True

    def _fail_waiting(self, failure: OriginFailure) -> None:
        """Fail the requests that have waited for a connection that could not be opened."""
        while self._waiting and self._free_slots and not self._shared:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(failure)

    def _on_shared_lost(self, connection: Http2Connection) -> None:
        if connection in self._shared:
            self._shared.remove(connection)
        if connection in self._open:
            self._open.remove(connection)
            self._release_slot()
