"""One request to an origin and its response, on a stream of an HTTP/2 connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from addon.origin.errors import FailureKind
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.flow_control import ReceiveWindow, SendWindow
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.response import StreamResponse
from addon.origin.http2.stream_deadlines import StreamDeadlines
from addon.origin.options import OriginOptions
from addon.origin.request_body import RequestBodySender, RequestContent
from addon.origin.response_buffer import ResponseBuffer
from addon.origin.time_limits import TimeLimits
from cache.http.messages import Response

STREAM_WINDOW = 1_048_576
"""Bytes of a body that an origin may send before our reader has taken them."""

_HIGH_WATER = 256 * 1024
"""Bytes of a body in memory above which an origin is not blamed for its silence: our reader is slow."""


class StreamOwner(Protocol):
    """The connection of a stream."""

    outbound: Outbound
    options: OriginOptions
    deadlines: StreamDeadlines

    def progressed(self, stream: OriginStream) -> None:
        """Note that the response to a stream has gone on and is not complete."""

    def reset(self, stream: OriginStream, code: ErrorCode) -> None:
        """End a stream that is not complete on both sides, and tell the origin so."""

    def forget(self, stream: OriginStream) -> None:
        """Note that a stream is complete on both sides."""

    def content_taken(self, stream: OriginStream, size: int) -> None:
        """Let the origin send more on a stream, since content has left memory."""

    def timed_out(self, stream: OriginStream) -> None:
        """Note that the origin was too slow on a stream."""


class OriginStream:
    """An exchange.

    Attributes:
        number: Its identifier.
        window: Bytes of content that may be sent.
        receive_window: Bytes of content that the origin may send.
        response: What has arrived of the response.
        opened: When the request was sent, by the event loop's clock.
    """

    __slots__ = (
        *("_closed", "_deadlines", "_limits", "_owner", "_request_ended", "_sender"),
        *("number", "opened", "receive_window", "response", "waiter", "window"),
    )

    def __init__(
        self, number: int, owner: StreamOwner, response: StreamResponse, *, window: int, has_content: bool
    ) -> None:
        """Expect the response to a request. With `has_content`, `send` must be called."""
        self.number = number
        self.window = SendWindow(window)
        self.receive_window = ReceiveWindow(STREAM_WINDOW)
        self.waiter: asyncio.Future[None] | None = None
        self.response = response
        self._owner = owner
        self._closed = False
        self._limits = TimeLimits(response, owner.options)
        self._deadlines = owner.deadlines
        self.opened = self._deadlines.now()
        self._request_ended = not has_content
        self._sender: StreamBodySender | None = None
        self.set_deadline()

    def send(self, content: RequestContent) -> None:
        """Send the request's content, as fast as the origin takes it."""
        self._sender = StreamBodySender(content, self, self._owner.outbound, self._on_body_end)

    @property
    def sending_complete(self) -> bool:
        """Return whether nothing more may be sent on the stream."""
        return self._closed or self._request_ended

    @property
    def content_begun(self) -> bool:
        """Return whether the request's content was asked for its first part, and cannot be sent another time."""
        return self._sender is not None and self._sender.begun

    # ---- called by the sender of the request

    async def receive_head(self, response: ResponseBuffer) -> Response:
        """Wait for the final response's head and return it. Raises OriginFailure if no head came.

        If the task is cancelled, the stream is reset.
        """
        try:
            return await response.received_head()
        except BaseException:  # cancelled, perhaps just as the head arrived
            self.abandon(response)
            raise

    def passing_on(self, response: ResponseBuffer, size: int) -> None:
        """Note that the reader of the response has taken so many bytes; the origin may send as many more."""
        del response  # it is the only one of this stream
        self._owner.content_taken(self, size)
        self.set_deadline()

    def passed_on(self, response: ResponseBuffer) -> None:
        """Do nothing: how much is on its way to the client does not matter here."""

    def abandon(self, response: ResponseBuffer) -> None:
        """Reset the stream if its response is not complete."""
        response.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "was abandoned before its response was complete")
        if not self._closed:
            self._owner.reset(self, ErrorCode.CANCEL)

    # ---- called by the connection

    def progress(self, *, ended: bool) -> None:
        """Go on after the origin has sent something for the stream; `ended` if that was the last."""
        response = self.response
        if response.finished:
            if ended and self.sending_complete:
                self._owner.forget(self)
            else:  # RFC 9113 §8.1: the rest of the request, or of the response, is not needed
                self._owner.reset(self, ErrorCode.NO_ERROR if ended else ErrorCode.CANCEL)
            return
        if self._sender is not None and response.rejects_request_body and not self._request_ended:
            self._sender.stop()
        self._owner.progressed(self)

    def report(self) -> None:
        """Let the reader of the response know that it has gone on."""
        self.set_deadline()
        self.response.notify()

    def close(self) -> None:
        """Send nothing more. The response has been completed or has failed before."""
        self._closed = True
        self._deadlines.clear(self)
        if self._sender is not None:
            self._sender.stop()
        if self.waiter is not None:
            self._owner.outbound.wake(self)
        self.response.notify()

    def set_deadline(self) -> None:
        """Limit the time of the origin's next step. No limit while the origin waits for the client or our reader."""
        response = self.response
        if self._closed:
            return
        sending = not self._request_ended and response.head is None
        if sending and self._is_blocked:
            self._limits.suspend()
            self._deadlines.set_until(self, self._deadlines.now() + self._owner.options.between_bytes_timeout)
        elif sending or response.buffered > _HIGH_WATER:
            self._limits.suspend()
            self._deadlines.clear(self)
        else:
            self._deadlines.set_until(self, self._limits.next_deadline(self._deadlines.now()))

    @property
    def _is_blocked(self) -> bool:
        return self._sender is not None and self._sender.blocked

    def expire(self) -> None:
        """End, because the origin was too slow."""
        response = self.response
        if self._is_blocked and response.head is None:
            predicate = f"took nothing for {self._owner.options.between_bytes_timeout:g} seconds"
            response.fail(FailureKind.CONNECTION_WRITE_TIMEOUT, predicate)
        else:
            response.fail(FailureKind.CONNECTION_READ_TIMEOUT, self._limits.exceeded())
        self._owner.timed_out(self)
        self._owner.reset(self, ErrorCode.CANCEL)

    def _on_body_end(self, failure: BaseException | None) -> None:
        if self._closed:
            return
        if failure is not None:
            self.response.fail(FailureKind.HTTP_REQUEST_ERROR, f"was not sent the whole request: {failure}")
            self._owner.reset(self, ErrorCode.CANCEL)
            return
        self._request_ended = True
        self.set_deadline()


class StreamBodySender(RequestBodySender):
    """Task that sends the content of one request on its stream, as far as the origin's windows allow."""

    def __init__(
        self,
        content: RequestContent,
        stream: OriginStream,
        outbound: Outbound,
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        """Start to send, as `RequestBodySender` does."""
        self._stream = stream
        self._outbound = outbound
        super().__init__(content, on_end)

    async def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            if not self._outbound.has_room(self._stream):
                self.blocked = True
                self._stream.set_deadline()
            size = await self._outbound.room(self._stream, len(rest))
            if not size:
                raise ConnectionResetError("the stream has ended")
            if self.blocked:
                self.blocked = False
                self._stream.set_deadline()
            self._outbound.write_data(self._stream, rest[:size], end_stream=False)
            rest = rest[size:]

    def _write_end(self) -> None:
        self._outbound.write_data(self._stream, b"", end_stream=True)
