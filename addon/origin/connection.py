"""One connection to an origin: an `asyncio.Protocol` that carries one exchange after another, never two at once."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Callable
from typing import cast

from addon.origin.content import RequestContent
from addon.origin.deadline import Deadline
from addon.origin.ending import ended_in_order
from addon.origin.errors import FailureKind
from addon.origin.options import OriginOptions
from addon.origin.request_body import RequestBodySender
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Response

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
        *,
        single: bool = False,
    ) -> None:
        """Be not connected yet. A `single` connection is closed after its first exchange."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reusable = False
        self.options = options
        self._released = released
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._exchange: ResponseReader | None = None
        self._paused = False
        self._single = single
        self._upload: RequestBodySender | None = None
        self._deadline = Deadline(self._expired)
        self._poll = select.poll()

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport. Raises RuntimeError before there is one."""
        if self._transport is None:
            raise RuntimeError("not connected yet")
        return self._transport

    # What the one who asks calls

    def send(self, request: bytes, exchange: ResponseReader, content: RequestContent | None = None) -> None:
        """Send a request; the exchange learns what comes of it."""
        self._exchange = exchange
        if self.closed.done():
            self._end(clean=False)
        else:
            self.transport.write(request)
            if content is not None:
                self._upload = RequestBodySender(content, self.transport, self._uploaded)
            self._watch(exchange)

    async def hear(self, exchange: ResponseReader) -> Response:
        """Return the final response's head to what was sent. Raises OriginFailure: no head came."""
        try:
            while exchange.head is None:
                if exchange.failure:
                    raise exchange.failure
                await exchange.progress()
            await exchange.rest()
        except BaseException:  # cancelled, perhaps just as the head arrived
            self.abandon(exchange)
            raise
        return exchange.head

    async def body(self, exchange: ResponseReader) -> AsyncIterator[bytes]:
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
            await exchange.progress()

    def abandon(self, exchange: ResponseReader) -> None:
        """Close the connection if that exchange is still under way on it."""
        exchange.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "was not heard to the end")
        if self._exchange is exchange:
            self._finish()

    # What the pool calls

    def rest(self) -> None:
        """Stay open without an exchange, for a while."""
        self._deadline.set(self.options.idle_timeout)

    def wake(self) -> bool:
        """Return from rest. Tell whether the connection is still open and silent; if not, close it."""
        self._deadline.clear()
        if self.transport.is_closing():
            return False
        if self._poll.poll(0):  # RFC 9112 §9.2: what is there already, an end or octets, answers nothing we will ask
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
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

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
            return
        if exchange.buffered > _HIGH_WATER and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        if exchange.refused and self._upload is not None:
            self._upload.stop()  # RFC 9112 §9.5: it does not want the rest
        self._watch(exchange)
        exchange.tell()

    def eof_received(self) -> None:
        """Take the peer's end of the connection; the transport then closes itself."""
        if self._exchange is not None:
            self._end(clean=ended_in_order(self.transport))

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take the end of the connection, whoever ended it and however."""
        self._end(clean=False)
        self._deadline.stop()
        self.closed.set_result(None)
        self._lost(self)

    def pause_writing(self) -> None:
        """Make content wait."""
        if self._upload is not None and self._exchange is not None:
            self._upload.pause()
            self._watch(self._exchange)

    def resume_writing(self) -> None:
        """Let content go on."""
        if self._upload is not None and self._exchange is not None:
            self._upload.resume()
            self._watch(self._exchange)

    def _uploaded(self, failure: BaseException | None) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if failure is not None:
            exchange.fail(FailureKind.HTTP_REQUEST_ERROR, f"was not sent the whole request: {failure}")
            self._finish()
        else:
            self._watch(exchange)

    def _watch(self, exchange: ResponseReader) -> None:
        """Give the origin its time for what it has to do next, and none while it waits for others."""
        options, upload = self.options, self._upload
        sending = upload is not None and not upload.whole and exchange.head is None
        if self._paused or (sending and upload is not None and not upload.blocked):
            self._deadline.clear()
        elif sending or exchange.received:
            self._deadline.set(options.between_bytes_timeout)
        else:
            self._deadline.set(options.first_byte_timeout)

    def _expired(self) -> None:
        exchange, options = self._exchange, self.options
        if exchange is None:
            self.close()  # it has been idle for too long
            return
        if self._upload is not None and self._upload.blocked:
            kind, what, seconds = FailureKind.CONNECTION_WRITE_TIMEOUT, "took", options.between_bytes_timeout
        else:
            kind, what = FailureKind.CONNECTION_READ_TIMEOUT, "sent"
            seconds = options.between_bytes_timeout if exchange.received else options.first_byte_timeout
        exchange.fail(kind, f"{what} nothing for {seconds:g} seconds")
        self._finish()

    def _end(self, *, clean: bool) -> None:
        if self._exchange is not None:
            self._exchange.end(clean=clean)
            self._finish()

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self._deadline.clear()
        upload, self._upload = self._upload, None
        unsent = upload is not None and not upload.whole
        if upload is not None:
            upload.stop()
        open_still = self._transport is not None and not self._transport.is_closing()
        fit = exchange.complete and exchange.persistent and not exchange.surplus
        self.reusable = fit and open_still and not self._single
        if self.reusable:
            self._resume()
        elif exchange.complete and not unsent:
            self.close()
        else:
            self.abort()
        self._released(self)
        exchange.tell()  # only now: whoever is told may want this connection for another exchange

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
            if self._exchange is not None:
                self._watch(self._exchange)
