"""Range and If-Range: the parts of a stored response that a request selects (RFC 9110 §14, §13.1.5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import DATE, SAME_SECOND, SECOND_BEFORE, request


def stored(*fields: tuple[str, str], length: int = 1000, status: int = 200) -> StoredResponse:
    """Return a stored response with a Date."""
    return examples.stored(DATE, *fields, status=status, length=length)


def parts(value: str, length: int = 1000) -> object:
    """Return the parts that a Range selects, as (start, stop), or what `requested_parts` returns instead."""
    found = requested_parts(request(("Range", value)), stored(length=length))
    return [(part.start, part.stop) for part in found] if isinstance(found, tuple) else found


@pytest.mark.row("RANGE-01", "RANGE-06", "RANGE-07", "RANGE-08")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=990-", [(990, 1000)]),
        ("bytes=990-2000", [(990, 1000)]),
        ("bytes=-1", [(999, 1000)]),
        ("bytes=-2000", [(0, 1000)]),
        ("BYTES= 1-2 , ,", [(1, 3)]),
        ("bytes=999-" + "9" * 18, [(999, 1000)]),
        ("bytes=999-" + "9" * 30, [(999, 1000)]),
        ("bytes=1000-, 1-1", [(1, 2)]),
        ("bytes=1000-", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=" + "9" * 30 + "-", Unsatisfiable()),
        ("bytes=2-1", None),
        ("bytes=1-2, x", None),
        ("bytes=", None),
        ("bytes", None),
        ("pages=1-2", None),
        # parts with less than 80 bytes between them are merged
        ("bytes=0-9,89-99", [(0, 100)]),
        ("bytes=0-9,90-99", [(0, 10), (90, 100)]),
        ("bytes=89-99,0-9", [(0, 100)]),
        ("bytes=90-99,0-9", [(90, 100), (0, 10)]),
        ("bytes=0-9,500-509,89-99", [(0, 100), (500, 510)]),
        # two overlaps are accepted, three are not; parts that only touch do not overlap
        ("bytes=0-9,5-14,10-19", [(0, 20)]),
        ("bytes=0-9,5-14,10-19,15-24", None),
        ("bytes=0-9,10-19,20-29,30-39", [(0, 40)]),
        ("bytes=30-39,20-29,10-19,0-9", [(0, 40)]),
        ("bytes=" + ",".join(f"{at}-{at}" for at in range(16)), [(0, 16)]),
        ("bytes=" + ",".join(f"{at}-{at}" for at in range(17)), None),
        ("bytes=0-499,500-999", [(0, 1000)]),
        ("bytes=0-500,500-999", None),
    ],
)
def test_a_range_selects_parts(value: str, expected: object) -> None:
    assert parts(value) == expected


@pytest.mark.row("RANGE-06")
def test_a_range_of_empty_content_is_unsatisfiable_unless_it_is_a_suffix() -> None:
    assert parts("bytes=-5", length=0) is None
    assert parts("bytes=-0", length=0) == Unsatisfiable()
    assert parts("bytes=0-", length=0) == Unsatisfiable()
    assert parts("bytes=0-, -5", length=0) is None


@pytest.mark.row("RANGE-05")
def test_range_is_ignored_except_for_get_and_200() -> None:
    range_request = request(("Range", "bytes=0-1"))
    assert requested_parts(range_request, stored()) == (Part(0, 2),)
    assert requested_parts(replace(range_request, method="HEAD"), stored()) is None
    assert requested_parts(range_request, stored(status=203)) is None
    assert requested_parts(request(), stored()) is None


@pytest.mark.row("RANGE-04")
@pytest.mark.parametrize(
    ("validator", "fields", "matches"),
    [
        ('"1"', [("ETag", '"1"')], True),
        ('"1"', [("ETag", '"2"')], False),
        ('W/"1"', [("ETag", 'W/"1"')], False),
        ('"1"', [], False),
        (SECOND_BEFORE[1], [SECOND_BEFORE], True),
        (SECOND_BEFORE[1], [SECOND_BEFORE, ("ETag", '"1"')], True),
        (SAME_SECOND[1], [SAME_SECOND], False),
        ("Monday, 23-Nov-26 11:59:59 GMT", [SECOND_BEFORE], False),
        ("", [], False),
    ],
)
def test_range_is_ignored_if_if_range_does_not_match(
    validator: str, fields: list[tuple[str, str]], matches: bool
) -> None:
    range_request = request(("Range", "bytes=0-1"), ("If-Range", validator))
    assert (requested_parts(range_request, stored(*fields)) is not None) is matches
