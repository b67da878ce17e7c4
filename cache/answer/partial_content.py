"""The 206: one part of a stored response, or several parts as multipart/byteranges."""

from __future__ import annotations

from dataclasses import replace

from cache.answer.responses import CopyResponse
from cache.http.field_table import row
from cache.http.messages import Fields, Response
from cache.rules.ranges import Part
from cache.rules.stored_parts import StoredContent, find_content
from cache.rules.stored_response import StoredResponse


def partial(entry: StoredResponse, parts: tuple[Part, ...], fields: Fields) -> CopyResponse:
    """Return the 206 with some parts; `fields` are those of the 200."""
    # RFC 9110 §15.3.7: the fields of the 200, without those that describe the whole content
    kept = fields.without([name for name, _ in fields if row(name).whole] + ["content-length"])
    if len(parts) > 1:
        return _multipart(entry, parts, kept)
    part = parts[0]
    content_range = ("Content-Range", f"bytes {part.start}-{part.stop - 1}/{entry.total}")
    kept = kept.appending(content_range, ("Content-Length", str(part.stop - part.start)))
    return CopyResponse(Response(206, "Partial Content", kept), content_of(entry, part.start, part.stop))


def _multipart(entry: StoredResponse, parts: tuple[Part, ...], fields: Fields) -> CopyResponse:
    """Return several parts in one 206 (RFC 9110 §14.6)."""
    boundary = f"part-of-{entry.id}"
    content_type = fields.get("content-type")
    content: list[StoredContent | bytes] = []
    for part in parts:
        lines = [f"\r\n--{boundary}", f"Content-Range: bytes {part.start}-{part.stop - 1}/{entry.total}"]
        if content_type:
            lines.insert(1, f"Content-Type: {content_type}")
        content += ["\r\n".join([*lines, "", ""]).encode("latin-1"), *content_of(entry, part.start, part.stop)]
    content.append(f"\r\n--{boundary}--\r\n".encode())
    answer = CopyResponse(Response(206, "Partial Content"), tuple(content))
    multipart = ("Content-Type", f"multipart/byteranges; boundary={boundary}")
    fields = fields.without(["content-type"]).appending(multipart, ("Content-Length", str(answer.length)))
    return replace(answer, head=replace(answer.head, fields=fields))


def content_of(entry: StoredResponse, start: int, stop: int) -> tuple[StoredContent, ...]:
    """Return where bytes `start` to `stop` of the content are stored. Raises ValueError if one of them is missing."""
    found = find_content(entry, start, stop)
    if found is None:
        raise ValueError(f"bytes {start} to {stop} of {entry.target} are not all stored")
    return found
