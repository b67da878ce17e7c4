"""A reply on its way to a client: no faster than the client reads, and never with a clean end to what is not whole."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from addon.frontend.http1.response_head import Framing, head_octets
from addon.pipeline.reply import FileRange, Reply, Stream
from cache.http.field_table import end_to_end
from cache.http.messages import Fields

TOGETHER = 65_536
"""Octets up to which copying head and content together is cheaper than sending them apart."""

AT_A_TIME = 1_048_576
"""Octets that the system is asked to send from a file at a time."""


class ClientGone(Exception):
    """Nobody is left to send to."""


class Client(Protocol):
    """What sending needs of a connection."""

    transport: asyncio.Transport

    async def writable(self) -> None:
        """Wait until the client has taken enough of what was written. Raises ClientGone."""

    async def flushed(self) -> None:
        """Wait until the client's socket has taken all that was written. Raises ClientGone."""

    async def watched(self, ready: asyncio.Future[None]) -> None:
        """Wait for `ready`, as long as the client is there. Raises ClientGone."""


async def send(client: Client, reply: Reply, framing: Framing, *, silent: bool) -> int:
    """Send a reply, without its content where the request was a HEAD (`silent`); return the octets of content sent.

    Raises:
        ClientGone: the client left.
        OriginFailure: the content ended short; the connection must be cut.
        StoreError: likewise.
    """
    head = head_octets(reply.head, framing)
    if isinstance(reply.content, bytes):
        content = b"" if silent else reply.content
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content) if framing.chunked and content else content
        if framing.chunked and not content:
            body = b"0\r\n\r\n"
        write_together(client.transport, head, body)
        return len(content)
    if silent:
        client.transport.write(head)
        return 0
    if reply.content.file and not framing.chunked and client.transport.get_extra_info("ssl_object") is None:
        return await _send_file(client, head, reply.content.file)
    return await _send_stream(client, head, reply.content, framing)


def write_together(transport: asyncio.Transport, head: bytes, content: bytes) -> None:
    """Write a head and its content."""
    if len(content) <= TOGETHER:
        transport.write(head + content)
    else:
        transport.writelines((head, content))


async def _send_stream(client: Client, head: bytes, stream: Stream, framing: Framing) -> int:
    transport, sent = client.transport, 0
    transport.write(head)
    async for chunk in stream.octets:
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
    """Have the system send a part of a file: its octets never pass through this process."""
    client.transport.write(head)
    await client.flushed()
    loop = asyncio.get_running_loop()
    # a descriptor of our own: the event loop watches the other one (uvloop lets nobody share it)
    descriptor = os.dup(client.transport.get_extra_info("socket").fileno())
    try:
        start = file.start
        while start < file.stop:
            try:
                sent = os.sendfile(descriptor, file.descriptor, start, min(AT_A_TIME, file.stop - start))
            except BlockingIOError:
                await _until_writable(client, loop, descriptor)
                continue
            except OSError as error:
                raise ClientGone from error
            if sent == 0:
                raise ClientGone  # the file is shorter than its digest said: never a clean end
            start += sent
            await asyncio.sleep(0)  # other clients' turn
    finally:
        os.close(descriptor)
    return file.stop - file.start


async def _until_writable(client: Client, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    ready = loop.create_future()
    loop.add_writer(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await client.watched(ready)
    finally:
        loop.remove_writer(descriptor)
