"""Sets the proxy's clock after the system's, and tells the policy in force about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from addon.pipeline.active_pipeline import ActivePipeline
from addon.runtime.clock import Clock
from cache.policy.cache_policy import CachePolicy

INTERVAL = 0.5
"""Seconds between two comparisons with the system's clock."""


class ClockFollower:
    """Compares the clock with the system's as long as the proxy runs.

    The clock is never set within a decision, so a time and the policy that belongs to it are read together.
    """

    def __init__(self, clock: Clock, active: ActivePipeline, forget_times: Callable[[], None]) -> None:
        """Follow with the policies of `active`. `forget_times` is called when times that were noted mean nothing."""
        self._forget_times = forget_times
        self._clock = clock
        self._active = active
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Compare now, and from time to time from now on."""
        self.follow()
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self.start)

    def follow(self) -> None:
        """Follow the system's clock if it was set. Hot responses of the old policy are not used any more."""
        if self._clock.follow():
            self._forget_times()
            self._active.set_policies(self.noted_in)

    def noted_in(self, policy: CachePolicy) -> CachePolicy:
        """Return a policy with the setting of the clock."""
        return replace(policy, freshness=replace(policy.freshness, clock=self._clock.setting))

    def close(self) -> None:
        """Compare no more."""
        if self._timer is not None:
            self._timer.cancel()
