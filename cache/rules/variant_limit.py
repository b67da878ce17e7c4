"""The limit of variants under one key, and when a new one may take the place of another (RFC 9110 §17.5)."""

from __future__ import annotations

from collections.abc import Sequence

from cache.rules.stored_response import StoredResponse

MAX_VARIANTS = 32
"""Stored responses under one primary key at a time. Beyond that, a new one replaces the least recently used one."""

REPLACEMENT_INTERVAL = 1.0
"""Seconds between two such replacements. Meanwhile, responses of further variants are passed on and not stored."""


def has_no_room(candidates: Sequence[StoredResponse], now: float) -> bool:
    """Return whether no further variant is stored at `now`, in seconds since the epoch.

    Storing every one would gain nothing: when clients ask for more variants in turn than there is room for, each would
    be replaced before it is asked for again.

    Args:
        candidates: All stored responses under the key.
        now: The time, in seconds since the epoch.
    """
    if len(candidates) < MAX_VARIANTS:
        return False
    # the clock may have been set back since the last one was stored
    return 0 <= now - max(entry.stored_at for entry in candidates) < REPLACEMENT_INTERVAL
