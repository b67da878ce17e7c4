"""One connection to an origin: an `asyncio.Protocol` that carries one exchange after another, never two at once."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Callable
from typing import cast

from addon.origin.exchange import Exchange
from addon.origin.failure import FailureKind
from addon.origin.options import OriginOptions
from cache.messages import Response

_HIGH_WATER = 256 * 1024
"""Octets that may wait for the reader before the origin is made to wait."""
_LOW_WATER = 64 * 1024


class OriginConnection(asyncio.Protocol):
    """Carries exchanges. `released` is called after each one, `lost` once when the connection is gone.

    Attributes:
        closed: Done when the connection is gone.
        reusable: The last exchange left the connection fit for another one.
    """

    def __init__(
        self,
        options: OriginOptions,
        released: Callable[[OriginConnection], None] = lambda _: None,
        lost: Callable[[OriginConnection], None] = lambda _: None,
    ) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reusable = False
        self._options = options
        self._released = released
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._paused = False
        self._idle_timer: asyncio.TimerHandle | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport. Raises RuntimeError before there is one."""
        if self._transport is None:
            raise RuntimeError("not connected yet")
        return self._transport

    # What the one who asks calls

    async def ask(self, request: bytes, exchange: Exchange) -> Response:
        """Send a request head and return the final response's head.

        Raises:
            OriginFailure: no head came; the connection is closed.
        """
        self._exchange = exchange
        if self.closed.done():
            self._end(clean=False)
        else:
            self.transport.write(request)
        try:
            while exchange.head is None:
                if exchange.failure:
                    raise exchange.failure
                await self._progress(exchange)
        except BaseException:  # cancelled, perhaps just as the head arrived
            self.abandon(exchange)
            raise
        return exchange.head

    async def body(self, exchange: Exchange) -> AsyncIterator[bytes]:
        """Iterate over the body as it arrives. Raises OriginFailure if it ends short."""
        while True:
            while (chunk := exchange.take()) is not None:
                if self._exchange is exchange and exchange.buffered < _LOW_WATER:
                    self._resume()
                yield chunk
            if exchange.failure:
                raise exchange.failure
            if exchange.complete:
                return
            await self._progress(exchange)

    def abandon(self, exchange: Exchange) -> None:
        """Close the connection if that exchange is still under way on it."""
        exchange.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "was not heard to the end")
        if self._exchange is exchange:
            self._finish()

    async def _progress(self, exchange: Exchange) -> None:
        options = self._options
        seconds = options.between_bytes_timeout if exchange.received else options.first_byte_timeout
        try:
            await exchange.progress(seconds)
        except TimeoutError:
            exchange.fail(FailureKind.CONNECTION_READ_TIMEOUT, f"sent nothing for {seconds:g} seconds")
            self.abandon(exchange)

    # What the pool calls

    def rest(self) -> None:
        """Stay open without an exchange, for a while."""
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(self._options.idle_timeout, self.close)

    def wake(self) -> bool:
        """Return from rest. Tell whether the connection is still open and silent; if not, close it."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self.transport.is_closing():
            return False
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        if poll.poll(0):  # RFC 9112 §9.2: what is there already, an end or octets, answers nothing we will ask
            self.abort()
            return False
        return True

    def close(self) -> None:
        """Close in order: over TLS with close_notify."""
        if not self.transport.is_closing():
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Hand octets to the exchange; without one, close."""
        exchange = self._exchange
        if exchange is None:
            if self._transport is not None:
                self.abort()  # RFC 9112 §9.2
            return
        exchange.feed(data)
        if exchange.over:
            self._finish()
        elif exchange.buffered > _HIGH_WATER and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def eof_received(self) -> None:
        """Take the peer's end of the connection; the transport then closes itself."""
        if self._exchange is not None:
            self._end(clean=self._ended_in_order())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Take the end of the connection, whoever ended it and however."""
        self._end(clean=False)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self.closed.set_result(None)
        self._lost(self)

    def _ended_in_order(self) -> bool:
        tls = self.transport.get_extra_info("ssl_object")
        if tls is None:
            return True
        try:
            return bool(tls.read(1) == b"")
        except ssl.SSLError:  # RFC 8446 §6.1: without close_notify; asyncio reports that as an end all the same
            return False

    def _end(self, *, clean: bool) -> None:
        if self._exchange is not None:
            self._exchange.end(clean=clean)
            self._finish()

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        open_still = self._transport is not None and not self._transport.is_closing()
        self.reusable = exchange.complete and exchange.persistent and not exchange.surplus and open_still
        if self.reusable:
            self._resume()
        elif exchange.complete:
            self.close()
        else:
            self.abort()
        self._released(self)

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
