"""Classes of Accept-Encoding (RFC 9110 §12.5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cache.http.messages import Fields
from cache.rules.accept_encoding import CLASS_CODINGS, IDENTITY, acceptance, accepts, coding_class, with_class

CODINGS = (*CLASS_CODINGS, IDENTITY)
members = some.tuples(
    some.sampled_from(["br", "zstd", "gzip", "x-gzip", "GZip", "deflate", "dcb", "identity", "*", "", "a b"]),
    some.sampled_from(["", ";q=1", ";q=0", "; Q=0.000", ";q=0.5", ";q=2", ";q", ";q =0", ';q="1"', ";level=9", " q=0"]),
)
written = some.lists(members.map("".join), max_size=6).map(", ".join) | some.text(some.characters(max_codepoint=255))


@pytest.mark.row("KEY-25")
@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip, deflate, br, zstd", "br, zstd, gzip"),  # Chrome and Firefox
        ("gzip, deflate, br", "br, gzip"),
        ("gzip, deflate", "gzip"),
        ("GZIP;q=0.001", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate, dcb", "identity"),
        ("", "identity"),
        (None, "identity"),
        ("*", "br, zstd, gzip"),
        ("*;q=0.1, gzip;q=0", "br, zstd"),
        ("br;q=1.0, *;q=0", "br, identity;q=0"),
        ("identity;q=0, gzip", "gzip, identity;q=0"),
        ("identity, *;q=0", "identity"),
        ("*;q=0", "identity;q=0"),
        ("gzip;q=0, br;q=0.0", "identity"),
        ("gzip;q=", "identity"),
        ("gzip;q=1.0000", "identity"),
        ("gzip ; q = 0.5, br", "br"),
        ("gzip q=1, br", "br"),
        ("gzip, gzip;q=0", "identity"),
        ("gzip;q=0, x-gzip", "identity"),
        (",, gzip ,", "gzip"),
        ('"gzip"', "identity"),
    ],
)
def test_class_of_an_accept_encoding(accept_encoding: str | None, expected: str) -> None:
    assert coding_class(accept_encoding) == expected


@given(written)
def test_a_class_accepts_just_what_its_member_accepts(accept_encoding: str) -> None:
    member, whole = acceptance(accept_encoding), acceptance(coding_class(accept_encoding))
    assert {each: accepts(member, each) for each in CODINGS} == {each: accepts(whole, each) for each in CODINGS}


@given(written)
def test_a_class_is_its_own_class(accept_encoding: str) -> None:
    assert coding_class(coding_class(accept_encoding)) == coding_class(accept_encoding)


@given(some.lists(written, max_size=20))
def test_there_are_16_classes(values: list[str]) -> None:
    classes = {
        ", ".join([coding for number, coding in enumerate(CLASS_CODINGS) if chosen >> number & 1] + refused) or IDENTITY
        for chosen in range(8)
        for refused in ([], [f"{IDENTITY};q=0"])
    }
    assert len(classes) == 16
    assert set(map(coding_class, values)) <= classes


def test_the_class_takes_the_place_of_the_field() -> None:
    fields = Fields((("accept-encoding", "deflate, gzip"), ("A", "b")))
    assert with_class(fields).lines == (("accept-encoding", "gzip"), ("A", "b"))


def test_several_lines_become_one() -> None:
    fields = Fields((("Accept-Encoding", "gzip"), ("A", "b"), ("Accept-Encoding", "gzip;q=0, br")))
    assert with_class(fields).lines == (("A", "b"), ("Accept-Encoding", "br"))


def test_a_request_without_the_field_accepts_no_coding() -> None:
    assert with_class(Fields()).lines == (("Accept-Encoding", "identity"),)


def test_fields_with_their_class_are_not_changed() -> None:
    fields = Fields((("Accept-Encoding", "br, zstd, gzip"),))
    assert with_class(fields) == fields
