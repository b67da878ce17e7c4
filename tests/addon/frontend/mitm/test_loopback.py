"""The loopback server: what it offers is sent once, and stops when mitmproxy closes its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from addon.frontend.mitm.loopback import LoopbackServer
from addon.pipeline.reply import Stream
from cache.http.messages import Response

HEAD = Response(200, "OK")


def stream(*chunks: bytes, endless: bool, closed: asyncio.Event) -> Stream:
    """Return content that stays open after its last chunk if it is `endless`, and sets `closed` when it is closed."""

    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if endless:
            await asyncio.Event().wait()

    async def close() -> None:
        closed.set()

    return Stream(pieces(), close)


def test_a_silent_stream_is_closed_when_its_reader_leaves() -> None:
    async def main() -> None:
        loopback, closed = LoopbackServer(), asyncio.Event()
        await loopback.start()
        path = loopback.offer(HEAD, stream(b"data: 1\n\n", endless=True, closed=closed))
        reader, writer = await asyncio.open_connection(*loopback.address)
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"data: 1\n\n")
        writer.close()
        async with asyncio.timeout(5):
            await closed.wait()
        await loopback.close()

    asyncio.run(main())


def test_a_connection_carries_one_request_after_the_other_however_early_the_next_one_comes() -> None:
    async def main() -> list[bytes]:
        loopback, closed = LoopbackServer(), asyncio.Event()
        await loopback.start()
        paths = [loopback.offer(HEAD, stream(b"%d" % each, endless=False, closed=closed)) for each in range(3)]
        reader, writer = await asyncio.open_connection(*loopback.address)
        writer.write("".join(f"GET {path} HTTP/1.1\r\n\r\n" for path in paths).encode())
        async with asyncio.timeout(5):
            received = [await reader.readuntil(b"0\r\n\r\n") for _ in paths]
        writer.close()
        await loopback.close()
        return [response.split(b"\r\n")[-4] for response in received]

    assert asyncio.run(main()) == [b"0", b"1", b"2"]
