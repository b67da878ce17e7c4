"""Real proxies that share one store on a Redis server: what one fetches all have, and no fault of it is an error."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin
from tests.fixtures.redis_server import RedisServer, server_of_test

NODES = 3
HERD = 1000
IMPATIENT = "200 ms"


server = pytest.fixture(server_of_test)


class HeldPage:
    """Answers with a number of its own, once it is `open`. Its responses can be purged by the tag `news`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.sent = 0

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            await self.open.wait()
            self.sent += 1
            content = str(self.sent).encode()
            fields = f"Cache-Control: max-age=60\r\nCache-Tag: news\r\nContent-Length: {len(content)}\r\n\r\n"
            await peer.send(HEAD + fields.encode() + content)


class Node:
    """One proxy, in a folder of its own."""

    def __init__(self, folder: Path, server: RedisServer, settings: dict[str, str]) -> None:
        folder.mkdir(exist_ok=True)
        shared = {"STORE__KIND": "redis", "STORE__URL": server.url, "ORIGIN__PROXY": "none"}
        self.proxy = Proxy(folder, None, ("secondhand", "serve"), shared | settings)

    async def get(self, origin: RawOrigin, path: str = "/") -> tuple[int, str, str]:
        """Return status, Cache-Status and content of the response to a GET."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        url = f"http://127.0.0.1:{origin.port}{path}"
        writer.write(f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, content = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return int(head.split()[1]), fields.get("Cache-Status", ""), content


type Conversation = Callable[[list[Node], RawOrigin, HeldPage], Awaitable[None]]


def run(tmp_path: Path, server: RedisServer, conversation: Conversation, **settings: str) -> None:
    """Run a conversation with nodes that share the server."""

    async def main() -> None:
        page = HeldPage()
        async with asyncio.timeout(TIMEOUT), RawOrigin(page) as origin:
            await conversation(nodes, origin, page)

    patient = {"STORE__TIMEOUT": "10 s", "CACHE__COLLAPSE_TIMEOUT": "60 s"}
    with ExitStack() as stack:
        nodes = [Node(tmp_path / f"node{number}", server, patient | settings) for number in range(NODES)]
        for node in nodes:
            stack.enter_context(node.proxy)
        asyncio.run(main())


def test_what_one_node_fetches_all_serve_and_a_purge_ends_it_everywhere(tmp_path: Path, server: RedisServer) -> None:
    async def conversation(nodes: list[Node], origin: RawOrigin, page: HeldPage) -> None:
        assert [(await node.get(origin))[0] for node in nodes] == [200, 203, 203]
        assert [(await node.get(origin))[2] for node in nodes] == ["1", "1", "1"]
        told = json.loads(await asyncio.to_thread(nodes[1].proxy.run, "purge", "--tag", "news", "--json"))
        assert told["deleted"] == 1
        for node in nodes:
            while (await node.get(origin))[2] == "1":  # it hears of it within a second
                await asyncio.sleep(0.001)
        assert page.sent == 2
        assert "news" not in nodes[0].proxy.messages

    run(tmp_path, server, conversation)


def test_a_herd_over_all_nodes_makes_one_fetch(tmp_path: Path, server: RedisServer) -> None:
    async def conversation(nodes: list[Node], origin: RawOrigin, page: HeldPage) -> None:
        page.open.clear()
        herd = [asyncio.create_task(nodes[number % NODES].get(origin)) for number in range(HERD)]
        while sum(node.proxy.counters()["requests"] for node in nodes) < HERD:
            await asyncio.sleep(0.05)
        page.open.set()
        contents = Counter(content for _, _, content in await asyncio.gather(*herd))
        assert contents == {"1": HERD}
        assert page.sent == 1

    run(tmp_path, server, conversation)


def test_a_restarted_node_serves_copies_at_once(tmp_path: Path, server: RedisServer) -> None:
    async def conversation(nodes: list[Node], origin: RawOrigin, page: HeldPage) -> None:
        await nodes[0].get(origin)
        nodes[0].proxy.kill()
        with Node(tmp_path / "node0", server, {"STORE__TIMEOUT": "10 s"}).proxy as again:
            node = nodes[0]
            node.proxy = again
            status, cache_status, content = await node.get(origin)
            assert (status, content) == (203, "1")
            assert "; hit" in cache_status

    run(tmp_path, server, conversation)


@pytest.mark.parametrize("fault", ["stopped", "killed"])
def test_without_the_engine_memory_and_the_origin_go_on(tmp_path: Path, server: RedisServer, fault: str) -> None:
    async def conversation(nodes: list[Node], origin: RawOrigin, page: HeldPage) -> None:
        for node in (*nodes, *nodes):  # again, since a node may hear later that another one has stored it
            await node.get(origin, "/known")
        if fault == "stopped":
            server.pause()
        else:
            server.kill()
        answers = [await node.get(origin, "/new") for node in nodes]
        assert [status for status, _, _ in answers] == [200] * NODES
        assert [(await node.get(origin, "/known"))[0] for node in nodes] == [203] * NODES
        for number, node in enumerate(nodes):
            while "detail=store-away" not in (await node.get(origin, f"/{number}-{page.sent}"))[1]:
                await asyncio.sleep(0.05)
        assert [(await node.get(origin, "/newer"))[0] for node in nodes] == [200] * NODES
        assert [(await node.get(origin, "/newer"))[0] for node in nodes] == [203] * NODES
        if fault == "stopped":
            server.resume()
        else:
            server.start()
        for node in nodes:
            while "store-away" in (await node.get(origin, f"/again-{page.sent}"))[1]:
                await asyncio.sleep(0.05)
        assert (await nodes[0].get(origin, "/shared"))[0] == 200
        assert (await nodes[1].get(origin, "/shared"))[0] == 203
        counters = nodes[0].proxy.counters()
        assert counters["engine.slow"] + counters["engine.lost"] > 0

    run(tmp_path, server, conversation, STORE__TIMEOUT=IMPATIENT)


def test_a_proxy_starts_without_its_engine_and_says_so(tmp_path: Path, server: RedisServer) -> None:
    server.kill()

    async def conversation(nodes: list[Node], origin: RawOrigin, page: HeldPage) -> None:
        assert [(await node.get(origin))[0] for node in nodes] == [200] * NODES
        for node in nodes:
            assert "the engine of the shared store cannot be used" in node.proxy.messages
            condition = json.loads(node.proxy.run("stats", "--json"))["proxies"][0]["store"]
            assert condition["state"] == "failing"

    run(tmp_path, server, conversation)
