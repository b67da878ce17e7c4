"""The proxy's clock: the pace of a clock that nobody can set, and the time of the wall clock (ledger FRESH-15)."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cache.policy.clock_setting import ClockSetting

BELIEVED_AFTER = 5.0
"""Seconds that the wall clock must differ from this clock by the same amount before it is believed."""

TOLERANCE = 0.5
"""Seconds by which two differences may differ and count as the same. HTTP counts whole seconds."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# both include the time of suspend, on Linux and on macOS
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

logger = logging.getLogger(__name__)


elapsed_seconds: Callable[[], float] = partial(time.clock_gettime, _ELAPSED)
"""Returns the seconds of the system's clock that cannot be set. They include the time of suspend."""


def name_of_boot() -> int:
    """Return a number that every process has in common until the machine starts anew; else one for this process."""
    try:
        return int(_BOOT_ID.read_text()[:8], 16)
    except (OSError, ValueError):  # other systems than Linux
        return secrets.randbits(32)


class Clock:
    """Returns seconds since the epoch.

    The clock runs at the pace of a clock that cannot be set. It follows the wall clock, forward and back, once that
    has differed for some seconds by the same amount. So a wall clock that is wrong for a moment changes nothing. After
    a wrong time that was believed, the time before is believed at once.

    Attributes:
        setting: How the wall clock is set, as far as it is believed.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_seconds, boot: int = 0
    ) -> None:
        """Start with the time of the wall clock.

        Args:
            wall: Returns seconds since the epoch.
            elapsed: Returns the seconds of a clock that cannot be set.
            boot: The name of that clock; by default, that of the machine's.
        """
        self._wall = wall
        self._elapsed = elapsed
        self.setting = ClockSetting(boot or name_of_boot(), wall() - elapsed())
        self._earlier_lead = self.setting.lead
        self._doubted = self.setting.lead
        """The lead that is not believed yet."""
        self._doubted_since = 0.0

    def __call__(self) -> float:
        """Return the current time in seconds since the epoch."""
        return self._elapsed() + self.setting.lead

    def follow(self) -> bool:
        """Compare with the wall clock, about once a second. Return whether the clock was set, forward or back."""
        elapsed = self._elapsed()
        lead, believed = self._wall() - elapsed, self.setting.lead
        if _same(lead, believed):
            self._doubted = believed
            return False
        if not _same(lead, self._doubted):
            self._doubted, self._doubted_since = lead, elapsed
        if elapsed - self._doubted_since < BELIEVED_AFTER and not _same(lead, self._earlier_lead):
            return False
        self.setting, self._earlier_lead = ClockSetting(self.setting.boot, lead), believed
        logger.warning("the system's clock was set by %+.1f seconds", lead - believed)
        return True


def _same(one: float, other: float) -> bool:
    return abs(one - other) < TOLERANCE
