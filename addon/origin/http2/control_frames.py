"""Frames of a connection that mean the same to both sides: SETTINGS, PING and WINDOW_UPDATE (RFC 9113 §6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from addon.origin.http2 import frames
from addon.origin.http2.budget import FrameBudget
from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.frame_reader import Frame
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.settings import PeerSettings

PING_LENGTH = 8


class Windows(Protocol):
    """The windows of the streams of a connection."""

    def widen(self, number: int, increment: int) -> None:
        """Let more content be sent on a stream. Raises ConnectionFault."""

    def change_windows(self, by: int) -> None:
        """Change the windows of all open streams. Raises ConnectionFault."""


class ControlFrames:
    """Takes such frames of one connection. The methods raise ConnectionFault."""

    def __init__(
        self,
        outbound: Outbound,
        settings: PeerSettings,
        budget: FrameBudget,
        streams: Windows,
        now: Callable[[], float],
    ) -> None:
        self._outbound = outbound
        self._settings = settings
        self._budget = budget
        self._streams = streams
        self._now = now

    def take_settings(self, frame: Frame) -> bool:
        """Use the peer's settings, and acknowledge them. Return whether they were settings, not an acknowledgement."""
        check(frame.stream == 0, "A SETTINGS frame belongs to a stream.")
        self._budget.count_control_frame(self._now())
        if frame.flags & frames.ACK:
            check(not frame.payload, "An acknowledgement of SETTINGS has a payload.", ErrorCode.FRAME_SIZE_ERROR)
            return False
        self._streams.change_windows(self._settings.take(frame.payload))
        self._outbound.confirms_table |= self._settings.table_shrunk
        self._settings.table_shrunk = False
        self._outbound.write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        return True

    def take_ping(self, frame: Frame) -> None:
        """Answer a PING."""
        check(frame.stream == 0, "A PING frame belongs to a stream.")
        check(len(frame.payload) == PING_LENGTH, "A PING frame has a wrong length.", ErrorCode.FRAME_SIZE_ERROR)
        self._budget.count_ping(self._now())
        if not frame.flags & frames.ACK:
            self._outbound.write(frames.frame(frames.PING, frames.ACK, 0, frame.payload))

    def take_window_update(self, frame: Frame) -> None:
        """Let more content be sent, on a stream or on all of them."""
        self._budget.count_window_update(self._now())
        increment = frames.number_in(frame.payload, "WINDOW_UPDATE")
        if frame.stream:
            self._streams.widen(frame.stream, increment)
            return
        check(increment > 0, "A WINDOW_UPDATE frame changes nothing.")
        self._outbound.window.grow(increment)
        self._outbound.wake_waiting()


def check(allowed: bool, sentence: str, code: ErrorCode = ErrorCode.PROTOCOL_ERROR) -> None:
    """Raise ConnectionFault unless a frame is allowed."""
    if not allowed:
        raise ConnectionFault(code, sentence)
