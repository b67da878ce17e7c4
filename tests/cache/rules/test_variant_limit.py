"""The limit of variants under one key.

See docs/decisions.md, "Beyond 32 variants, a URL gets one new copy a second".
"""

from __future__ import annotations

from dataclasses import replace

from cache.rules.variant_limit import MAX_VARIANTS, REPLACEMENT_INTERVAL, has_no_room
from tests.fixtures.stored_entries import new_entry

NOW = 1_800_000_000.0


def test_below_the_limit_there_is_always_room() -> None:
    entries = [replace(new_entry(), stored_at=NOW) for _ in range(MAX_VARIANTS - 1)]
    assert not has_no_room(entries, NOW)
    assert not has_no_room([], NOW)


def test_at_the_limit_there_is_room_for_one_more_after_the_interval() -> None:
    entries = [replace(new_entry(), stored_at=NOW - number) for number in range(MAX_VARIANTS)]
    assert has_no_room(entries, NOW)
    assert has_no_room(entries, NOW + REPLACEMENT_INTERVAL / 2)
    assert not has_no_room(entries, NOW + REPLACEMENT_INTERVAL)


def test_a_clock_that_was_set_back_does_not_close_the_limit() -> None:
    entries = [replace(new_entry(), stored_at=NOW + 3600) for _ in range(MAX_VARIANTS)]
    assert not has_no_room(entries, NOW)
