"""The beginning of a stored content, for people: text, or an image of pixels. It comes from strangers: all is bounded.

Text is shown as text, HTML and SVG too. Only formats of pixels, which can run nothing, are images, by their first bytes
and not by what their origin calls them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from addon.config.units import size_text
from addon.pipeline.content_codings import CodingError, decode_beginning
from addon.pipeline.content_text import text_of
from addon.pipeline.pixel_images import MAX_PIXELS, pixel_image
from cache.http.fields import media_type
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

MAX_TEXT = 65_536
"""Bytes of text that are shown."""

MAX_IMAGE = 1_048_576
"""Bytes of an image that is shown, and bytes that are read of any stored body."""

MAX_BODY = 67_108_864
"""Bytes of the largest body of which anything is shown: all of it is read once, to compare its digest."""

_MAX_DEPTH = 20
"""Levels by which JSON is indented at most: deep nesting would make many spaces of few brackets."""

_CONTROL = re.compile(r"[\x01-\x08\x0b\x0e-\x1f\x7f]")
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+')


@dataclass(frozen=True, slots=True)
class Preview:
    """The part of a content that is shown: text or an image, or neither."""

    media_type: str
    """That of the image, or the one that the origin gave."""
    text: str | None = None
    image: str | None = None
    """The image in Base64."""
    note: str = ""
    """Says which part is not shown, or how it was changed; empty if all is shown as it is."""


def preview_of(store: ResponseStore, entry: StoredResponse) -> Preview:
    """Return the beginning of the content of a stored response. Raises StoreError."""
    given = media_type(entry.head.fields.get("content-type"))
    if entry.complete_length is not None:
        return Preview(given, note="Only a part of the content is stored.")
    if entry.length > MAX_BODY:
        return Preview(given, note=f"Content of more than {size_text(MAX_BODY)} is not shown.")
    with closing(store.open(entry)) as body:
        stored = body.read(0, min(body.length, MAX_IMAGE))
    try:
        content, is_whole = decode_beginning(stored, entry.head.fields.get("content-encoding"), MAX_IMAGE)
    except CodingError as error:
        return Preview(given, note=f"It cannot be shown: {error}.")
    is_whole = is_whole and len(stored) == entry.length
    if image := pixel_image(content):
        if not is_whole:
            return Preview(image.media_type, note=f"An image of more than {size_text(MAX_IMAGE)} is not shown.")
        if image.width * image.height > MAX_PIXELS:
            sides = f"{image.width} by {image.height}"
            return Preview(
                image.media_type, note=f"An image of {sides} pixels is not shown: it would need much memory."
            )
        return Preview(image.media_type, image=base64.b64encode(content).decode())
    is_whole = is_whole and len(content) <= MAX_TEXT
    text = text_of(content[:MAX_TEXT], entry.head.fields.get("content-type"), is_whole=is_whole)
    if text is None or _CONTROL.search(text):
        return Preview(given, note="This is neither text nor an image of a kind that is shown.")
    return _preview_of_text(text, given, is_whole=is_whole)


def _preview_of_text(text: str, given: str, *, is_whole: bool) -> Preview:
    if is_whole and _is_json(text):
        formatted = _indented(text)
        cut = f" The first {size_text(MAX_TEXT)}." if len(formatted) >= MAX_TEXT else ""
        return Preview(given, formatted, note=f"Indented; what is stored has other spaces.{cut}")
    return Preview(given, text, note="" if is_whole else f"The first {size_text(MAX_TEXT)}.")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _indented(text: str) -> str:
    """Return JSON with one value a line, at most MAX_TEXT characters. All values and names stay as they are."""
    parts: list[str] = []
    length = 0
    for part in _json_parts(text):
        parts.append(part)
        length += len(part)
        if length >= MAX_TEXT:
            break
    return "".join(parts)[:MAX_TEXT]


def _json_parts(text: str) -> Iterator[str]:
    depth = 0
    parts = _JSON_PART.findall(text)
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if part in ("]", "}"):
            depth -= 1
        yield part
        if part in ("[", "{"):
            depth += 1
        if part == ":":
            yield " "
        elif following in ("]", "}"):
            yield "" if part in ("[", "{") else _new_line(depth - 1)
        elif part in ("[", "{", ","):
            yield _new_line(depth)


def _new_line(depth: int) -> str:
    return "\n" + "  " * min(depth, _MAX_DEPTH)
