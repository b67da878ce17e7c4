"""The 206: one part of a stored response, or several of them in one answer."""

from __future__ import annotations

from dataclasses import replace

from cache.answer.answers import CopyAnswer
from cache.http.field_table import row
from cache.http.messages import Fields, Response
from cache.rules.ranges import Part
from cache.rules.stored_parts import StoredContent
from cache.rules.stored_parts import content as content_of
from cache.rules.stored_response import StoredResponse


def partial(entry: StoredResponse, parts: tuple[Part, ...], fields: Fields) -> CopyAnswer:
    """Return the 206 that gives some parts; `fields` are those of the 200."""
    # RFC 9110 §15.3.7: all that the 200 would have, but what is true of the whole only
    kept = fields.without([name for name, _ in fields if row(name).whole] + ["content-length"])
    if len(parts) > 1:
        return _multipart(entry, parts, kept)
    part = parts[0]
    place = ("Content-Range", f"bytes {part.start}-{part.stop - 1}/{entry.total}")
    kept = kept.appending(place, ("Content-Length", str(part.stop - part.start)))
    return CopyAnswer(Response(206, "Partial Content", kept), stored(entry, part.start, part.stop))


def _multipart(entry: StoredResponse, parts: tuple[Part, ...], fields: Fields) -> CopyAnswer:
    """Return several parts in one answer (RFC 9110 §14.6)."""
    boundary = f"part-of-{entry.id}"
    described = fields.get("content-type")
    content: list[StoredContent | bytes] = []
    for part in parts:
        lines = [f"\r\n--{boundary}", f"Content-Range: bytes {part.start}-{part.stop - 1}/{entry.total}"]
        if described:
            lines.insert(1, f"Content-Type: {described}")
        content += ["\r\n".join([*lines, "", ""]).encode("latin-1"), *stored(entry, part.start, part.stop)]
    content.append(f"\r\n--{boundary}--\r\n".encode())
    answer = CopyAnswer(Response(206, "Partial Content"), tuple(content))
    kind = ("Content-Type", f"multipart/byteranges; boundary={boundary}")
    fields = fields.without(["content-type"]).appending(kind, ("Content-Length", str(answer.length)))
    return replace(answer, head=replace(answer.head, fields=fields))


def stored(entry: StoredResponse, start: int, stop: int) -> tuple[StoredContent, ...]:
    """Return where octets of a content are stored. Raises ValueError if they are not: whoever asks has made sure."""
    found = content_of(entry, start, stop)
    if found is None:
        raise ValueError(f"octets {start} to {stop} of {entry.target} are not all stored")
    return found
