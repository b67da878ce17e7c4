"""The HPACK decoder: it decodes what the library encodes, and hostile blocks cost it little."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hpack import Decoder, Encoder, HPACKError, OversizedHeaderListError
from hypothesis import given
from hypothesis import strategies as st

from addon.origin.http2.hpack_decoder import MAX_SIZE_UPDATES, HpackDecoder

NAMES = st.sampled_from([b":method", b":path", b"accept", b"x-a", b"x-b", b""])
HEADS = st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=20)


@given(st.lists(st.tuples(HEADS, st.booleans(), st.sampled_from([None, 0, 100, 4096])), max_size=10))
def test_what_the_library_encodes_is_decoded(blocks: list[tuple[list[tuple[bytes, bytes]], bool, int | None]]) -> None:
    encoder, decoder = Encoder(), HpackDecoder(2**20)
    for head, huffman, table_size in blocks:
        if table_size is not None:
            encoder.header_table_size = table_size
        assert decoder.decode(encoder.encode(head, huffman=huffman)) == head


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_decoded_as_the_library_decodes_them(blocks: list[bytes]) -> None:
    ours, theirs = HpackDecoder(2**20), Decoder(2**20)
    for block in blocks:
        try:
            found = ours.decode(block)
        except HPACKError:
            break  # the connection ends; the library accepts more changes of the size, and longer integers
        assert found == [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x20" * (MAX_SIZE_UPDATES + 1), id="the size of the table is changed without end"),
        pytest.param(b"\x3f\xe2\x1f", id="a table larger than allowed"),
        pytest.param(b"\x82\x20", id="a change of size after a field"),
        pytest.param(b"\x80", id="a reference to nothing"),
        pytest.param(b"\xff\x00", id="a reference behind the table"),
        pytest.param(b"\x7f\x80\x80\x80\x80\x80\x80\x80\x01", id="an integer without end"),
        pytest.param(b"\x40\x0aab", id="a name that ends early"),
        pytest.param(b"\x40", id="a field that ends early"),
        pytest.param(b"\x00\x01a\x81\x00", id="padding of zeros"),
        pytest.param(b"\x00\x01a\x84\xff\xff\xff\xff", id="the end of a string in the Huffman code"),
    ],
)
def test_a_block_that_is_not_hpack_is_refused(block: bytes) -> None:
    with pytest.raises(HPACKError):
        HpackDecoder(65_536).decode(block)


@pytest.mark.parametrize("block", [b"\x82" * 2000, b"\x00\x00\x00" * 2100], ids=["references", "empty fields"])
def test_fields_count_more_than_their_bytes(block: bytes) -> None:
    with pytest.raises(OversizedHeaderListError):
        HpackDecoder(65_536).decode(block)


@pytest.mark.parametrize("block", [b"\x00\x01a\x01b" * 100, b"\x82" * 2000], ids=["usual", "too large"])
def test_no_block_is_kept_after_it_was_decoded(block: bytes) -> None:
    decoder = HpackDecoder(65_536)
    with suppress(OversizedHeaderListError):
        decoder.decode(block)
    assert block not in vars(decoder).values()


def test_a_change_of_the_table_is_told() -> None:
    decoder = HpackDecoder(65_536)
    told = []
    for block in (b"\x82", b"\x40\x01a\x01b", b"\xbe", b"\x20", b"\x20"):
        decoder.decode(block)
        told.append(decoder.table_changed)
    assert told == [False, True, False, True, False]


def test_a_field_that_the_table_cannot_hold_changes_it_only_if_it_holds_others() -> None:
    """nginx has a table of no size, and sends fields as if they were to be kept in it."""
    decoder = HpackDecoder(65_536)
    field, larger = b"\x40\x01a\x01b", b"\x40\x01a\x64" + b"b" * 100
    decoder.decode(b"\x3f\x15")  # a table of 52 bytes
    for block, changed in ((larger, False), (field, True), (larger, True), (larger, False)):
        decoder.decode(block)
        assert decoder.table_changed is changed


def test_a_field_whose_name_is_in_the_table_is_not_taken_for_one_of_another_connection() -> None:
    for name in (b"a", b"b"):
        decoder = HpackDecoder(65_536)
        decoder.decode(b"\x40\x01" + name + b"\x01v")
        assert decoder.decode(b"\x7e\x01w") == [(name, b"w")]


def test_equal_literals_are_decoded_alike_with_names_and_values_of_any_length() -> None:
    for length in (0, 1, 126, 127, 128, 300):
        field = (b"n" * length, b"v" * length)
        block = Encoder().encode([field], huffman=False)
        for _ in range(2):
            assert HpackDecoder(65_536).decode(block) == [field]
        with pytest.raises(HPACKError):
            HpackDecoder(65_536).decode(block[:-1])
