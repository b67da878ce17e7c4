"""Sends a reply to a client: no faster than the client reads, and never with a clean end if it is incomplete."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from addon.frontend.client_gone import ClientGone
from addon.frontend.http1.file_sending import FileSending, ReadingClient
from addon.frontend.http1.response_head import Framing, head_bytes
from addon.pipeline.reply import FileRange, Reply, Stream
from cache.http.field_table import end_to_end
from cache.http.messages import Fields

MAX_JOINED = 65_536
"""Bytes of content up to which one write of head and content is cheaper than two."""


class Client(ReadingClient, Protocol):
    """A client connection, as far as sending needs it."""

    transport: asyncio.Transport

    async def writable(self) -> None:
        """Wait until the client has read enough of what was written. Raises ClientGone."""


async def send(client: Client, reply: Reply, framing: Framing, *, head_only: bool) -> int:
    """Send a reply, or just its head (`head_only`, for HEAD); return how many bytes of content were sent.

    Raises:
        ClientGone: the client disconnected.
        OriginFailure: the content ended short; the connection must be aborted.
        StoreError: likewise.
    """
    head = head_bytes(reply.head, framing)
    if isinstance(reply.content, bytes):
        content = b"" if head_only else reply.content
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content) if framing.chunked and content else content
        if framing.chunked and not content:
            body = b"0\r\n\r\n"
        write_together(client.transport, head, body)
        return len(content)
    if head_only:
        client.transport.write(head)
        return 0
    if reply.content.file and not framing.chunked and is_plain_socket(client.transport):
        return await _send_file(client, head, reply.content.file)
    return await _send_stream(client, head, reply.content, framing)


def is_plain_socket(transport: asyncio.Transport) -> bool:
    """Return whether what is sent goes to the socket as it is: without TLS, and not on a stream of HTTP/2."""
    return transport.get_extra_info("ssl_object") is None and transport.get_extra_info("socket") is not None


def write_together(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
    """Write a head and its content."""
    if len(content) <= MAX_JOINED:
        transport.write(head + content)
    else:
        transport.writelines((head, content))


async def _send_stream(client: Client, head: bytes, stream: Stream, framing: Framing) -> int:
    transport, sent = client.transport, 0
    transport.write(head)
    async for chunk in stream.chunks:
        if not chunk:
            continue
        if transport.is_closing():
            raise ClientGone
        sent += len(chunk)
        if framing.chunked:
            transport.writelines((b"%x\r\n" % len(chunk), chunk, b"\r\n"))
        else:
            transport.write(chunk)
        await client.writable()
    if framing.chunked:
        transport.write(b"0\r\n" + _trailer_section(stream.trailers()) + b"\r\n")
    return sent


def _trailer_section(trailers: Fields) -> bytes:
    passed = end_to_end(trailers).without(["content-length", "host"])  # RFC 9110 §6.5.1: no framing, no routing
    return "".join([f"{name}: {value}\r\n" for name, value in passed]).encode("latin-1")


async def _send_file(client: Client, head: bytes, file: FileRange) -> int:
    """Have the kernel send a part of a file, without copying it through this process."""
    client.transport.write(head)
    await flushed(client)
    # a duplicate, since the event loop watches the original, which uvloop does not share
    descriptor = os.dup(client.transport.get_extra_info("socket").fileno())
    try:
        await FileSending(client, descriptor, file).run()
    finally:
        os.close(descriptor)
    return file.stop - file.start


async def flushed(client: Client) -> None:
    """Wait until the socket has taken all that was written. Raises ClientGone."""
    transport = client.transport
    if transport.is_closing():
        raise ClientGone
    transport.set_write_buffer_limits(0)  # any byte left counts as too much, and is waited for
    while transport.get_write_buffer_size():
        await client.writable()
        await asyncio.sleep(0)
    transport.set_write_buffer_limits()
