"""Stored parts: how they are combined, and the validators that allow it (RFC 9111 §3.3, §3.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.rules.stored_parts import combined, missing_range, strong_date
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import DATE, SAME_SECOND, SECOND_BEFORE


def stored(*fields: tuple[str, str], length: int = 1000, status: int = 200) -> StoredResponse:
    """Return a stored response with a Date."""
    return examples.stored(DATE, *fields, status=status, length=length)


def test_last_modified_is_strong_if_it_is_a_second_before_date() -> None:
    assert strong_date(stored(SECOND_BEFORE)) == SECOND_BEFORE[1]
    assert strong_date(stored(SAME_SECOND)) is None
    assert strong_date(stored()) is None


def part(first: int, stop: int, total: int = 10) -> StoredResponse:
    return replace(stored(("ETag", '"1"'), length=stop - first), first=first, complete_length=total)


@pytest.mark.row("RANGE-18")
@pytest.mark.parametrize(
    ("ranges", "missing"),
    [
        ([(0, 4)], (4, 10)),
        ([(6, 10)], (0, 6)),
        ([(2, 4), (6, 8)], (0, 10)),
        ([(0, 4), (6, 10)], (4, 6)),
        ([(0, 6), (2, 4), (6, 9)], (9, 10)),
        ([(0, 6), (4, 10)], None),
    ],
)
def test_the_missing_range_covers_all_gaps(ranges: list[tuple[int, int]], missing: tuple[int, int] | None) -> None:
    (whole,) = combined(part(first, stop) for first, stop in ranges)
    assert missing_range(whole) == missing
