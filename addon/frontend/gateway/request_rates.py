"""Limits on the number of requests that one client may send to a site, shared by all processes of the proxy.

For each client and limit, one time is kept: when it will have used up nothing of its allowance. Each request moves this
time on by one interval, and no request may move it further ahead than the burst allows. That is the generic cell rate
algorithm (ITU-T I.371), which is the same as a token bucket.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable
from functools import lru_cache

from addon.frontend.connection_limits import network_of
from cache.policy.site_rules import Rate

SLOTS = 65_536
"""Clients that are counted at a time. When there are more, those that have sent least lately are forgotten."""

_PLACES = 8
"""Slots in which one client may be counted."""

_ROUNDING = 1e-6
"""The part of an interval that may be missing, since sums of fractions are not exact."""

_NUMBER = 8
"""Bytes of one number."""


class RequestRates:
    """The times of all clients, in memory that forked processes share.

    Two processes may change a slot at the same time. Then one request is not counted, which does no harm.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, slots: int = SLOTS) -> None:
        """Count by `clock`, which returns seconds and is the same in all processes."""
        self._clock = clock
        self._slots = slots
        numbers = memoryview(mmap.mmap(-1, 2 * slots * _NUMBER))
        self._times = numbers[: slots * _NUMBER].cast("d")
        self._tags = numbers[slots * _NUMBER :].cast("q")
        """A hash of the client that a slot counts: enough to tell clients apart."""

    def wait(self, rate: Rate, address: str, *, count: bool = True) -> float:
        """Count a request from an address, and return 0; or return in how many seconds it would be allowed.

        Without `count`, the same is returned, but the request is not counted.
        An IPv6 address stands for its whole network, since each client chooses among those addresses itself.
        """
        now = self._clock()
        slot = self._slot(_tag(rate.name, address), now)
        ahead = max(self._times[slot] - now, 0.0)
        wait = ahead - rate.burst * rate.interval
        if wait > rate.interval * _ROUNDING:
            return wait
        if count:
            self._times[slot] = now + ahead + rate.interval
        return 0.0

    def _slot(self, tag: int, now: float) -> int:
        """Return the slot that counts for a tag: its own, or one whose client has used up nothing, or the least."""
        times, tags, first = self._times, self._tags, tag % self._slots
        places = [(first + step) % self._slots for step in range(_PLACES)]
        for place in places:
            if tags[place] == tag:
                return place
        least = min(places, key=times.__getitem__)
        tags[least], times[least] = tag, now
        return least


@lru_cache(maxsize=4096)
def _tag(name: str, address: str) -> int:
    # equal in all processes, since they are forked; unknown to clients, since Python draws its key at random
    return hash((name, network_of(address) or address)) or 1
