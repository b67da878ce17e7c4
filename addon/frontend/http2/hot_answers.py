"""Hot responses over HTTP/2: the header block is encoded once, except for the seconds in it."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import override

from addon.frontend.http1.hot_response import Encoded, HotResponse
from addon.frontend.http2.header_block import response_block
from addon.origin.http2 import frames
from addon.origin.http2.header_block import encode
from cache.engine.decisions import Serve
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy

MAX_CONTENT = 262_144
"""Bytes of content that are sent at once; more has to be interleaved with other streams."""

_SPACE_FOR_SECONDS = 256
"""Bytes that are kept free in the frame of the header block."""


@dataclass(slots=True, eq=False)
class Http2HotResponse(HotResponse):
    """A hot response whose template is a header block without the fields that change from second to second.

    Those are appended, since a number with one digit more makes the length in front of its field another one.
    """

    _seconds: tuple[int, int] = (-1, 0)
    """The `Age` and `ttl` in `_block`."""
    _block: bytes = b""

    def block_at(self, now: float) -> bytes:
        """Return the header block at `now`, in seconds since the epoch."""
        age = now - self.born
        seconds = floor(age), floor(self.lifetime - age)
        if seconds != self._seconds:
            lines = [("age", str(seconds[0]))]
            if self.has_ttl:
                lines.append(("cache-status", self.cache_status % seconds[1]))
            self._block, self._seconds = self.template + encode(lines), seconds
        return self._block

    @staticmethod
    @override
    def encoded(request: Request, serve: Serve, policy: CachePolicy, content: bytes) -> Encoded | None:
        """Return the response as HTTP/2 sends it, or None if it cannot be sent at once."""
        head, lines = serve.response.head, list(serve.response.head.fields.lines)
        if len(content) > MAX_CONTENT or sum(name == "Age" for name, _ in lines) != 1:
            return None
        lines = [line for line in lines if line[0] != "Age"]
        ttl, cache_status = f"; ttl={serve.handling.ttl}", ""
        has_ttl = policy.presentation.cache_status and ttl in lines[-1][1]
        if has_ttl:  # our own member of Cache-Status is in the last line of the head
            before, _, after = lines.pop()[1].replace("%", "%%").rpartition(ttl)
            cache_status = f"{before}; ttl=%d{after}"
        block = response_block(Response(head.status, head.reason, Fields(tuple(lines))))
        if len(block) + len(cache_status) + _SPACE_FOR_SECONDS > frames.MAX_FRAME:
            return None
        return Encoded(block, has_ttl, content, cache_status)


def hot_frames(stream: int, block: bytes, content: bytes) -> list[bytes]:
    """Return the frames of a hot response, to be joined."""
    if not content:
        flags = frames.END_HEADERS | frames.END_STREAM
        return [frames.HEAD.pack(len(block) << 8 | frames.HEADERS, flags, stream), block]
    sent = [frames.HEAD.pack(len(block) << 8 | frames.HEADERS, frames.END_HEADERS, stream), block]
    rest = content
    while len(rest) > frames.MAX_FRAME:
        sent += (frames.HEAD.pack(frames.MAX_FRAME << 8 | frames.DATA, 0, stream), rest[: frames.MAX_FRAME])
        rest = rest[frames.MAX_FRAME :]
    sent += (frames.HEAD.pack(len(rest) << 8 | frames.DATA, frames.END_STREAM, stream), rest)
    return sent
