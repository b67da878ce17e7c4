"""Sends a reply on a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from addon.frontend.http1.response_head import WITHOUT_CONTENT
from addon.frontend.http2.header_block import response_block
from addon.origin.http2.header_block import encode
from addon.pipeline.reply import Reply, Stream
from cache.http.field_table import end_to_end
from cache.http.messages import Fields


class RespondingStream(Protocol):
    """A stream, as far as sending needs it."""

    def send_headers(self, block: bytes, *, end_stream: bool) -> None:
        """Send a header block. Raises ClientGone."""

    async def send_content(self, content: bytes, *, end_stream: bool) -> None:
        """Send content, no faster than the client takes it. Raises ClientGone."""

    async def send_stored(self, chunks: AsyncIterator[bytes]) -> int:
        """Send content of the store, but not its end; return how many bytes. Raises ClientGone and StoreError."""


async def send(stream: RespondingStream, reply: Reply, *, head_only: bool = False, with_trailers: bool = False) -> int:
    """Send a reply; return how many bytes of content were sent.

    Args:
        stream: The stream of the request.
        reply: The reply.
        head_only: Send just the head, for HEAD.
        with_trailers: The client does not discard trailer fields.

    Raises:
        ClientGone: the client disconnected, or has reset the stream.
        OriginFailure: the content ended short; the stream must be reset.
        StoreError: likewise.
    """
    block = response_block(reply.head)
    if head_only or reply.head.status in WITHOUT_CONTENT or _is_empty(reply):
        stream.send_headers(block, end_stream=True)
        return 0
    stream.send_headers(block, end_stream=False)
    if isinstance(reply.content, bytes):
        await stream.send_content(reply.content, end_stream=True)
        return len(reply.content)
    if reply.content.is_stored:
        sent = await stream.send_stored(reply.content.chunks)
        await stream.send_content(b"", end_stream=True)
        return sent
    sent = 0
    async for chunk in reply.content.chunks:
        sent += len(chunk)
        await stream.send_content(chunk, end_stream=False)
    trailers = passed_trailers(reply.content.trailers()) if with_trailers else Fields()
    if trailers.lines:
        stream.send_headers(encode(trailers), end_stream=True)
    else:
        await stream.send_content(b"", end_stream=True)
    return sent


def _is_empty(reply: Reply) -> bool:
    """Return whether the head is all of the response. It must end the stream then, for gRPC's "Trailers-Only"."""
    return reply.content.is_empty if isinstance(reply.content, Stream) else not reply.content


def passed_trailers(trailers: Fields) -> Fields:
    """Return the trailer fields that are passed on."""
    return end_to_end(trailers).without(["content-length", "host"])  # RFC 9110 §6.5.1: no framing, no routing
