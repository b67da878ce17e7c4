"""The settings that both sides of a connection tell each other (RFC 9113 §6.5.2)."""

from __future__ import annotations

from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.flow_control import DEFAULT_WINDOW, MAX_WINDOW

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = (
    range(1, 7)
)

DEFAULT_TABLE = 4096
"""Bytes of an HPACK table for which no other size is told (RFC 9113 §6.5.2). This side uses none for what it sends."""


class PeerSettings:
    """The settings of the peer, as far as this side uses them."""

    __slots__ = ("initial_window", "max_streams", "table_shrunk")

    def __init__(self) -> None:
        self.initial_window = DEFAULT_WINDOW
        """Bytes of content that may be sent on a new stream."""
        self.max_streams: int | None = None
        """Streams that this side may have open at a time; None if the peer sets no limit."""
        self.table_shrunk = False
        """The peer wants a smaller HPACK table than the default: the next header block has to confirm it."""

    def take(self, payload: bytes) -> int:
        """Take the peer's settings; return by how many bytes the windows of open streams change.

        Raises:
            ConnectionFault: a value is not allowed.
        """
        before = self.initial_window
        for identifier, value in frames.settings_in(payload):
            match identifier:
                case _ if identifier == HEADER_TABLE_SIZE:
                    self.table_shrunk |= value < DEFAULT_TABLE
                case _ if identifier == MAX_CONCURRENT_STREAMS:
                    self.max_streams = value
                case _ if identifier == INITIAL_WINDOW_SIZE:
                    if value > MAX_WINDOW:
                        raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "A window is larger than allowed.")
                    self.initial_window = value
                case _ if identifier == ENABLE_PUSH and value > 1:
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH is neither 0 nor 1.")
                case _ if identifier == MAX_FRAME_SIZE and not frames.MAX_FRAME <= value < 2**24:
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE is out of range.")
                case _:  # RFC 9113 §6.5.2: an unknown setting is ignored
                    pass
        return self.initial_window - before
