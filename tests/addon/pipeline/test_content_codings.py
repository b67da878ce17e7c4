"""Content codings taken off, and those that claim to be endless."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from addon.pipeline.content_codings import CodingError, uncoded

TEXT = b"hello, hello, hello" * 100
CODED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "identity": TEXT,
}


@pytest.mark.parametrize("coding", CODED)
def test_what_is_coded_comes_out_again_up_to_the_limit(coding: str) -> None:
    assert uncoded(CODED[coding], coding, len(TEXT)) == TEXT
    with pytest.raises(CodingError, match="more than 1899 octets"):
        uncoded(CODED[coding], coding, len(TEXT) - 1)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_found_before_it_bursts(coding: str) -> None:
    bombs = {
        "gzip": lambda: gzip.compress(bytes(100_000_000)),
        "deflate": lambda: zlib.compress(bytes(100_000_000)),
        "br": lambda: brotli.compress(bytes(100_000_000), quality=1),
        "zstd": lambda: zstandard.compress(bytes(100_000_000)),
    }
    with pytest.raises(CodingError, match="more than 1000 octets"):
        uncoded(bombs[coding](), coding, 1000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_what_ends_short_or_is_not_coded_so_is_an_error(coding: str) -> None:
    for content in (CODED[coding][:-1], b"nonsense"):
        with pytest.raises(CodingError):
            uncoded(content, coding, 10_000)


def test_several_codings_come_off_last_first_and_an_unknown_one_is_named() -> None:
    assert uncoded(gzip.compress(CODED["br"]), "br, gzip", 10_000) == TEXT
    assert uncoded(TEXT, None, 10_000) == TEXT
    with pytest.raises(CodingError, match="found the content coding compress"):
        uncoded(TEXT, "compress", 10_000)
