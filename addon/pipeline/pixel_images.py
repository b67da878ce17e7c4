"""Images of pixels, by their first bytes: their format and their size. Formats that can contain scripts are none."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PIXELS = 40_000_000
"""Pixels of an image that a browser should decode: it takes four bytes for each, however short the file is."""

_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""The markers of JPEG segments that have the size of the image."""


@dataclass(frozen=True, slots=True)
class PixelImage:
    """The format and the size of an image."""

    media_type: str
    width: int
    height: int


def pixel_image(content: bytes) -> PixelImage | None:
    """Return the format and size of an image of PNG, GIF, JPEG or WebP; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and len(content) >= 24:
        return PixelImage("image/png", _big(content[16:20]), _big(content[20:24]))
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return PixelImage("image/gif", _little(content[6:8]), _little(content[8:10]))
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP" and len(content) >= 30:
        return _webp(content)
    return None


def _jpeg(content: bytes) -> PixelImage | None:
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:  # a byte between two segments
            place += 1
        elif marker in _JPEG_SIZES:
            return PixelImage("image/jpeg", _big(content[place + 7 : place + 9]), _big(content[place + 5 : place + 7]))
        else:
            place += 2 + max(2, _big(content[place + 2 : place + 4]))
    return None


def _webp(content: bytes) -> PixelImage | None:
    match content[12:16]:
        case b"VP8 ":
            return _webp_of(_little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF)
        case b"VP8L":
            bits = _little(content[21:25])
            return _webp_of((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            return _webp_of(_little(content[24:27]) + 1, _little(content[27:30]) + 1)
    return None


def _webp_of(width: int, height: int) -> PixelImage:
    return PixelImage("image/webp", width, height)


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
