"""Header blocks: what is remembered of decoded ones, and that encoded ones change no table."""

from __future__ import annotations

import re

import pytest
from hpack import Decoder, Encoder, HPACKError
from hypothesis import assume, given
from hypothesis import strategies as st

from addon.frontend.http2.header_block import (
    MAX_REMEMBERED,
    HeaderDecoder,
    OversizedHeaderList,
    response_block,
)
from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.header_block import encode
from cache.http.messages import Fields, Response

HEAD = [(b":method", b"GET"), (b":path", b"/a"), (b"user-agent", b"test")]


def decoder() -> HeaderDecoder[str]:
    return HeaderDecoder(65_536)


def test_a_block_that_refers_to_the_table_is_remembered_until_the_table_changes() -> None:
    blocks, encoder = decoder(), Encoder()
    first = encoder.encode(HEAD)
    assert list(blocks.decode(first)) == HEAD
    blocks.remember(first, "first")
    assert not blocks.known  # the same bytes would add to the table again

    second = encoder.encode(HEAD)
    assert list(blocks.decode(second)) == HEAD
    blocks.remember(second, "second")
    assert blocks.known == {second: "second"}

    blocks.decode(encoder.encode([(b"x", b"new")]))
    assert not blocks.known  # the same bytes would now refer to other entries


def test_a_change_of_the_table_size_is_a_change_of_the_table() -> None:
    blocks, encoder = decoder(), Encoder()
    blocks.decode(encoder.encode(HEAD))
    again = encoder.encode(HEAD)
    blocks.decode(again)
    blocks.remember(again, "again")
    encoder.header_table_size = 0
    blocks.decode(encoder.encode([]))
    assert not blocks.known


def test_few_blocks_are_remembered() -> None:
    blocks = decoder()
    for number in range(10 * MAX_REMEMBERED):
        block = b"\x00\x01a\x03%03d" % number
        blocks.decode(block)
        blocks.remember(block, "")
    assert 0 < len(blocks.known) <= MAX_REMEMBERED


def test_a_long_block_is_not_remembered() -> None:
    blocks = decoder()
    block = encode([("a", "b" * 5000)])
    blocks.decode(block)
    blocks.remember(block, "")
    assert not blocks.known


TOO_MANY_CHANGES = re.compile(rb"(?:[\x20-\x3e]|\x3f[\x80-\xff]*[\x00-\x7f]){3}", re.DOTALL)
"""A block that begins with more than two changes of the table's size (RFC 7541 §4.2)."""


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_decoded_or_refused(blocks: list[bytes]) -> None:
    assume(not any(map(TOO_MANY_CHANGES.match, blocks)))  # the reference accepts them
    tested, reference = decoder(), Decoder(65_536)
    for block in blocks:
        try:
            expected = reference.decode(block, raw=True)
        except (HPACKError, IndexError):
            with pytest.raises(ConnectionFault) as fault:
                tested.decode(block)
            assert fault.value.code == ErrorCode.COMPRESSION_ERROR
            return
        assert list(tested.decode(block)) == expected


def test_a_list_that_is_too_large_is_refused() -> None:
    with pytest.raises(OversizedHeaderList):
        HeaderDecoder(1000).decode(encode([("a", "b" * 1000)]))


NAMES = st.sampled_from(["Age", "content-type", "X-Own", "Set-Cookie", "date"])
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=300)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=10))
def test_encoded_fields_are_decoded_to_the_same_with_any_table(lines: list[tuple[str, str]]) -> None:
    expected = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines]
    client = Decoder()
    client.decode(Encoder().encode(HEAD))  # an entry that this side does not know
    for _ in range(2):
        assert client.decode(encode(lines), raw=True) == expected
    assert len(client.header_table.dynamic_entries) == 3 - 1


def test_fields_of_one_connection_are_not_sent() -> None:
    fields = Fields((("Connection", "close"), ("Keep-Alive", "5"), ("Transfer-Encoding", "chunked"), ("ETag", '"1"')))
    block = response_block(Response(203, "Non-Authoritative Information", fields))
    assert Decoder().decode(block, raw=True) == [(b":status", b"203"), (b"etag", b'"1"')]
