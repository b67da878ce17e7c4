"""Whole copies: what a row says of a copy is taken only if it is safe to send, and means the same as in memory."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from math import inf, nan

import pytest

from cache.http.messages import Fields, Response
from cache.policy.clock_setting import ClockSetting
from cache.rules.stored_response import StoredResponse
from cache.stores.codec import Record, encode, read_record
from cache.stores.whole_copy import Lines, WholeCopy, copy_in_row, copy_of
from tests.fixtures.stored_entries import new_entry

BODY = b"body"


def entry_with(*lines: tuple[str, str]) -> StoredResponse:
    """Return a stored response with these field lines, whose body is `BODY`."""
    entry = replace(new_entry(), head=Response(200, "OK", Fields(lines)))
    return replace(entry, method="GET", target=entry.key, length=len(BODY), sha256=sha256(BODY).hexdigest())


ENTRY = entry_with(("ETag", '"1"'), ("Content-Length", "4"), ("X-Own", "a"), ("date", "never"))


def from_row(record: Record[Lines], body: bytes = BODY) -> WholeCopy | None:
    return copy_in_row(record, encode(ENTRY), body)


def record_with(**attributes: object) -> Record[Lines]:
    """Return a record with attributes that were changed on the disk."""
    record = read_record(encode(ENTRY))
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    return Record(**{**values, **attributes})


def test_a_copy_from_a_row_is_that_of_memory() -> None:
    in_memory, in_row = copy_of(ENTRY, BODY), from_row(read_record(encode(ENTRY)))
    assert in_memory
    assert in_row
    assert replace(in_row, source=ENTRY) == in_memory
    assert in_row.entry() == in_memory.entry() == ENTRY
    assert in_memory.values == ('"1"', "4", "never")
    assert in_memory.form[0] == ("ETag", "Content-Length", ("X-Own", "a"), "date")


def test_a_content_length_other_than_that_of_the_body_is_part_of_the_form() -> None:
    copy = copy_of(entry_with(("Content-Length", "5")), BODY)
    assert copy
    assert copy.form[0] == (("Content-Length", "5"),)


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: a=1", "a\n", "a\r", "\0", "\t", "\xe9", "\u0100"])
def test_an_open_value_that_is_not_plain_text_is_left_to_the_codec(text: str) -> None:
    assert from_row(record_with(fields=(("ETag", text),))) is None


@pytest.mark.parametrize("name", ["request_time", "response_time", "lead"])
@pytest.mark.parametrize("seconds", [nan, inf, -inf, 1e13])
def test_a_time_out_of_range_is_left_to_the_codec(name: str, seconds: float) -> None:
    changed = {"clock": (0, seconds)} if name == "lead" else {name: seconds}
    assert from_row(record_with(**changed)) is None


@pytest.mark.parametrize("body", [b"", b"Body", b"body "])
def test_another_body_is_refused(body: bytes) -> None:
    assert from_row(read_record(encode(ENTRY)), body) is None


@pytest.mark.parametrize(
    "change", [{"method": "HEAD"}, {"invalid": True}, {"scrubbed": True}, {"first": 1}, {"complete_length": 9}]
)
def test_parts_and_copies_that_need_more_than_their_form_are_no_whole_copies(change: dict[str, object]) -> None:
    entry = replace(ENTRY, **change)  # type: ignore[arg-type] # of the types of these attributes
    assert copy_of(entry, BODY) is None
    assert from_row(read_record(encode(entry))) is None


def test_the_clock_and_the_time_that_the_origin_took_are_kept() -> None:
    entry = replace(ENTRY, request_time=10.0, response_time=10.25, clock=ClockSetting(7, 8.5))
    copy = from_row(read_record(encode(entry)))
    assert copy
    assert (copy.clock, copy.milliseconds) == (ClockSetting(7, 8.5), 250)
