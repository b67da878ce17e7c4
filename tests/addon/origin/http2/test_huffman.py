"""The Huffman code of HPACK, decoded as the library decodes it."""

from __future__ import annotations

import pytest
from hpack import HPACKDecodingError
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman as library_decode
from hypothesis import example, given
from hypothesis import strategies as st

from addon.origin.http2.huffman import decode_huffman


@given(st.binary(max_size=200))
@example(bytes(range(256)))
def test_encoded_text_is_decoded(text: bytes) -> None:
    assert decode_huffman(HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)) == text


@given(st.binary(max_size=30))
def test_any_bytes_are_decoded_or_refused_as_by_the_library(data: bytes) -> None:
    try:
        expected = library_decode(data)
    except HPACKDecodingError:
        with pytest.raises(HPACKDecodingError):
            decode_huffman(data)
    else:
        assert decode_huffman(data) == expected
