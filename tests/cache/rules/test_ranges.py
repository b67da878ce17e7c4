"""Range requests (RFC 9110 §14), stored parts, and validators (RFC 9110 §13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Response
from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.stored_parts import combined, missing_range, strong_date
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import (
    conditional,
    confirmed_entries,
    entity_tag,
    entries_to_validate,
    matches_any_tag,
    not_modified,
    same_representation,
)
from tests.cache import examples
from tests.cache.examples import NOW, NOW_DATE, request

DATE = ("Date", NOW_DATE)
SECOND_BEFORE = ("Last-Modified", "Mon, 23 Nov 2026 11:59:59 GMT")
SAME_SECOND = ("Last-Modified", NOW_DATE)


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


@pytest.mark.row("PARSE-15")
def test_a_response_has_one_entity_tag_or_none() -> None:
    assert entity_tag(Fields((("ETag", '"1"'),))) == '"1"'
    assert entity_tag(Fields((("ETag", '"1"'), ("ETag", '"1"')))) is None
    assert entity_tag(Fields((("ETag", ""),))) is None
    assert entity_tag(Fields()) is None


@pytest.mark.row("REVAL-20", "REVAL-21", "REVAL-23")
@pytest.mark.parametrize(
    ("value", "tag", "matches"),
    [
        ('"1"', '"1"', True),
        ('W/"1"', '"1"', True),
        ('"1"', 'W/"1"', True),
        ('"0", "1", "2"', '"1"', True),
        ("*", None, True),
        (" * ", '"1"', True),
        ('"1"', None, False),
        ('"2"', '"1"', False),
        ("1", '"1"', False),
        ("a b, c", "a b, c", True),
    ],
)
def test_if_none_match_is_compared_weakly(value: str, tag: str | None, matches: bool) -> None:
    assert matches_any_tag(value, stored(*([("ETag", tag)] if tag else []))) is matches


@pytest.mark.row("REVAL-24", "REVAL-28")
def test_if_modified_since_is_compared_with_last_modified() -> None:
    since = ("If-Modified-Since", SECOND_BEFORE[1])
    assert not_modified(request(since), stored(SECOND_BEFORE))
    assert not not_modified(request(since), stored(SAME_SECOND))
    assert not not_modified(request(since, since), stored(SECOND_BEFORE))
    assert not not_modified(request(), stored(SECOND_BEFORE))
    for status, unchanged in ((200, True), (299, True), (300, False), (199, False), (404, False)):
        assert not_modified(request(since), stored(SECOND_BEFORE, status=status)) is unchanged


@pytest.mark.row("F304-02", "F304-04", "F304-05")
def test_a_304_confirms_the_stored_responses_that_it_identifies() -> None:
    one, two = stored(("ETag", '"1"')), replace(stored(("ETag", 'W/"2"')), response_time=NOW + 1)
    twin = replace(one, response_time=NOW + 2)
    two_tags, one_tag = request(("If-None-Match", '"1", W/"2"')), request(("If-None-Match", '"1"'))

    def response(*fields: tuple[str, str]) -> Response:
        return Response(304, "", Fields(fields))

    assert confirmed_entries([one, two, twin], two_tags, response(("ETag", '"1"'))) == (twin, one)
    assert confirmed_entries([one, two], two_tags, response(("ETag", '"2"'))) == ()
    assert confirmed_entries([one, two, twin], two_tags, response(("ETag", 'W/"1"'))) == (twin,)
    assert confirmed_entries([stored()], one_tag, response(("ETag", 'W/"1"'))) == ()
    assert confirmed_entries([one, two], two_tags, response()) == ()
    assert confirmed_entries([one], two_tags, response()) == ()
    assert confirmed_entries([one], one_tag, response()) == (one,)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response()) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response(SAME_SECOND)) == ()


@pytest.mark.row("HEAD-04")
@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ([], True),
        ([("ETag", '"1"')], True),
        ([("ETag", '"2"')], False),
        ([SECOND_BEFORE], True),
        ([SAME_SECOND], False),
        ([("Content-Length", "1000")], True),
        ([("Content-Length", "999")], False),
    ],
)
def test_a_response_to_head_may_describe_the_stored_representation(fields: list[tuple[str, str]], same: bool) -> None:
    response = Response(200, "", Fields(tuple(fields)))
    assert same_representation(stored(("ETag", '"1"'), SECOND_BEFORE), response) is same


@pytest.mark.row("REVAL-02", "REVAL-07", "REVAL-09")
def test_a_conditional_request_has_the_validators_of_all_entries() -> None:
    one, two = stored(("ETag", '"1"'), SECOND_BEFORE), stored(("ETag", '"2"'), SAME_SECOND)
    range_field = ("Range", "bytes=0-1")
    sent = conditional(request(range_field, ("If-None-Match", 'W/"9", "1"')), [one]).fields
    assert dict(sent) == {"If-None-Match": '"1", W/"9"', "If-Modified-Since": SECOND_BEFORE[1]}
    assert dict(conditional(request(), [one, two]).fields) == {"If-None-Match": '"1", "2"'}
    assert dict(conditional(request(), [one, one]).fields) == {"If-None-Match": '"1"'}
    assert dict(conditional(request(("If-None-Match", "*")), [one]).fields)["If-None-Match"] == '"1"'
    assert dict(conditional(request(), [stored(SECOND_BEFORE)]).fields) == {"If-Modified-Since": SECOND_BEFORE[1]}
    assert conditional(request(range_field), []).fields == request(range_field).fields
    many = ", ".join(f'"{number}"' for number in range(100, 130))
    listed = str(conditional(request(("If-None-Match", many)), [one]).fields.get("if-none-match")).split(", ")
    assert listed == ['"1"', *(f'"{number}"' for number in range(100, 115))]


@pytest.mark.row("REVAL-09", "SEC-12")
def test_at_most_the_latest_eight_variants_are_validated() -> None:
    variants = [replace(stored(("ETag", f'"{number}"')), response_time=NOW + number) for number in range(12)]
    validated = entries_to_validate([*variants, stored(SECOND_BEFORE)], None)
    assert [entity_tag(entry.head.fields) for entry in validated] == [f'"{number}"' for number in range(11, 3, -1)]
    assert entries_to_validate(variants, stored()) == ()
    assert entries_to_validate(variants, stored(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
