"""One HTTP/2 connection to an origin: carries many exchanges at a time, each on a stream."""

from __future__ import annotations

import asyncio
import logging
import select
import sys
from collections.abc import Callable
from typing import cast

from addon.origin.deadline import Deadline
from addon.origin.errors import FailureKind
from addon.origin.http2 import frames, settings
from addon.origin.http2.budget import FrameBudget
from addon.origin.http2.control_frames import ControlFrames, check
from addon.origin.http2.faults import ConnectionFault, ErrorCode, error_name
from addon.origin.http2.flow_control import DEFAULT_WINDOW
from addon.origin.http2.frame_reader import Frame, FrameReader
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.response import StreamResponse
from addon.origin.http2.settings import PeerSettings
from addon.origin.http2.stream import STREAM_WINDOW, OriginStream
from addon.origin.http2.stream_deadlines import StreamDeadlines
from addon.origin.http2.streams import CONNECTION_WINDOW, OriginStreams
from addon.origin.options import OriginOptions
from addon.origin.reading import PiecewiseProtocol
from addon.origin.request_body import RequestContent
from addon.origin.tls_alerts import received_alert

logger = logging.getLogger(__name__)

MAX_STREAMS = 100
"""Requests at a time on one connection, even if the origin allows more."""

MAX_CONTINUATIONS = 16
"""Frames of a header block besides the first."""

CONTROL_FRAMES, CONTROL_FRAMES_PER_SECOND = 2000, 200
"""Frames without a message or content that an origin may send at once, and a second on average."""

FRAMES_PER_TURN = 256
"""Frames after which other connections have their turn."""

QUIET = 1.0
"""Seconds after the last response in which an origin does not yet close an idle connection."""

MAX_STREAM = 2**31 - 1
"""The largest identifier of a stream (RFC 9113 §5.1.1)."""


