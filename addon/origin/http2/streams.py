"""The streams of one HTTP/2 connection to an origin: passes each frame to its stream, and restores the windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from addon.origin.errors import FailureKind
from addon.origin.http2 import frames
from addon.origin.http2.budget import FrameBudget
from addon.origin.http2.faults import ConnectionFault, ErrorCode, error_name, over_budget
from addon.origin.http2.flow_control import ReceiveWindow
from addon.origin.http2.frame_reader import Frame
from addon.origin.http2.header_block import BlockDecoder, OversizedHeaderList
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.response import head_too_large
from addon.origin.http2.response_fields import HeaderList
from addon.origin.http2.stream import STREAM_WINDOW, OriginStream
from addon.origin.options import OriginOptions
from addon.origin.response_head import MalformedResponse
from cache.answer.responses import ErrorParameters
from cache.policy.reasons import Disconnected

CONNECTION_WINDOW = 16_777_216
"""Bytes that may be on their way on all streams. It is restored at once: the windows of streams limit memory."""

FIELD_OVERHEAD = 32
"""Bytes that are added for each field to the size of a header list (RFC 9113 §6.5.2)."""


LATE_FRAMES = 2
"""Frames without content for each stream that has ended: its end, and a RST_STREAM (RFC 9113 §8.1)."""

MAX_KNOWN, MAX_KNOWN_BLOCK = 64, 1024
"""Header blocks of a connection that are remembered, and their bytes."""


class StreamsOwner(Protocol):
    """The connection of the streams."""

    outbound: Outbound

    def stream_ended(self) -> None:
        """Note that one stream less is open."""

    def now(self) -> float:
        """Return the event loop's clock."""


