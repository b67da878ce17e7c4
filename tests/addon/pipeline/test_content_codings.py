"""Content codings, and the limit on the decoded length."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from addon.pipeline.content_codings import CodingError, decode_content, encode_content

CONTENT = b"hello, hello, hello" * 100
ENCODED = {
    "gzip": gzip.compress(CONTENT),
    "deflate": zlib.compress(CONTENT),
    "br": brotli.compress(CONTENT),
    "zstd": zstandard.compress(CONTENT),
    "identity": CONTENT,
}


@pytest.mark.parametrize("coding", ENCODED)
def test_content_is_decoded_up_to_the_limit(coding: str) -> None:
    assert decode_content(ENCODED[coding], coding, len(CONTENT)) == CONTENT
    with pytest.raises(CodingError, match="more than 1899 bytes"):
        decode_content(ENCODED[coding], coding, len(CONTENT) - 1)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_decompression_bomb_is_refused(coding: str) -> None:
    bombs = {
        "gzip": lambda: gzip.compress(bytes(100_000_000)),
        "deflate": lambda: zlib.compress(bytes(100_000_000)),
        "br": lambda: brotli.compress(bytes(100_000_000), quality=1),
        "zstd": lambda: zstandard.compress(bytes(100_000_000)),
    }
    with pytest.raises(CodingError, match="more than 1000 bytes"):
        decode_content(bombs[coding](), coding, 1000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_incomplete_or_invalid_content_is_an_error(coding: str) -> None:
    for content in (ENCODED[coding][:-1], b"nonsense"):
        with pytest.raises(CodingError):
            decode_content(content, coding, 10_000)


def test_codings_are_removed_last_first_and_an_unknown_one_is_an_error() -> None:
    assert decode_content(gzip.compress(ENCODED["br"]), "br, gzip", 10_000) == CONTENT
    assert decode_content(CONTENT, None, 10_000) == CONTENT
    with pytest.raises(CodingError, match="found the content coding compress"):
        decode_content(CONTENT, "compress", 10_000)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_encoded_content_can_be_decoded_and_is_the_same_each_time(coding: str) -> None:
    encoded = encode_content(CONTENT, coding)
    assert encoded == encode_content(CONTENT, coding)
    assert decode_content(encoded, coding, len(CONTENT)) == CONTENT


def test_a_gzip_file_of_many_small_members_is_decoded_whole() -> None:
    """Regression: each member copied all that followed it, so a megabyte of them took most of a second."""
    members = [gzip.compress(text) for text in (b"", b"a", b"b" * 20_000)] * 3000
    decoded = decode_content(b"".join(members), "gzip", 80_000_000)
    assert decoded == (b"a" + b"b" * 20_000) * 3000
