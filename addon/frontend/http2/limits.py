"""The budgets of one HTTP/2 connection, by which floods are noticed, and how long its turns are."""

from __future__ import annotations

from addon.config.http2 import Http2Settings
from addon.origin.http2.budget import Budget
from addon.origin.http2.faults import over_budget
from cache.policy.reasons import Disconnected

WORK_PER_TURN = 64
"""Units of work after which other connections have their turn. A hit is one unit."""

WORK_PER_REFUSAL = 8
"""Units of work that a malformed request costs."""

RESPONSES_PER_TURN = 8
"""Requests that no hot response answers, and that the handler begins to answer in one turn."""

ENCODED_PER_WORK, DECODED_PER_WORK = 256, 4096
"""Bytes of an encoded header block, and of the header list in it, that cost one unit."""

MAX_REMEMBERED_LIST = 4096
"""Bytes of a header list that is remembered for its header block."""


class Budgets:
    """The budgets of one connection."""

    __slots__ = ("_control_frames", "_pings", "_resets", "_window_updates")

    def __init__(self, limits: Http2Settings) -> None:
        self._control_frames = Budget(limits.control_frames, limits.control_frames_per_second)
        self._resets = Budget(limits.resets, limits.resets_per_second)
        self._window_updates = 0
        """WINDOW_UPDATE frames that may follow from the content that was sent."""
        self._pings = 0
        """PING frames that may follow from it: clients measure the bandwidth of a download by them."""

    def count_control_frame(self, now: float) -> None:
        """Count a frame that carries neither a request nor content. Raises ConnectionFault for too many."""
        if not self._control_frames.spend(now):
            raise over_budget(Disconnected.HTTP2_CONTROL_FRAMES, "The client sends too many control frames.")

    def count_reset(self, now: float) -> None:
        """Count a stream that came to nothing by the client's doing. Raises ConnectionFault for too many."""
        if not self._resets.spend(now):
            raise over_budget(Disconnected.HTTP2_RESETS, "The client has too many streams reset or refused.")

    def content_sent(self, data_frames: int = 1) -> None:
        """Allow what may follow from DATA: a PING, and a WINDOW_UPDATE each for the stream and the connection."""
        self._window_updates += 2 * data_frames
        self._pings += data_frames

    def count_window_update(self, now: float) -> None:
        """Count a WINDOW_UPDATE frame. Raises ConnectionFault for too many that follow from nothing."""
        if self._window_updates:
            self._window_updates -= 1
        else:
            self.count_control_frame(now)

    def count_ping(self, now: float) -> None:
        """Count a PING frame. Raises ConnectionFault for too many that follow from nothing."""
        if self._pings:
            self._pings -= 1
        else:
            self.count_control_frame(now)
