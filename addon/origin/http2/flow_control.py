"""Flow control (RFC 9113 §5.2): how much content each side may still send."""

from __future__ import annotations

from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.frames import MAX_FRAME

DEFAULT_WINDOW = 65_535
"""Bytes of content that each side may send before it is told of another window (RFC 9113 §6.9.2)."""

MAX_WINDOW = 2**31 - 1
"""Bytes of the largest window (RFC 9113 §6.9.1)."""


class SendWindow:
    """Bytes that this side may send. It can be negative after a change of settings (RFC 9113 §6.9.2)."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def grow(self, by: int) -> None:
        """Change the window. Raises ConnectionFault if it becomes larger than allowed."""
        self.size += by
        if self.size > MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "A window is larger than allowed.")


class ReceiveWindow:
    """Bytes that the peer may send."""

    __slots__ = ("_left", "_released", "_size")

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._released = 0
        """Bytes that have left memory, and that the peer was not told of yet."""

    @property
    def is_full(self) -> bool:
        """Return whether the peer may send less than a usual frame."""
        return self._left < min(MAX_FRAME, self._size)

    def take(self, size: int) -> None:
        """Count bytes that the peer has sent. Raises ConnectionFault if they are more than it may send."""
        self._left -= size
        if self._left < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "The peer sent more than the window allows.")

    def pass_through(self, size: int) -> int:
        """Do as `take` and then `release`, for bytes that need no memory."""
        if self._left >= size and self._released + size < self._size // 2:  # the usual case
            self._left -= size
            self._released += size
            return 0
        self.take(size)
        return self.release(size)

    def release(self, size: int) -> int:
        """Note that bytes have left memory; return how many the peer should be told of now, often 0."""
        self._released += size
        if self._released < self._size // 2:
            return 0
        increment, self._released = self._released, 0
        self._left += increment
        return increment
