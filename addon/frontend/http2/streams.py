"""The open streams of one HTTP/2 connection: feeds them, ends those that take too long, and forgets them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from addon.frontend.http2 import limits, stalls
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.http2.response_queue import ResponseQueue
from addon.frontend.http2.stream import Stream, StreamOwner
from addon.frontend.http2.stream_state import REQUEST_COMPLETE, Event, State
from addon.frontend.http2.upload import Upload
from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, ErrorCode, StreamFault
from addon.origin.http2.flow_control import ReceiveWindow
from addon.origin.http2.frame_reader import Frame
from addon.origin.http2.settings import PeerSettings
from cache.policy.reason_texts import text_of
from cache.policy.reasons import StreamReset

logger = logging.getLogger(__name__)

CLIENT_GONE = "the client disconnected, or gave up, before its content was complete"


class Connection(StreamOwner, Protocol):
    """The connection, as far as its streams need it."""

    @property
    def accepts_requests(self) -> bool:
        """Return whether new requests are answered."""

    def close_if_done(self) -> None:
        """Close once no request may follow and the last stream has ended."""

    def wait_for_turn(self) -> None:
        """Go on when it is the connection's turn."""


class Streams:
    """The streams that are open.

    Attributes:
        last: The highest number of a stream that the client has opened.
        taking: What takes the frames of streams, by type of frame; `Requests` takes header blocks.
        responses: Begins the responses.
    """

    def __init__(
        self, handler: Http2Handler, connection: Connection, settings: PeerSettings, budgets: limits.Budgets
    ) -> None:
        self.last = 0
        self.taking = {
            frames.DATA: self._take_data,
            frames.RST_STREAM: self._take_reset,
            frames.PRIORITY: self._take_priority,
        }
        self._frontend, self._connection, self._outbound = handler.frontend, connection, connection.outbound
        self._settings, self._budgets, self._limits = settings, budgets, handler.limits
        self._window = ReceiveWindow(self._limits.connection_window)
        self._open: dict[int, Stream] = {}
        self.responses = ResponseQueue(
            connection.wait_for_turn,
            self._ended_early,
            lambda task: handler.fast_path.fetcher.single_flight.abandon(task),
            lambda: stalls.unread(self) >= self._limits.unread,
        )

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[Stream]:
        """Iterate over the streams that are open."""
        return iter(self._open.values())

    # ---- new streams

    def has_room(self, number: int, head_size: int = 0) -> bool:
        """Return whether one more stream may be open; refuse it otherwise. Raises ConnectionFault for too many."""
        if len(self._open) < self._limits.streams:
            open_heads = sum(stream.head_size for stream in self._open.values())
            if not open_heads or open_heads + head_size <= self._limits.head_bytes:
                return True
            self._note_reset(StreamReset.HTTP2_HEADS)
        self._outbound.write(frames.reset_frame(number, ErrorCode.REFUSED_STREAM))
        self._budgets.count_reset(self._connection.now())
        return False

    def open(self, number: int, head_size: int = 0, length: int | None = None, *, ended: bool) -> Stream:
        """Open a stream for a request.

        Args:
            number: Its number.
            head_size: The size of the request's head, as far as it counts.
            length: The length of the request's content, if the client has named it.
            ended: The request has no content.
        """
        upload = None if ended else Upload(length, partial(self._content_read, number))
        window, upload_window = self._settings.initial_window, self._limits.stream_window
        stream = Stream(
            number, self._connection, self._ended, window=window, upload_window=upload_window, upload=upload
        )
        stream.head_size, stream.began = head_size, self._frontend.connections.clock()
        self._open[number] = stream
        return stream

    # ---- the content of requests

    def _take_data(self, frame: Frame) -> None:
        number, size, ended = frame.stream, len(frame.payload), bool(frame.flags & frames.END_STREAM)
        self._window.take(size)
        stream = self._receiving(number)
        if stream is None or stream.upload is None:
            self._content_read(0, size)
            return
        stream.upload_window.take(size)
        content = frames.without_padding(frame.flags, frame.payload)
        if not content and not ended:
            self._budgets.count_control_frame(self._connection.now())
        if len(content) < size:
            self._content_read(number, size - len(content))
        self._feed(stream, content, ended=ended)

    def end_content(self, number: int, *, malformed: bool) -> None:
        """Note that trailers have come, after which there is no content. Raises ConnectionFault."""
        stream = self._receiving(number)
        if stream is not None and malformed:
            self._reset_by_fault(number)
        elif stream is not None:
            self._feed(stream, b"", ended=True)

    def _feed(self, stream: Stream, content: bytes, *, ended: bool) -> None:
        if stream.upload is None:
            return
        try:
            stream.upload.feed(content, ends=ended)
        except StreamFault:
            self._reset_by_fault(stream.number)
            return
        if ended:
            stream.move(Event.REQUEST_ENDED)
            stream.restart_deadline()
            self._forget_if_closed(stream)

    def _receiving(self, number: int) -> Stream | None:
        """Return the stream on which the client may send, or None if what it sends is ignored.

        Raises ConnectionFault if the client has not opened the stream.
        """
        if number > self.last or not number & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame belongs to a stream that was not opened.")
        stream = self._open.get(number)
        if stream is not None and stream.state not in REQUEST_COMPLETE:
            return stream
        self._budgets.count_control_frame(self._connection.now())  # this side may have reset the stream
        if stream is not None:
            self._reset(stream, ErrorCode.STREAM_CLOSED)
        return None

    def _content_read(self, number: int, size: int) -> None:
        """Let the client send more, since content has left memory."""
        stream = self._open.get(number)
        if stream is not None and stream.state not in REQUEST_COMPLETE:
            increment = stream.upload_window.release(size)
            if increment:
                self._outbound.write(frames.window_frame(number, increment))
        increment = self._window.release(size)
        if increment:
            self._outbound.write(frames.window_frame(0, increment))

    # ---- other frames of streams

    def _take_reset(self, frame: Frame) -> None:
        frames.number_in(frame.payload, "RST_STREAM")
        if not 0 < frame.stream <= self.last:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame belongs to a stream that was not opened.")
        stream = self._open.pop(frame.stream, None)
        if stream is None:
            self._budgets.count_control_frame(self._connection.now())
            return
        stream.end(CLIENT_GONE)
        self._budgets.count_reset(self._connection.now())
        self._connection.close_if_done()

    def _take_priority(self, frame: Frame) -> None:
        # RFC 9113 §5.3.2: deprecated, and ignored
        self._budgets.count_control_frame(self._connection.now())
        if not frame.stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A PRIORITY frame belongs to no stream.")

    def widen(self, number: int, increment: int) -> None:
        """Let more content be sent on a stream. Raises ConnectionFault."""
        if number > self.last:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame belongs to a stream that was not opened.")
        stream = self._open.get(number)
        if stream is None:
            return
        if increment == 0:
            self._reset_by_fault(number)
            return
        stream.window.grow(increment)
        self._outbound.wake(stream)

    def change_windows(self, by: int) -> None:
        """Change the windows of all open streams, as the client's settings say. Raises ConnectionFault."""
        if by:
            for stream in self._open.values():
                stream.window.grow(by)
            self._outbound.wake_waiting()

    # ---- the end of streams

    def _ended(self, stream: Stream) -> None:
        """Note that the response on a stream is complete."""
        if stream.state is State.HALF_CLOSED_LOCAL and not stream.is_tunnel:
            # RFC 9113 §8.1: the rest of the content is not needed
            stream.response = None  # it is running, and must not be cancelled
            self._reset(stream, ErrorCode.NO_ERROR)
        else:
            self._forget_if_closed(stream)

    def _ended_early(self, stream: Stream) -> None:
        """Reset a stream whose response has ended without END_STREAM, or whose tunnel ended before its client."""
        failed = ErrorCode.CONNECT_ERROR if stream.is_tunnel else ErrorCode.INTERNAL_ERROR
        self._reset(stream, ErrorCode.NO_ERROR if stream.sending_complete else failed)

    def _forget_if_closed(self, stream: Stream) -> None:
        if stream.state is State.CLOSED:
            self._open.pop(stream.number, None)
            self._connection.close_if_done()

    def _reset_by_fault(self, number: int) -> None:
        """Reset a stream on which the client broke a rule. Raises ConnectionFault for too many."""
        stream = self._open.get(number)
        if stream is not None:
            self._reset(stream, ErrorCode.PROTOCOL_ERROR)
        self._budgets.count_reset(self._connection.now())

    def _reset(self, stream: Stream, code: ErrorCode) -> None:
        self._open.pop(stream.number, None)
        self._outbound.write(frames.reset_frame(stream.number, code))
        stream.end(CLIENT_GONE)
        self._connection.close_if_done()

    def end_uploads(self) -> None:
        """End the streams whose content will not be complete, since the client sends no more.

        Those that may be silent end too: the client has probably disconnected, and would be missed late.
        """
        for stream in list(self._open.values()):
            if stream.state not in REQUEST_COMPLETE or stream.may_be_silent:
                self._reset(stream, ErrorCode.CANCEL)

    def end_all(self) -> None:
        """End all streams: the connection is lost."""
        self.responses.close()
        streams, self._open = list(self._open.values()), {}
        for stream in streams:
            stream.end(CLIENT_GONE)

    # ---- deadlines

    def restart_deadlines(self) -> None:
        """Restart the time in which the client must read or send."""
        for stream in self._open.values():
            stream.restart_deadline()

    def expire(self, now: float) -> None:
        """Reset the streams whose client was too slow, and those that hold too long what other streams need."""
        others_wait, window_is_full = bool(self.responses), self._window.is_full
        streams, budget = list(self), self._limits
        for stream, reason in stalls.to_reset(
            streams, now, budget, window_is_full=window_is_full, others_wait=others_wait
        ):
            self._note_reset(reason)
            self._reset(stream, ErrorCode.CANCEL)

    def _note_reset(self, reason: StreamReset) -> None:
        logger.info("a request over HTTP/2 is refused or ended: %s", text_of(reason).sentence)
        self._frontend.service.counters.count(f"streams_reset.{reason}")
