"""One connection to an origin: a protocol of the event loop that carries exchanges one after the other.

An exchange is one request and its response. HTTP/1.1 pipelining is not used.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable
from typing import cast

from addon.origin.deadline import Deadline
from addon.origin.errors import FailureKind
from addon.origin.options import OriginOptions
from addon.origin.other_protocols import other_protocol
from addon.origin.reading import FIRST_PIECE, LARGEST_PIECE, PiecewiseProtocol, may_wait
from addon.origin.request_body import Http1BodySender, RequestContent
from addon.origin.response_buffer import ResponseBuffer
from addon.origin.response_reader import ResponseReader
from addon.origin.time_limits import TimeLimits
from addon.origin.tls_alerts import received_alert
from cache.http.messages import Response


class OriginConnection(PiecewiseProtocol):
    """Carries exchanges, one at a time.

    Attributes:
        closed: A future that is done when the connection is closed.
        reusable: After an exchange: the connection can carry another one.
    """

    def __init__(
        self,
        options: OriginOptions,
        on_released: Callable[[OriginConnection], None] = lambda _: None,
        on_lost: Callable[[OriginConnection], None] = lambda _: None,
        *,
        on_endless: Callable[[OriginConnection], None] = lambda _: None,
        single_use: bool = False,
    ) -> None:
        """Create a connection that is not connected yet.

        Args:
            options: The timeouts.
            on_released: Called after each exchange.
            on_lost: Called once, when the connection is closed.
            on_endless: Called when a response turns out to be a stream or live, perhaps several times.
            single_use: Close the connection after its first exchange.
        """
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reusable = False
        self.options = options
        self._on_released = on_released
        self._on_lost = on_lost
        self._on_endless = on_endless
        self._transport: asyncio.Transport | None = None
        self._response: ResponseReader | None = None
        self._time_limits: TimeLimits | None = None
        self._reading_paused = False
        self._passing_on = 0
        """Bytes of the body that its reader has taken, and that may wait for the client."""
        self._used = False
        self._unasked = b""
        self._error: Exception | None = None
        self._single_use = single_use
        self._switched: ResponseReader | None = None
        """The 101 that has ended the last exchange, until `join`."""
        self._body_sender: Http1BodySender | None = None
        self._deadline = Deadline(self._on_timeout)
        self._poll = select.poll()
        self._idle_since = 0.0
        """The event loop's time when the last exchange ended."""

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport. Raises RuntimeError before the connection is made."""
        if self._transport is None:
            raise RuntimeError("not connected yet")
        return self._transport

    # Called by the sender of a request

    def send(self, request: bytes, response: ResponseReader, content: RequestContent | None = None) -> OriginConnection:
        """Send a request; `response` receives what the origin sends, or the failure. Return the connection."""
        self._response, self._used = response, True
        self._time_limits = TimeLimits(response, self.options)
        if self.closed.done() or self.transport.is_closing():
            self._end_response(clean=False)
        else:
            self.transport.write(request)
            if content is not None:
                self._body_sender = Http1BodySender(content, self.transport, self._on_body_end)
            self._set_deadline(response)
        return self

    async def receive_head(self, response: ResponseBuffer) -> Response:
        """Wait for the final response's head and return it. Raises OriginFailure if no head came.

        If the task is cancelled, the connection is closed.
        """
        try:
            return await response.received_head()
        except BaseException:  # cancelled, perhaps just as the head arrived
            self.abandon(response)
            raise

    def passing_on(self, response: ResponseBuffer, size: int) -> None:
        """Note that the reader of a response has taken so many bytes, which may wait for the client."""
        if self._response is response:
            self._passing_on = size

    def passed_on(self, response: ResponseBuffer) -> None:
        """Note that the client has got them."""
        if self._response is response:
            self._passing_on = 0
            if not self._is_full(response):
                self._resume_reading()

    def abandon(self, response: ResponseBuffer) -> None:
        """Close the connection if it still receives this response, or has switched to another protocol with it."""
        response.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "was abandoned before its response was complete")
        if self._response is response:
            self._finish_exchange()
        if self._switched is response:
            self.abort()

    def join(self, protocol: asyncio.Protocol, received: bytes) -> None:
        """Give the transport to another protocol after a 101, with what was `received` behind it."""
        self._switched = None
        protocol.connection_made(self.transport)
        closing = self.transport.is_closing()
        if not closing:
            self.transport.set_protocol(protocol)
            self._leave()
            self.transport.resume_reading()  # first, since the protocol may pause it again
        if received:
            protocol.data_received(received)
        if closing:
            protocol.connection_lost(self._error)

    @property
    def content_begun(self) -> bool:
        """Return whether the request's content was asked for its first part, and cannot be sent another time."""
        return self._body_sender is not None and self._body_sender.begun

    # Called by the pool

    def set_idle(self) -> None:
        """Stay open without an exchange, for `idle_timeout` seconds."""
        self._idle_since = self._deadline.now()
        self._deadline.set_until(self._idle_since + self.options.idle_timeout)

    def try_reuse(self, unchecked_for: float = 0.0) -> bool:
        """Leave the idle state. Return True if the connection is open and the origin sent nothing; else close it.

        For `unchecked_for` seconds after an exchange, only what the event loop has reported counts.
        """
        self._deadline.clear()
        if self.transport.is_closing():
            return False
        if unchecked_for and self._deadline.now() - self._idle_since < unchecked_for:
            return True
        if self._poll.poll(0):  # RFC 9112 §9.2: data or an end before we send a request cannot be its response
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

    # Called by the event loop

    def readable(self) -> int:
        """Return how many bytes may be read now."""
        response = self._response
        if response is None:
            return LARGEST_PIECE
        if not response.received:
            return FIRST_PIECE
        limit = may_wait(response.received)
        return max(limit // 2, limit - response.buffered - self._passing_on)

    def _is_full(self, response: ResponseReader) -> bool:
        """Return whether so much of the body is not passed on yet that nothing more is read."""
        return response.buffered + self._passing_on > may_wait(response.received) // 2

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from asyncio.Transport
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Pass data to the response reader. Without a request under way, close the connection."""
        response = self._response
        if response is None:
            self._unasked = b"" if self._used else data
            if self._transport is not None:
                self.abort()  # RFC 9112 §9.2
            return
        response.feed(data)
        if response.finished:
            self._finish_exchange()
            return
        if not self._reading_paused and self._is_full(response) and not response.awaits_small_body():
            self._reading_paused = True
            self.transport.pause_reading()
        if response.rejects_request_body and self._body_sender is not None:
            self._body_sender.stop()  # RFC 9112 §9.5: the origin does not want the rest
        self._set_deadline(response)
        response.notify()

    def eof_received(self) -> None:
        """Handle the end of the origin's data; the transport then closes itself."""
        if self._response is not None:
            self._end_response(clean=_ended_in_order(self.transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection: a close by either side, or an error."""
        self._error = exc
        self._end_response(clean=False)
        self._leave()

    def _leave(self) -> None:
        """Note that the transport is lost, or belongs to another protocol."""
        self._deadline.stop()
        self.closed.set_result(None)
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Pause the request's content, because the write buffer is full."""
        if self._body_sender is not None and self._response is not None:
            self._body_sender.pause()
            self._set_deadline(self._response)

    def resume_writing(self) -> None:
        """Resume the request's content."""
        if self._body_sender is not None and self._response is not None:
            self._body_sender.resume()
            self._set_deadline(self._response)

    def _on_body_end(self, failure: BaseException | None) -> None:
        response = self._response
        if response is None:
            return
        if failure is not None:
            response.fail(FailureKind.HTTP_REQUEST_ERROR, f"was not sent the whole request: {failure}")
            self._finish_exchange()
        else:
            self._set_deadline(response)

    def _set_deadline(self, response: ResponseReader) -> None:
        """Limit the time of the origin's next step. No limit while the origin waits for the client or our reader."""
        sender, limits = self._body_sender, self._time_limits
        sending = sender is not None and not sender.finished and response.head is None
        if limits is None:
            return
        if sending and sender is not None and sender.blocked:
            limits.suspend()
            self._deadline.set(self.options.between_bytes_timeout)
        elif sending or self._reading_paused:
            limits.suspend()
            self._deadline.clear()
        else:
            self._deadline.set_until(limits.next_deadline(self._deadline.now()))
            if limits.may_be_endless:
                self._on_endless(self)

    def _on_timeout(self) -> None:
        response, limits = self._response, self._time_limits
        if response is None or limits is None:
            self.close()  # the idle timeout
            return
        if self._body_sender is not None and self._body_sender.blocked:
            predicate = f"took nothing for {self.options.between_bytes_timeout:g} seconds"
            response.fail(FailureKind.CONNECTION_WRITE_TIMEOUT, predicate)
        else:
            response.fail(FailureKind.CONNECTION_READ_TIMEOUT, limits.exceeded())
        self._finish_exchange()

    def _end_response(self, *, clean: bool) -> None:
        if self._response is not None:
            # in TLS 1.3 the handshake ends before the origin has seen our certificate (RFC 8446 §2)
            if alert := received_alert(self._error):
                self._response.fail(FailureKind.TLS_ALERT_RECEIVED, alert.predicate, alert.parameters)
            elif self._unasked:
                predicate = other_protocol(self._unasked) or "sent a response before it got a request"
                self._response.fail(FailureKind.HTTP_PROTOCOL_ERROR, predicate)
            self._response.end(clean=clean)
            self._finish_exchange()

    def _finish_exchange(self) -> None:
        response, self._response, self._time_limits = self._response, None, None
        if response is None:
            return
        self._passing_on = 0
        self._deadline.clear()
        sender, self._body_sender = self._body_sender, None
        request_unfinished = sender is not None and not sender.finished
        if sender is not None:
            sender.stop()
        is_open = self._transport is not None and not self._transport.is_closing()
        response_allows_reuse = response.complete and response.persistent and not response.surplus
        self.reusable = response_allows_reuse and is_open and not self._single_use
        if response.switched:
            self._switched = response
            self.transport.pause_reading()
        elif self.reusable:
            self._resume_reading()
        elif response.complete and not request_unfinished:
            self.close()
        else:
            self.abort()
        self._on_released(self)
        response.notify()  # after the release: the notified reader may use this connection for its next request

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resume_reading()
            if self._response is not None:
                self._set_deadline(self._response)


def _ended_in_order(transport: asyncio.Transport) -> bool:
    """Return whether the origin closed the connection on purpose: over TLS it then sent close_notify."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        return bool(tls.read(1) == b"")
    except ssl.SSLError:  # RFC 8446 §6.1: no close_notify; asyncio reports it as an ordinary end of data
        return False
