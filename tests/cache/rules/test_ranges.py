"""What a Range asks, by its octets (RFC 9110 §14), and which validators hold (RFC 9110 §13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Request, Response
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

NOW = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT."""

DATE = ("Date", "Mon, 23 Nov 2026 12:00:00 GMT")
SECOND_BEFORE = ("Last-Modified", "Mon, 23 Nov 2026 11:59:59 GMT")
SAME_SECOND = ("Last-Modified", "Mon, 23 Nov 2026 12:00:00 GMT")


def stored(*lines: tuple[str, str], length: int = 1000, status: int = 200) -> StoredResponse:
    head = Response(status, "", Fields((DATE, *lines)))
    return StoredResponse("0" * 32, "", "GET", "", head, NOW, NOW, NOW, length=length)


def asked(*lines: tuple[str, str], method: str = "GET") -> Request:
    return Request(method, "http", "a.example", 80, "/", Fields(lines))


def parts(value: str, length: int = 1000) -> object:
    found = requested_parts(asked(("Range", value)), stored(length=length))
    return [(part.start, part.stop) for part in found] if isinstance(found, tuple) else found


@pytest.mark.row("RANGE-01", "RANGE-06", "RANGE-07", "RANGE-08")
@pytest.mark.parametrize(
    ("value", "found"),
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
        # what lies less than 80 octets apart is one
        ("bytes=0-9,89-99", [(0, 100)]),
        ("bytes=0-9,90-99", [(0, 10), (90, 100)]),
        ("bytes=89-99,0-9", [(0, 100)]),
        ("bytes=90-99,0-9", [(90, 100), (0, 10)]),
        ("bytes=0-9,500-509,89-99", [(0, 100), (500, 510)]),
        # two that overlap are forgiven, three are not; what only touches does not overlap
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
def test_which_octets_a_range_means(value: str, found: object) -> None:
    assert parts(value) == found


@pytest.mark.row("RANGE-06")
def test_of_an_empty_content_only_a_suffix_can_be_had() -> None:
    assert parts("bytes=-5", length=0) is None
    assert parts("bytes=-0", length=0) == Unsatisfiable()
    assert parts("bytes=0-", length=0) == Unsatisfiable()
    assert parts("bytes=0-, -5", length=0) is None


@pytest.mark.row("RANGE-05")
def test_a_range_counts_for_get_and_a_200() -> None:
    request = asked(("Range", "bytes=0-1"))
    assert requested_parts(request, stored()) == (Part(0, 2),)
    assert requested_parts(replace(request, method="HEAD"), stored()) is None
    assert requested_parts(request, stored(status=203)) is None
    assert requested_parts(asked(), stored()) is None


@pytest.mark.row("RANGE-04")
@pytest.mark.parametrize(
    ("validator", "lines", "holds"),
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
def test_if_range(validator: str, lines: list[tuple[str, str]], holds: bool) -> None:
    request = asked(("Range", "bytes=0-1"), ("If-Range", validator))
    assert (requested_parts(request, stored(*lines)) is not None) is holds


def test_a_date_is_strong_a_second_later() -> None:
    assert strong_date(stored(SECOND_BEFORE)) == SECOND_BEFORE[1]
    assert strong_date(stored(SAME_SECOND)) is None
    assert strong_date(stored()) is None


def part(first: int, stop: int, total: int = 10) -> StoredResponse:
    return replace(stored(("ETag", '"1"'), length=stop - first), first=first, complete_length=total)


@pytest.mark.row("RANGE-18")
@pytest.mark.parametrize(
    ("places", "missing"),
    [
        ([(0, 4)], (4, 10)),
        ([(6, 10)], (0, 6)),
        ([(2, 4), (6, 8)], (0, 10)),
        ([(0, 4), (6, 10)], (4, 6)),
        ([(0, 6), (2, 4), (6, 9)], (9, 10)),
        ([(0, 6), (4, 10)], None),
    ],
)
def test_what_is_missing_of_parts(places: list[tuple[int, int]], missing: tuple[int, int] | None) -> None:
    (whole,) = combined(part(first, stop) for first, stop in places)
    assert missing_range(whole) == missing


@pytest.mark.row("PARSE-15")
def test_one_entity_tag_or_none() -> None:
    assert entity_tag(Fields((("ETag", '"1"'),))) == '"1"'
    assert entity_tag(Fields((("ETag", '"1"'), ("ETag", '"1"')))) is None
    assert entity_tag(Fields((("ETag", ""),))) is None
    assert entity_tag(Fields()) is None


@pytest.mark.row("REVAL-20", "REVAL-21", "REVAL-23")
@pytest.mark.parametrize(
    ("listed", "tag", "named"),
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
def test_if_none_match(listed: str, tag: str | None, named: bool) -> None:
    assert matches_any_tag(listed, stored(*([("ETag", tag)] if tag else []))) is named


@pytest.mark.row("REVAL-24", "REVAL-28")
def test_if_modified_since() -> None:
    since = ("If-Modified-Since", SECOND_BEFORE[1])
    assert not_modified(asked(since), stored(SECOND_BEFORE))
    assert not not_modified(asked(since), stored(SAME_SECOND))
    assert not not_modified(asked(since, since), stored(SECOND_BEFORE))
    assert not not_modified(asked(), stored(SECOND_BEFORE))
    for status, answered in ((200, True), (299, True), (300, False), (199, False), (404, False)):
        assert not_modified(asked(since), stored(SECOND_BEFORE, status=status)) is answered


@pytest.mark.row("F304-02", "F304-04", "F304-05")
def test_which_copies_a_304_is_about() -> None:
    one, two = stored(("ETag", '"1"')), replace(stored(("ETag", 'W/"2"')), response_time=NOW + 1)
    twin = replace(one, response_time=NOW + 2)
    sent, alone = asked(("If-None-Match", '"1", W/"2"')), asked(("If-None-Match", '"1"'))

    def said(*lines: tuple[str, str]) -> Response:
        return Response(304, "", Fields(lines))

    assert confirmed_entries([one, two, twin], sent, said(("ETag", '"1"'))) == (twin, one)
    assert confirmed_entries([one, two], sent, said(("ETag", '"2"'))) == ()
    assert confirmed_entries([one, two, twin], sent, said(("ETag", 'W/"1"'))) == (twin,)
    assert confirmed_entries([stored()], alone, said(("ETag", 'W/"1"'))) == ()
    assert confirmed_entries([one, two], sent, said()) == ()
    assert confirmed_entries([one], sent, said()) == ()
    assert confirmed_entries([one], alone, said()) == (one,)
    assert confirmed_entries([stored(SECOND_BEFORE)], asked(), said()) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], asked(), said(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], asked(), said(SAME_SECOND)) == ()


@pytest.mark.row("HEAD-04")
@pytest.mark.parametrize(
    ("lines", "same"),
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
def test_what_an_answer_to_head_describes(lines: list[tuple[str, str]], same: bool) -> None:
    assert same_representation(stored(("ETag", '"1"'), SECOND_BEFORE), Response(200, "", Fields(tuple(lines)))) is same


@pytest.mark.row("REVAL-02", "REVAL-07", "REVAL-09")
def test_what_a_validation_carries() -> None:
    one, two = stored(("ETag", '"1"'), SECOND_BEFORE), stored(("ETag", '"2"'), SAME_SECOND)
    range_asked = ("Range", "bytes=0-1")
    sent = conditional(asked(range_asked, ("If-None-Match", 'W/"9", "1"')), [one]).fields
    assert dict(sent) == {"If-None-Match": '"1", W/"9"', "If-Modified-Since": SECOND_BEFORE[1]}
    assert dict(conditional(asked(), [one, two]).fields) == {"If-None-Match": '"1", "2"'}
    assert dict(conditional(asked(), [one, one]).fields) == {"If-None-Match": '"1"'}
    assert dict(conditional(asked(("If-None-Match", "*")), [one]).fields)["If-None-Match"] == '"1"'
    assert dict(conditional(asked(), [stored(SECOND_BEFORE)]).fields) == {"If-Modified-Since": SECOND_BEFORE[1]}
    assert conditional(asked(range_asked), []).fields == asked(range_asked).fields
    many = ", ".join(f'"{number}"' for number in range(100, 130))
    listed = str(conditional(asked(("If-None-Match", many)), [one]).fields.get("if-none-match")).split(", ")
    assert listed == ['"1"', *(f'"{number}"' for number in range(100, 115))]


@pytest.mark.row("REVAL-09", "SEC-12")
def test_the_latest_eight_variants_are_asked_about() -> None:
    variants = [replace(stored(("ETag", f'"{number}"')), response_time=NOW + number) for number in range(12)]
    assert [
        entity_tag(entry.head.fields) for entry in entries_to_validate([*variants, stored(SECOND_BEFORE)], None)
    ] == [f'"{number}"' for number in range(11, 3, -1)]
    assert entries_to_validate(variants, stored()) == ()
    assert entries_to_validate(variants, stored(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
