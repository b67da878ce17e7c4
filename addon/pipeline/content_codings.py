"""Content codings (RFC 9110 §8.4.1). Decoding has a limit: a small content may decode to an endless one."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli
import zstandard

from cache.http.fields import tokens

_MAX_CODINGS = 4
"""Codings that are undone for a look at content: each may take as long as `limit` bytes."""


class CodingError(ValueError):
    """Content that cannot be decoded: it is invalid or incomplete, too long, or its coding is not supported."""


def decode_content(content: bytes, codings: str | None, limit: int) -> bytes:
    """Return content without the codings that a Content-Encoding value lists.

    Raises:
        CodingError: the content cannot be decoded, or is longer than `limit` bytes then.
    """
    for coding in reversed(list(tokens(codings))):
        content = _decoded(content, coding, limit)
        if len(content) > limit:
            raise CodingError(f"the content is more than {limit} bytes without its coding {coding}")
    return content


def decode_beginning(content: bytes, codings: str | None, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of content without the codings of a Content-Encoding value, and whether that is all.

    Raises:
        CodingError: the content cannot be decoded, has many codings, or is longer than `limit` while codings are left.
    """
    first, *others = [*tokens(codings)] or ["identity"]
    if len(others) >= _MAX_CODINGS:
        raise CodingError(f"found {len(others) + 1} content codings, expected at most {_MAX_CODINGS}")
    inner = decode_content(content, ", ".join(others), limit)
    decoded = _decoded(inner, first, limit)
    return decoded[:limit], len(decoded) <= limit


def _decoded(content: bytes, coding: str, limit: int) -> bytes:
    """Return content without one coding; if it is longer than `limit` bytes, only a little more of it."""
    decode = _DECODERS.get(coding)
    if decode is None:
        raise CodingError(f"found the content coding {coding}, expected one of {', '.join(_DECODERS)}")
    try:
        return decode(content, limit)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise CodingError(f"the content is not {coding}: {error}") from None


def encode_content(content: bytes, coding: str) -> bytes:
    """Return content in the coding `br`, `zstd` or `gzip`; the same bytes each time. Raises KeyError for others."""
    return _ENCODERS[coding](content)


_BLOCK = 8192
"""Bytes that zlib gets at once. It copies what follows a member, which would take long for many small members."""


def _zlib_decoder(window: int) -> Callable[[bytes, int], bytes]:
    """Return a decoder for a format that zlib selects by its window size parameter."""

    def decode(content: bytes, limit: int) -> bytes:
        decoded, view, at = bytearray(), memoryview(content), 0
        while at < len(view):  # a gzip file may have several members
            decoder = zlib.decompressobj(window)
            while not decoder.eof:
                block = view[at : at + _BLOCK]
                if not block:
                    raise CodingError("the encoded content is incomplete")
                decoded += decoder.decompress(block, limit + 1 - len(decoded))
                if len(decoded) > limit:
                    return bytes(decoded)
                at += len(block) - len(decoder.unused_data)
        return bytes(decoded)

    return decode


def _deflate(content: bytes, limit: int) -> bytes:
    try:
        return _zlib_decoder(zlib.MAX_WBITS)(content, limit)
    except zlib.error:
        return _zlib_decoder(-zlib.MAX_WBITS)(content, limit)  # RFC 9110 §8.4.1.2: some send it without the wrapper


def _brotli(content: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    decoded = decoder.process(content, output_buffer_limit=limit + 1)
    while not decoder.is_finished() and len(decoded) <= limit:
        more = decoder.process(b"", output_buffer_limit=limit + 1 - len(decoded))
        if not more and not decoder.is_finished():
            raise CodingError("the encoded content is incomplete")
        decoded += more
    return bytes(decoded)


def _zstd(content: bytes, limit: int) -> bytes:
    decoded = b""
    with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as reader:
        while len(decoded) <= limit and (more := reader.read(limit + 1 - len(decoded))):
            decoded += more
    return decoded


def _identity(content: bytes, _limit: int) -> bytes:
    return content


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _zlib_decoder(zlib.MAX_WBITS | 16),
    "x-gzip": _zlib_decoder(zlib.MAX_WBITS | 16),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
    "identity": _identity,
}


def _to_gzip(content: bytes) -> bytes:
    encoder = zlib.compressobj(level=6, wbits=zlib.MAX_WBITS | 16)
    return encoder.compress(content) + encoder.flush()


def _to_brotli(content: bytes) -> bytes:
    compressed: bytes = brotli.compress(content, quality=6)
    return compressed


def _to_zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=9).compress(content)


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {"br": _to_brotli, "zstd": _to_zstd, "gzip": _to_gzip}
