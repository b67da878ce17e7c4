"""Heads that differ in the values of open fields have one form, and are parsed as if they had none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.origin.head_cache import FREQUENT
from addon.origin.options import OriginOptions
from addon.origin.response_head import parse_head
from addon.origin.response_reader import ResponseReader
from tests.fixtures.strategies import unhurried

HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: %b\r\nX-Form: one\r\nETag: %b\r\nLast-Modified: %b\r\nContent-Length: %b\r\n"
    b"Connection: close\r\n\r\n"
)
DATE, LATER = b"Mon, 23 Nov 2026 12:00:00 GMT", b"Mon, 23 Nov 2026 12:00:01 GMT"


def reader_of(head: bytes) -> ResponseReader:
    reader = ResponseReader("GET", "a.example", OriginOptions())
    reader.feed(head)
    return reader


def form_of(head: bytes) -> object:
    formed = reader_of(head).formed_head
    assert formed is not None
    return formed.form


@unhurried
@given(
    st.sampled_from([DATE, LATER]),
    st.from_regex(rb'(W/)?"[!#-~]{0,20}"', fullmatch=True),
    st.sampled_from([DATE, LATER]),
    st.integers(0, 999_999_999),
)
def test_a_head_of_a_known_form_is_parsed_as_any_other(date: bytes, tag: bytes, modified: bytes, length: int) -> None:
    reader_of(HEAD % (DATE, b'"first"', DATE, b"3"))
    head = HEAD % (date, tag, modified, str(length).encode())
    formed = reader_of(head).formed_head
    assert formed is not None
    assert formed.parsed == parse_head(head, OriginOptions())
    assert [value.encode() for value in formed.open_values] == [date, tag, modified, str(length).encode()]
    assert formed.form is form_of(HEAD % (DATE, b'"first"', DATE, b"3"))


@pytest.mark.parametrize(
    "other",
    [
        HEAD % (b"yesterday", b'"a"', DATE, b"3"),
        HEAD % (DATE, b"a", DATE, b"3"),
        HEAD % (DATE, b'"a" ', DATE, b"3"),
        HEAD % (DATE, b'"a"', b"0", b"3"),
        HEAD % (DATE, b'"a"', DATE, b"03"),
        (HEAD % (DATE, b'"a"', DATE, b"3")).replace(b"ETag", b"Etag"),
        (HEAD % (DATE, b'"a"', DATE, b"3")).replace(b"one", b"two"),
        (HEAD % (DATE, b'"a"', DATE, b"3")).replace(b"close", b"keep-alive"),
        (HEAD % (DATE, b'"a"', DATE, b"3")).replace(b"200 OK", b"404 No"),
    ],
)
@pytest.mark.parametrize("times", [1, 2 * FREQUENT], ids=["once", "often"])
def test_a_head_that_differs_otherwise_has_another_form(other: bytes, times: int) -> None:
    usual = HEAD % (DATE, b'"a"', DATE, b"3")
    for number in range(times):
        reader_of(HEAD % (DATE, b'"%d"' % number, DATE, b"3"))
    assert form_of(other) is not form_of(usual)
    formed = reader_of(other).formed_head
    assert formed is not None
    assert formed.parsed == parse_head(other, OriginOptions())


def test_the_length_of_a_known_form_ends_the_body() -> None:
    reader_of(HEAD % (DATE, b'"a"', DATE, b"3") + b"abc")
    reader = reader_of(HEAD % (LATER, b'"b"', DATE, b"5") + b"abc")
    assert not reader.complete
    reader.feed(b"de")
    assert (reader.complete, reader.whole()) == (True, b"abcde")


def test_a_head_that_contradicts_its_length_is_refused_whatever_form_is_known() -> None:
    usual = HEAD % (DATE, b'"a"', DATE, b"3")
    reader_of(usual)
    reader = reader_of(usual.replace(b"Connection", b"Content-Length: 4\r\nConnection"))
    assert reader.failure is not None
