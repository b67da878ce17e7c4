"""A setting of the wall clock, relative to a clock that nobody can set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """A setting of the wall clock. It is noted with stored times, so that these stay right when the clock is set."""

    boot: int = 0
    """The name of the unsettable clock: settings can be compared only if they have the same. 0: not known."""
    lead: float = 0.0
    """Seconds that the wall clock is ahead of the unsettable clock."""

    def set_back_since(self, earlier: ClockSetting) -> float:
        """Return the seconds that the wall clock was set back since it was set as `earlier`; 0 if that is not known.

        A clock that was set forward counts as one that was not set: perhaps the machine was paused, and this time has
        really passed.
        """
        return max(0.0, earlier.lead - self.lead) if earlier.boot == self.boot else 0.0


UNKNOWN_SETTING = ClockSetting()
