"""The budgets of one HTTP/2 connection, by which floods are noticed, and how long its turns are."""

from __future__ import annotations

from addon.config.http2 import Http2Settings
from addon.origin.http2.budget import Budget, FrameBudget
from addon.origin.http2.faults import over_budget
from cache.policy.reasons import Disconnected

WORK_PER_TURN = 64
"""Units of work after which other connections have their turn. A hit is one unit."""

WORK_PER_REFUSAL = 8
"""Units of work that a malformed request costs."""

RESPONSES_PER_TURN = 8
"""Requests that no hot response answers, and that the handler begins to answer in one turn."""

MAX_SETTINGS = 6 * 64
"""Bytes of one SETTINGS frame: 64 settings. There are about ten."""

WORK_PER_BLOCK = 4
"""Units of work that a header block costs that is not known, besides those for its length."""

LONG_BLOCK = 4096
"""Bytes of a header block that takes so long to decode that connections take turns with theirs."""

ENCODED_PER_WORK, DECODED_PER_WORK = 256, 4096
"""Bytes of an encoded header block, and of the header list in it, that cost one unit."""

USUAL_FIELDS, FIELD_MEMORY = 32, 192
"""Fields of a head that count with their bytes only, and bytes that each further one counts besides.

A short field takes some 200 bytes of memory, so that a head of 1 KB can take 30. Heads of browsers have fewer fields.
"""

MAX_REMEMBERED_LIST = 4096
"""Bytes of a header list that is remembered for its header block."""


class Budgets(FrameBudget):
    """The budgets of one connection."""

    __slots__ = ("_resets",)

    def __init__(self, limits: Http2Settings) -> None:
        super().__init__(limits.control_frames, limits.control_frames_per_second)
        self._resets = Budget(limits.resets, limits.resets_per_second)

    def count_reset(self, now: float) -> None:
        """Count a stream that came to nothing by the client's doing. Raises ConnectionFault for too many."""
        if not self._resets.spend(now):
            raise over_budget(Disconnected.HTTP2_RESETS, "The client has too many streams reset or refused.")