class Http2Connection(PiecewiseProtocol):
    """A connection to an origin that speaks HTTP/2.

    Attributes:
        closed: A future that is done when the connection is closed.
        outbound: The sending side.
        options: The time limits and the size limits.
        greeted: The origin's settings have arrived.
        deadlines: The time limits of the streams.
    """

    outbound: Outbound

    def __init__(
        self,
        options: OriginOptions,
        on_lost: Callable[[Http2Connection], None] = lambda _: None,
        on_room: Callable[[Http2Connection], None] = lambda _: None,
    ) -> None:
        """Create a connection that is not connected yet.

        Args:
            options: The time limits and the size limits.
            on_lost: Called once, when the connection is closed.
            on_room: Called when more requests may be sent than before.
        """
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.options = options
        self.greeted = False
        self.deadlines = StreamDeadlines()
        self._on_lost = on_lost
        self._on_room = on_room
        self._reader = FrameReader(options.max_head, MAX_CONTINUATIONS)
        self._settings = PeerSettings()
        self._budget = FrameBudget(CONTROL_FRAMES, CONTROL_FRAMES_PER_SECOND)
        self._streams = OriginStreams(self, options, self._budget)
        self._max_streams = 1
        """Requests that there may be at a time: just one before the origin's settings are known."""
        self._draining = False
        """No further request may be sent: the origin has sent GOAWAY, or is suspected to be gone."""
        self._failed = False
        """The origin broke a rule: nothing more is read."""
        self._paused = False
        self._end = "closed the connection"
        """The origin's way to end the connection, as a predicate."""
        self._next_turn: asyncio.Handle | None = None
        self._progressed: dict[OriginStream, None] = {}
        """Streams whose responses have gone on in this turn."""
        self._idle = Deadline(self.close)
        self._active_at = self._idle.now()
        """The time at which a stream has ended last."""
        self._received_at = 0.0
        """The time at which the origin has sent something last."""
        self._poll = select.poll()
        self._taking: dict[int, Callable[[Frame], None]] = {
            frames.SETTINGS: self._take_settings,
            frames.GOAWAY: self._take_goaway,
            frames.PUSH_PROMISE: self._take_push_promise,
            **self._streams.taking,
        }

    # ---- called by the pool and by the sender of a request

    @property
    def busy(self) -> int:
        """Return how many exchanges are under way."""
        return len(self._streams)

    @property
    def room(self) -> int:
        """Return how many more requests may be sent now."""
        if self._draining or self.closed.done() or self.outbound.transport.is_closing():
            return 0
        return max(0, self._max_streams - len(self._streams))

    @property
    def is_usable(self) -> bool:
        """Return whether requests may be sent now or later."""
        return not self._draining and not self.closed.done() and not self.outbound.transport.is_closing()

    def try_reuse(self) -> bool:
        """Return whether the connection can carry one more request. An idle one may have ended without our notice."""
        if not self.room:
            return False
        was_idle = not self._streams and self.now() > self._active_at + QUIET
        if was_idle and self._poll.poll(0):  # what has arrived meanwhile is the end, in all likelihood
            self.close()
            return False
        return True

    def send(self, block: bytes, response: StreamResponse, content: RequestContent | None = None) -> OriginStream:
        """Send a request for which there is room; `response` receives what the origin sends, or the failure."""
        self._idle.clear()
        number = self._streams.next_number
        stream = OriginStream(
            number, self, response, window=self._settings.initial_window, has_content=content is not None
        )
        self._streams.add(stream)
        if number + 2 > MAX_STREAM:
            self._draining = True
        if self.closed.done():
            self._streams.end_all(self._end)
            return stream
        self.outbound.write_headers(number, block, end_stream=content is None)
        if content is not None:
            stream.send(content)
        return stream

    def close(self) -> None:
        """Close in order. Requests under way fail."""
        if not self.outbound.transport.is_closing():
            self._draining = True
            self.outbound.write(frames.goaway_frame(0, ErrorCode.NO_ERROR))
            self._close_transport()

    def _close_transport(self) -> None:
        """Close once all is sent, or at once if the origin takes nothing."""
        self.outbound.flush()
        if self.outbound.blocked:
            self.outbound.transport.abort()
        else:
            self.outbound.transport.close()

    def close_if_idle(self) -> None:
        """Close unless a request is under way; send no further request on it in any case."""
        self._draining = True
        if not self._streams:
            self.close()

    def abort(self) -> None:
        """Close at once."""
        self.outbound.transport.abort()

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the origin."""
        usable = cast(asyncio.Transport, transport)  # uvloop's does not inherit from asyncio.Transport
        self.outbound = Outbound(usable, self._budget.content_sent)
        self._control = ControlFrames(self.outbound, self._settings, self._budget, self._streams, self.now)
        self._taking[frames.PING] = self._control.take_ping
        self._taking[frames.WINDOW_UPDATE] = self._control.take_window_update
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        values = {
            # blocks then mean the same each time, and many are equal; nginx fills a table that it never uses
            settings.HEADER_TABLE_SIZE: 0,
            settings.ENABLE_PUSH: 0,
            settings.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            settings.MAX_HEADER_LIST_SIZE: self._streams.max_list_size,
        }
        greeting = frames.window_frame(0, CONNECTION_WINDOW - DEFAULT_WINDOW)
        self.outbound.write(frames.PREFACE, frames.settings_frame(values), greeting)

    def data_received(self, data: bytes) -> None:
        """Take the frames that have arrived, unless others wait for their turn already."""
        self._received_at = self._idle.now()
        self._reader.feed(data)
        if self._next_turn is None:
            self._take_turn()

    def eof_received(self) -> None:
        """Handle the end of the origin's data; the transport then closes itself."""
        self._finish_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection: a close by either side, or an error."""
        self._finish_reading()
        self._idle.stop()
        self.closed.set_result(None)
        # in TLS 1.3 the handshake ends before the origin has seen our certificate (RFC 8446 §2)
        if alert := received_alert(exc):
            self._streams.fail_all(FailureKind.TLS_ALERT_RECEIVED, alert.predicate, alert.parameters)
        self._streams.end_all(self._end)
        self.deadlines.stop()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Pause the content of requests, because the write buffer is full."""
        self.outbound.blocked = True

    def resume_writing(self) -> None:
        """Resume the content of requests."""
        self.outbound.blocked = False
        self.outbound.wake_waiting()

    def now(self) -> float:
        """Return the event loop's clock."""
        return self._idle.now()

    # ---- frames

    def _take_turn(self, limit: int = FRAMES_PER_TURN) -> None:
        """Take frames until there are none, or `limit` of them: other connections should have their turn then."""
        self._next_turn = None
        try:
            for _ in range(limit):
                frame = None if self._failed else self._reader.next()
                if frame is None:
                    self._resume_reading()
                    break
                if not self.greeted:
                    self._check_greeting(frame)
                if taking := self._taking.get(frame.kind):
                    taking(frame)
                else:  # RFC 9113 §4.1: an unknown type is ignored
                    self._budget.count_control_frame(self.now())
            else:
                self._paused = True
                self.outbound.transport.pause_reading()
                self._next_turn = asyncio.get_running_loop().call_soon(self._take_turn)
        except ConnectionFault as fault:
            self._fail(fault)
        if self._progressed:
            self._report_progress()
        self.outbound.flush()

    def _report_progress(self) -> None:
        """Let the readers of responses know: once a turn, since a head and its content mostly arrive together."""
        progressed, self._progressed = self._progressed, {}
        for stream in progressed:
            if not stream.response.finished:  # else it was told that at once
                stream.report()

    def _resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self.outbound.transport.resume_reading()

    def _finish_reading(self) -> None:
        """Take the frames that have to wait for their turn: nothing follows them."""
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._take_turn(sys.maxsize)

    def _check_greeting(self, frame: Frame) -> None:
        """Check the first frame (RFC 9113 §3.4). Raises ConnectionFault."""
        if frame.kind != frames.SETTINGS or frame.flags & frames.ACK:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "The first frame is not SETTINGS.")

    def _fail(self, fault: ConnectionFault) -> None:
        """Tell the origin what it did wrong, and end."""
        logger.info("an HTTP/2 connection to an origin is ended: %s", fault)
        self._failed = self._draining = True
        if self._reader.inside_block and fault.code is ErrorCode.ENHANCE_YOUR_CALM:
            self._streams.refuse_block(self._reader.stream_of_block)
        predicate = f"broke the rules of HTTP/2: {fault}" if self.greeted else "does not speak HTTP/2"
        self._streams.fail_all(FailureKind.HTTP_PROTOCOL_ERROR, predicate.rstrip("."))
        self.outbound.write(frames.goaway_frame(0, fault.code, str(fault)))
        self._close_transport()

    def _take_settings(self, frame: Frame) -> None:
        if self._control.take_settings(frame):
            self.greeted = True
            limit = self._settings.max_streams
            self._max_streams = MAX_STREAMS if limit is None else min(limit, MAX_STREAMS)
            self._on_room(self)

    def _take_goaway(self, frame: Frame) -> None:
        check(frame.stream == 0, "A GOAWAY frame belongs to a stream.")
        self._budget.count_control_frame(self.now())
        last, code, text = frames.goaway_in(frame.payload)
        if code != ErrorCode.NO_ERROR:
            logger.info("an origin ends an HTTP/2 connection with the error %s: %s", error_name(code), text)
            self._end = f"closed the connection with the HTTP/2 error {error_name(code)}"
        self._draining = True
        self._streams.end_unprocessed(last, self._end)
        self._close_if_drained()

    def _take_push_promise(self, _frame: Frame) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "The origin pushes a response, which was forbidden to it.")

    # ---- for the streams

    def progressed(self, stream: OriginStream) -> None:
        """Note that the response to a stream has gone on and is not complete."""
        self._progressed[stream] = None

    def reset(self, stream: OriginStream, code: ErrorCode) -> None:
        """End a stream that is not complete on both sides, and tell the origin so."""
        self._streams.reset(stream, code)

    def forget(self, stream: OriginStream) -> None:
        """Note that a stream is complete on both sides."""
        self._streams.forget(stream)

    def content_taken(self, stream: OriginStream, size: int) -> None:
        """Let the origin send more on a stream, since content has left memory."""
        self._streams.content_taken(stream, size)

    def timed_out(self, stream: OriginStream) -> None:
        """Note that the origin was too slow on a stream. If it sent nothing at all, it may be gone."""
        if self._received_at < stream.opened:
            self._draining = True

    def stream_ended(self) -> None:
        """Note that one stream less is open."""
        self._active_at = self.now()
        if not self._streams and not self._draining:
            self._idle.set(self.options.idle_timeout)
        if self._draining:
            self._close_if_drained()
        self._on_room(self)

    def _close_if_drained(self) -> None:
        if self._draining and not self._streams and not self._failed:
            self.close()
