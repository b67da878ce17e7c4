"""The streams of one HTTP/2 connection: starts one for each request, feeds it, and forgets it.

Usually a header block is a known one, and a hot response answers it at once, without a stream. Every other request
becomes a stream, which the handler answers in a task.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Protocol, cast

from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http2 import limits, stalls
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.http2.head_reader import HeadReader
from addon.frontend.http2.header_block import OversizedHeaderList
from addon.frontend.http2.hot_answers import Http2HotResponse
from addon.frontend.http2.hot_sender import HotSender
from addon.frontend.http2.request_fields import Http2Head
from addon.frontend.http2.response_queue import ResponseQueue
from addon.frontend.http2.stream import Stream, StreamOwner
from addon.frontend.http2.stream_state import REQUEST_COMPLETE, Event, State
from addon.frontend.http2.tunnels import Answering, Tunnels
from addon.frontend.http2.upload import Upload
from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, ErrorCode, StreamFault, over_budget
from addon.origin.http2.flow_control import ReceiveWindow
from addon.origin.http2.frame_reader import Frame
from addon.origin.http2.settings import PeerSettings
from cache.http.messages import Request
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Disconnected, StreamReset
from cache.rules.streams import asks_for_stream

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
        work: Units of work that are left in this turn.
        taking: What takes the frames of streams, by type of frame.
        responses: Begins the responses.
    """

    def __init__(
        self,
        handler: Http2Handler,
        targets: RequestTargets,
        connection: Connection,
        settings: PeerSettings,
        budgets: limits.Budgets,
    ) -> None:
        self.last = 0
        self.work = 0
        self.taking = {
            frames.HEADERS: self._take_headers,
            frames.DATA: self._take_data,
            frames.RST_STREAM: self._take_reset,
            frames.PRIORITY: self._take_priority,
        }
        self._handler, self._fast_path = handler, handler.fast_path
        self._tunnels = Tunnels(handler)
        self._targets, self._connection = targets, connection
        self._outbound = connection.outbound
        self._hot = HotSender(handler.fast_path, connection.outbound, settings, budgets, handler.frontend.sites)
        self._settings, self._budgets, self._limits = settings, budgets, handler.limits
        secure = connection.outbound.transport.get_extra_info("ssl_object") is not None
        self._heads = HeadReader(
            targets.prefix,
            handler.head_limits,
            self._spend,
            secure=secure,
            forwarding=handler.frontend.forwarding,
            peer=connection.peer_address(),
        )
        self._window = ReceiveWindow(self._limits.connection_window)
        self._open: dict[int, Stream] = {}
        self.responses = ResponseQueue(
            connection.wait_for_turn,
            self._ended_early,
            lambda task: self._fast_path.fetcher.single_flight.abandon(task),
            lambda: stalls.unread(self) >= self._limits.unread,
        )

    def _spend(self, work: int) -> None:
        self.work -= work

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[Stream]:
        """Iterate over the streams that are open."""
        return iter(self._open.values())

    # ---- requests

    def _take_headers(self, frame: Frame) -> None:
        number, block, ended = frame.stream, frame.payload, bool(frame.flags & frames.END_STREAM)
        if number <= self.last:
            self._take_trailers(number, block, ended=ended)
            return
        if not number & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A client's stream has an even number.")
        self.last = number
        head = self._heads.known.get(block)
        if head is not None and ended and self._connection.accepts_requests:
            hot = self._fast_path.hot.get(head.key)
            address = partial(self._address_of, head)
            if hot is not None and self._hot.send(number, cast("Http2HotResponse", hot), address):
                self.work -= len(hot.content) // frames.MAX_FRAME
                return
        try:
            self._answer(number, head or self._heads.head(block), ended=ended)
        except MalformedRequest as fault:
            self._refuse(number, fault, ended=ended)
            self._budgets.count_reset(self._connection.now())
            if isinstance(fault, OversizedHeaderList):
                raise over_budget(Disconnected.HTTP2_HEADER_LIST, str(fault)) from fault

    def _answer(self, number: int, known: Http2Head, *, ended: bool) -> None:
        """Answer a request, or start to. Raises MalformedRequest and ConnectionFault."""
        if not self._connection.accepts_requests:
            return  # RFC 9113 §6.8: the client will send it on another connection
        if not self._has_room(number, known.size):
            return
        if known.asks_for_tunnel:
            self._answer_by_tunnel(number, known, ended=ended)
            return
        head = known.head_of(ended=ended)
        try:
            request = self._targets.request(head)
        except RefusedRequest as refused:
            refuse = partial(self._handler.refuse_by_rule, head, refused, self._targets)
            self._respond(number, refused.request, known, refuse, ended=ended)
            return
        if ended:
            hot = self._fast_path.hit(Http2HotResponse, known.key, request)
            if hot is not None and self._hot.send(number, hot, partial(self._address_of, known), counted=True):
                self.work -= len(hot.content) // frames.MAX_FRAME
                return
        self._respond(number, request, known, partial(self._handler.answer, request), ended=ended)

    def _address_of(self, known: Http2Head) -> str:
        """Return the address of the client that has sent a head."""
        client = known.head.client
        return (client.address if client is not None else "") or self._connection.peer_address()

    def _answer_by_tunnel(self, number: int, known: Http2Head, *, ended: bool) -> None:
        """Have a request answered that asks for a tunnel. Raises MalformedRequest."""
        answering = self._tunnels.answering(known, self._targets)
        upload = None if ended else self._upload(number, None)
        stream = self._new_stream(number, upload, known.size)
        stream.address = self._address_of(known)
        stream.is_tunnel = True
        stream.restart_deadline()
        self.responses.add(stream, partial(answering, stream, upload))

    def _respond(self, number: int, request: Request, known: Http2Head, answering: Answering, *, ended: bool) -> None:
        """Have a request answered in a task."""
        upload = None if ended else self._upload(number, known.length)
        stream = self._new_stream(number, upload, known.size)
        stream.address = self._address_of(known)
        stream.may_be_silent = asks_for_stream(request)
        content = upload if request.has_content else None
        shareable = self._fast_path.is_shareable(request)
        self.responses.add(stream, partial(answering, stream, content), shareable=shareable)

    def _refuse(self, number: int, fault: MalformedRequest, *, ended: bool) -> None:
        """Tell the client what is wrong with its request."""
        if self._connection.accepts_requests and self._has_room(number):
            stream = self._new_stream(number, None if ended else self._upload(number, None))
            self.work -= limits.WORK_PER_REFUSAL
            self.responses.begin(stream, partial(self._handler.refuse, stream, fault))

    def _has_room(self, number: int, head_size: int = 0) -> bool:
        """Return whether one more stream may be open; refuse it otherwise. Raises ConnectionFault for too many."""
        if len(self._open) < self._limits.streams:
            open_heads = sum(stream.head_size for stream in self._open.values())
            if not open_heads or open_heads + head_size <= self._limits.head_bytes:
                return True
            self._note_reset(StreamReset.HTTP2_HEADS)
        self._outbound.write(frames.reset_frame(number, ErrorCode.REFUSED_STREAM))
        self._budgets.count_reset(self._connection.now())
        return False

    def _upload(self, number: int, length: int | None) -> Upload:
        return Upload(length, partial(self._content_read, number))

    def _new_stream(self, number: int, upload: Upload | None, head_size: int = 0) -> Stream:
        window, upload_window = self._settings.initial_window, self._limits.stream_window
        stream = Stream(
            number, self._connection, self._ended, window=window, upload_window=upload_window, upload=upload
        )
        stream.head_size, stream.began = head_size, self._handler.frontend.connections.clock()
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

    def _take_trailers(self, number: int, block: bytes, *, ended: bool) -> None:
        fault: MalformedRequest | None = None
        try:
            self._heads.read_trailers(block, ended=ended)
        except OversizedHeaderList as oversized:
            raise over_budget(Disconnected.HTTP2_HEADER_LIST, str(oversized)) from oversized
        except MalformedRequest as malformed:
            fault = malformed
        stream = self._receiving(number)
        if stream is not None and fault is None:
            self._feed(stream, b"", ended=True)
        elif stream is not None:
            self._reset_by_fault(number)

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
        self._handler.frontend.service.counters.count(f"streams_reset.{reason}")