class OriginStreams:
    """The streams that are not complete.

    Attributes:
        next_number: The identifier of the next stream.
        max_list_size: Bytes that a header list may have, with the overhead of its fields.
        taking: What is done with each type of frame. Each function raises ConnectionFault.
    """

    def __init__(self, owner: StreamsOwner, options: OriginOptions, budget: FrameBudget) -> None:
        self.next_number = 1
        self.max_list_size = options.max_head + options.max_fields * FIELD_OVERHEAD
        self.taking: dict[int, Callable[[Frame], None]] = {
            frames.HEADERS: self._take_headers,
            frames.DATA: self._take_data,
            frames.RST_STREAM: self._take_reset,
            frames.PRIORITY: self._take_priority,
        }
        self._owner = owner
        self._options = options
        self._budget = budget
        self._open: dict[int, OriginStream] = {}
        self._decoder = BlockDecoder(self.max_list_size)
        self._remembered: dict[bytes, HeaderList] = {}
        """Header lists by blocks that would be decoded alike now."""
        self._window = ReceiveWindow(CONNECTION_WINDOW)
        self._late_frames = 0
        """Frames that may still arrive for streams that have ended."""
        self._late_content = 0
        """Bytes of content that may still arrive for streams that this side has reset."""

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._open)

    def add(self, stream: OriginStream) -> None:
        """Open a stream."""
        self._open[stream.number] = stream
        self.next_number = stream.number + 2

    # ---- the end of streams

    def forget(self, stream: OriginStream) -> None:
        """Close a stream that is complete on both sides, or that the origin has ended."""
        if self._open.pop(stream.number, None) is not None:
            stream.close()
            self._late_frames += LATE_FRAMES
            self._owner.stream_ended()

    def reset(self, stream: OriginStream, code: ErrorCode) -> None:
        """Close a stream that is not complete, and tell the origin so."""
        if stream.number in self._open:
            self._late_content += STREAM_WINDOW
            self._owner.outbound.write(frames.reset_frame(stream.number, code))
            self.forget(stream)

    def fail_all(self, kind: FailureKind, predicate: str, parameters: ErrorParameters = ()) -> None:
        """End all streams: `predicate` says what the origin did, after its name."""
        for stream in list(self._open.values()):
            stream.response.fail(kind, predicate, parameters)
            self.forget(stream)

    def end_all(self, predicate: str) -> None:
        """End all streams, since the connection is lost."""
        for stream in list(self._open.values()):
            if stream.response.head is None:
                end = f"{predicate} before its response head was whole"
                stream.response.fail(FailureKind.CONNECTION_TERMINATED, end)
            else:
                stream.response.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, f"{predicate} before its response was whole")
            self.forget(stream)

    def end_unprocessed(self, last: int, predicate: str) -> None:
        """End the streams after `last`, for which the origin has done nothing (RFC 9113 §6.8)."""
        for stream in [each for number, each in self._open.items() if number > last]:
            stream.response.fail(FailureKind.CONNECTION_TERMINATED, f"{predicate} and did nothing for the request")
            if stream.response.failure is not None:
                stream.response.failure.unprocessed = True
            self.forget(stream)

    def refuse_block(self, number: int) -> None:
        """Fail the stream whose header block is too large; the connection cannot go on."""
        if stream := self._open.get(number):
            mistake = head_too_large(self._options)
            stream.response.fail(mistake.kind, str(mistake))
            self.forget(stream)

    # ---- windows

    def widen(self, number: int, increment: int) -> None:
        """Let more content be sent on a stream. Raises ConnectionFault."""
        stream = self._known(number)
        if stream is None:
            return
        if increment == 0:
            self._fail(stream, FailureKind.HTTP_PROTOCOL_ERROR, "sent a WINDOW_UPDATE frame that changes nothing")
            return
        stream.window.grow(increment)
        self._owner.outbound.wake(stream)

    def change_windows(self, by: int) -> None:
        """Change the windows of all streams, as the origin's settings say. Raises ConnectionFault."""
        if by:
            for stream in self._open.values():
                stream.window.grow(by)
            self._owner.outbound.wake_waiting()

    def content_taken(self, stream: OriginStream, size: int) -> None:
        """Let the origin send more on a stream, since content has left memory."""
        if stream.number in self._open and (increment := stream.receive_window.release(size)):
            self._owner.outbound.write(frames.window_frame(stream.number, increment))

    # ---- frames

    def _take_headers(self, frame: Frame) -> None:
        stream, ended = self._known(frame.stream), bool(frame.flags & frames.END_STREAM)
        try:
            fields = self._remembered.get(frame.payload) or self._decode(frame.payload)
        except OversizedHeaderList as error:
            self.refuse_block(frame.stream)
            raise over_budget(Disconnected.HTTP2_HEADER_LIST, str(error)) from error
        if stream is None:
            self._count_late()
            return
        try:
            stream.response.take_fields(fields, ended=ended)
        except MalformedResponse as mistake:
            self._fail(stream, mistake.kind, str(mistake))
        else:
            stream.progress(ended=ended)

    def _decode(self, block: bytes) -> HeaderList:
        """Return the header list in a block. Raises ConnectionFault and OversizedHeaderList."""
        fields = HeaderList(self._decoder.decode(block))
        if self._decoder.table_changed or len(self._remembered) >= MAX_KNOWN:
            self._remembered.clear()
        if not self._decoder.table_changed and len(block) <= MAX_KNOWN_BLOCK:
            self._remembered[block] = fields
        return fields

    def _take_data(self, frame: Frame) -> None:
        stream, size = self._known(frame.stream), len(frame.payload)
        padded, ended = frame.flags & frames.PADDED, bool(frame.flags & frames.END_STREAM)
        content = frames.without_padding(frame.flags, frame.payload) if padded else frame.payload
        if increment := self._window.pass_through(size):
            self._owner.outbound.write(frames.window_frame(0, increment))
        if stream is None:
            self._take_late(size)
            return
        if not content and not ended:
            self._budget.count_control_frame(self._owner.now())
        try:
            stream.receive_window.take(size)
            stream.response.take_content(content, ended=ended)
        except MalformedResponse as mistake:
            self._fail(stream, mistake.kind, str(mistake))
            return
        if padded:
            self.content_taken(stream, size - len(content))
        stream.progress(ended=ended)

    def _take_late(self, size: int) -> None:
        """Drop content of a stream that this side has reset."""
        self._late_content -= size
        if not size:
            self._count_late()
        if self._late_content < 0:
            raise ConnectionFault(ErrorCode.STREAM_CLOSED, "Content was sent on a stream that had ended.")

    def _count_late(self) -> None:
        """Count a frame without content for a stream that has ended. Raises ConnectionFault for too many."""
        if self._late_frames:
            self._late_frames -= 1
        else:
            self._budget.count_control_frame(self._owner.now())

    def _take_reset(self, frame: Frame) -> None:
        code = frames.number_in(frame.payload, "RST_STREAM")
        stream = self._known(frame.stream)
        if stream is None:
            self._count_late()
            return
        unprocessed = code == ErrorCode.REFUSED_STREAM
        wants_http1 = code == ErrorCode.HTTP_1_1_REQUIRED
        stream.response.reset(error_name(code), unprocessed=unprocessed, wants_http1=wants_http1)
        self.forget(stream)

    def _take_priority(self, frame: Frame) -> None:
        self._budget.count_control_frame(self._owner.now())  # RFC 9113 §5.3.2: deprecated, and ignored
        if not frame.stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A PRIORITY frame belongs to no stream.")

    def _known(self, number: int) -> OriginStream | None:
        """Return a stream, or None if it has ended. Raises ConnectionFault if it was never opened."""
        if number >= self.next_number or not number & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame belongs to a stream that was not opened.")
        return self._open.get(number)

    def _fail(self, stream: OriginStream, kind: FailureKind, predicate: str) -> None:
        stream.response.fail(kind, predicate)
        self.reset(stream, ErrorCode.PROTOCOL_ERROR)
