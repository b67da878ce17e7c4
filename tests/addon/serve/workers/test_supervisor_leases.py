"""A real proxy with two workers: they share fetches, also when the one that fetches is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin
from tests.fixtures.until import until

FRESH_OK = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
CLIENTS = 1000
FEW = 200

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HeldPage:
    """Answers each request once it is `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            await self.open.wait()
            await peer.send(FRESH_OK)


@asynccontextmanager
async def connected(proxy: Proxy, count: int) -> AsyncIterator[list[Streams]]:
    """Connect clients to both workers: so many, and more until each worker has accepted a tenth of that number."""
    clients: list[Streams] = []
    try:
        while len(clients) < count or not all(len(sockets_of(each)) > count // 10 for each in workers(proxy)):
            clients.append(await asyncio.open_connection("127.0.0.1", proxy.port))
        yield clients
    finally:
        for _, writer in clients:
            writer.close()


async def status(streams: Streams, origin: RawOrigin, path: str) -> bytes:
    """Return the status of the response to a GET; nothing if the connection ends."""
    reader, writer = streams
    writer.write(f"GET http://127.0.0.1:{origin.port}{path} HTTP/1.1\r\nHost: 127.0.0.1:{origin.port}\r\n\r\n".encode())
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"ok"
        return head.split()[1]
    return b""


def sockets_of(process_id: int) -> set[str]:
    """Return the inodes of the sockets that a process has open."""
    links = set()
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            links.add(str(descriptor.readlink()))
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def inodes_connected_to(port: int) -> set[str]:
    """Return the inodes of the sockets that are connected to a port of this machine, for IPv4."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[2].endswith(f":{port:04X}")}


def run(folder: Path, conversation: Callable[[Proxy, RawOrigin, HeldPage], Awaitable[None]]) -> None:
    """Run a conversation with a proxy of two workers."""

    async def main(proxy: Proxy) -> None:
        page = HeldPage()
        async with asyncio.timeout(TIMEOUT), RawOrigin(page) as origin:
            await conversation(proxy, origin, page)

    settings = {"ORIGIN__PROXY": "none", "CACHE__COLLAPSE_TIMEOUT": "60s"}
    with Proxy(folder, None, ("secondhand", "serve", "--workers", "2"), settings) as proxy:
        asyncio.run(main(proxy))


def workers(proxy: Proxy) -> list[int]:
    children = Path(f"/proc/{proxy.pid}/task/{proxy.pid}/children").read_text()
    return [int(each) for each in children.split()]


def test_a_thousand_clients_of_two_workers_make_one_fetch(tmp_path: Path) -> None:
    async def conversation(proxy: Proxy, origin: RawOrigin, page: HeldPage) -> None:
        async with connected(proxy, CLIENTS) as clients:
            for path in ("/first", "/like-the-first"):
                page.open.clear()
                asking = asyncio.gather(*(status(client, origin, path) for client in clients))
                await until(lambda: bool(origin.requests))
                page.open.set()
                assert Counter(await asking) == {b"200": 1, b"203": len(clients) - 1}
                assert len(origin.requests) == 1
                origin.requests.clear()

    run(tmp_path, conversation)


def test_another_worker_fetches_when_the_one_that_does_is_killed(tmp_path: Path) -> None:
    async def conversation(proxy: Proxy, origin: RawOrigin, page: HeldPage) -> None:
        async with connected(proxy, FEW) as clients:
            asking = asyncio.gather(*(status(client, origin, "/") for client in clients))
            await until(lambda: len(origin.requests) == 1)
            fetching = inodes_connected_to(origin.port)
            (holder,) = [worker for worker in workers(proxy) if sockets_of(worker) & fetching]
            os.kill(holder, signal.SIGKILL)
            await until(lambda: len(origin.requests) == 2)
            page.open.set()
            answered = Counter(await asking)
            assert answered[b"200"] == 1
            assert answered[b"203"] == len(clients) - 1 - answered[b""]
        again = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await status(again, origin, "/") == b"203"
        again[1].close()
        assert len(origin.requests) == 2

    run(tmp_path, conversation)
