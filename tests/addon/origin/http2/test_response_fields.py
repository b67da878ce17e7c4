"""Heads over HTTP/2: a head like an earlier one is read as if it were the first, and none is taken for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.origin.http2 import response_fields
from addon.origin.http2.response_fields import response_head, size_of
from addon.origin.response_head import MalformedResponse, ResponseHead

type Line = tuple[bytes, bytes]

STATUS = (b":status", b"200")
DATE = b"Mon, 23 Nov 2026 12:00:0%d GMT"
_VALUES = st.sampled_from(
    [
        b"2",
        b"02",
        b"3",
        b'"1"',
        b'W/"2"',
        DATE % 1,
        DATE % 2,
        b" padded\t",
        b"a: b",
        b"",
        b"\xff",
        b"x\r\nvia: y",
        b"\0",
    ]
)
_NAMES = st.sampled_from(
    [b"date", b"etag", b"content-length", b"expires", b"x", b"x: y", b"Date", b"connection", b":status", b"", b"via"]
)
_LINES = st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(tuple)


def read(*lines: Line, lenient: bool = False) -> ResponseHead:
    return response_head((STATUS, *lines), 100, 1000, lenient=lenient)[0]


def read_alone(lines: tuple[Line, ...], *, lenient: bool) -> ResponseHead | str:
    """Return the head, or what is wrong with it, with nothing remembered."""
    try:
        return response_fields._parsed((STATUS, *lines), 100, 1000, lenient=lenient)
    except MalformedResponse as mistake:
        return str(mistake)


@given(st.lists(st.tuples(_LINES, st.booleans()), max_size=6))
def test_a_head_is_read_alike_whatever_came_before(heads: list[tuple[tuple[Line, ...], bool]]) -> None:
    for lines, lenient in heads:
        try:
            found: ResponseHead | str = read(*lines, lenient=lenient)
        except MalformedResponse as mistake:
            found = str(mistake)
        assert found == read_alone(lines, lenient=lenient)


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (((b"x", b"y: z"),), ((b"x: y", b"z"),)),
        (((b"x", b"1"), (b"via", b"2")), ((b"x", b"1\r\nvia: 2"),)),
    ],
    ids=["a colon in the name", "two lines in one"],
)
def test_a_malformed_head_with_the_text_of_a_known_one_is_refused(
    known: tuple[Line, ...], other: tuple[Line, ...]
) -> None:
    read(*known)
    with pytest.raises(MalformedResponse, match="malformed field line"):
        read(*other)


def test_heads_that_differ_in_open_values_have_one_form() -> None:
    lines = [((b"date", DATE % second), (b"x-form", b"one"), (b"content-length", b"%d" % second)) for second in (1, 2)]
    forms = [response_head((STATUS, *each), 100, 1000, lenient=False)[1] for each in lines]
    assert forms[0] is not None
    assert forms[1] is not None
    assert forms[0].form is forms[1].form
    assert forms[1].parsed.length == 2
    assert forms[1].open_values == ((DATE % 2).decode(), "2")


def test_limits_hold_for_a_known_head() -> None:
    lines = (STATUS, (b"x-long", b"a" * 50))
    response_head(lines, 100, 1000, lenient=False)
    for max_fields, max_line in ((0, 1000), (100, 50)):
        with pytest.raises(MalformedResponse):
            response_head(lines, max_fields, max_line, lenient=False)


def test_large_and_lenient_heads_have_no_form() -> None:
    large = (STATUS, (b"x-large", b"a" * response_fields.MAX_CACHED_HEAD))
    assert response_head(large, 100, 10_000, lenient=False)[1] is None
    twice = (STATUS, (b"content-length", b"2"), (b"content-length", b"2"))
    head, form = response_head(twice, 100, 1000, lenient=True)
    assert (head.length, head.read_leniently, form) == (2, True, None)


def test_the_size_is_that_of_the_lines_over_http1() -> None:
    assert size_of([(b"a", b"bc"), (b"d", b"")]) == len("a: bc\r\nd: \r\n")
