"""Measures what one node and one engine spend on a request: CPU time, memory and bytes, not requests per second.

CPU times say how many requests a core can take, however busy the machine is that they are measured on.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cache.stores.redis.store import RedisStore
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.redis_server import RedisServer, redis_server
from tests.fixtures.redis_stores import redis_store
from tests.fixtures.stored_entries import new_entry, put
from tools.bench.process import cpu_of

URLS = 2000
ROUNDS = 5
CONTENT = b"x" * 1024


def measure() -> dict[str, float]:
    """Return all costs by name: microseconds of CPU, or bytes."""
    with tempfile.TemporaryDirectory(prefix="capacity-") as folder:
        return {**_node_costs(Path(folder)), **_engine_costs(Path(folder))}


# ---- a node with its engine, under requests


def _node_costs(folder: Path) -> dict[str, float]:
    with ExitStack() as stack:
        server = stack.enter_context(redis_server(folder / "engine"))
        settings = {"STORE__KIND": "redis", "STORE__URL": server.url, "STORE__TIMEOUT": "10 s", "ORIGIN__PROXY": "none"}
        nodes = []
        # one with room for everything in its memory, and one with room for nearly nothing
        for name, size in (("large", "256 MiB"), ("small", "2 MiB")):
            (folder / name).mkdir()
            node = Proxy(folder / name, None, ("secondhand", "serve"), settings | {"MEMORY__MAX_SIZE": size})
            nodes.append(stack.enter_context(node))
        return asyncio.run(_under_requests(*nodes, server))


async def _under_requests(large: Proxy, small: Proxy, server: RedisServer) -> dict[str, float]:
    origin = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = origin.sockets[0].getsockname()[1]
    costs: dict[str, list[tuple[float, float]]] = {"miss": [], "memory_hit": [], "shared_hit": []}
    for round_number in range(ROUNDS):
        urls = [f"http://127.0.0.1:{port}/{round_number}/{number}" for number in range(URLS)]
        for name, node in (("miss", large), ("memory_hit", large), ("shared_hit", small)):
            if name == "memory_hit":
                await _get_all(node, urls)  # into the part of memory with ready responses
            before = cpu_of(node.pid), cpu_of(server.process.pid)
            await _get_all(node, urls)
            after = cpu_of(node.pid), cpu_of(server.process.pid)
            costs[name].append(((after[0] - before[0]) / URLS * 1e6, (after[1] - before[1]) / URLS * 1e6))
    origin.close()
    return {
        **{name: statistics.median(node for node, _ in each) for name, each in costs.items()},
        "engine_read": statistics.median(engine for _, engine in costs["shared_hit"]),
        "engine_store": statistics.median(engine for _, engine in costs["miss"]),
    }


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head + CONTENT)
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def _get_all(node: Proxy, urls: list[str], clients: int = 16) -> None:
    waiting = iter(urls)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        for url in waiting:
            writer.write(f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] in (b"200", b"203"), head
            await reader.readexactly(len(CONTENT))
        writer.close()

    await asyncio.gather(*[client() for _ in range(clients)])


# ---- an engine alone


def _engine_costs(folder: Path) -> dict[str, float]:
    with redis_server(folder / "alone") as server:
        store = redis_store(server.url)
        try:
            return {**_memory_costs(store, server), **_push_costs(store, server)}
        finally:
            store.close()


def _memory_costs(store: RedisStore, server: RedisServer) -> dict[str, float]:
    """Return the engine's bytes for a response with one chunk, and for each further chunk, without their content."""

    def used(lengths: int, prefix: str) -> float:
        before = server.client().info("memory")["used_memory"]
        for number in range(500):
            put(store, new_entry(f"http://{prefix}.example/{number}"), lengths)
        return (server.client().info("memory")["used_memory"] - before) / 500 - lengths

    used(1024, "warm-up")
    one, five = used(1024, "one"), used(5 * 262_144, "five")
    return {"row_size": one, "chunk_overhead": max(0.0, (five - one) / 4)}


def _push_costs(store: RedisStore, server: RedisServer, nodes: int = 20) -> dict[str, float]:
    """Return what it costs the engine to tell one more node of one change."""

    def spent(change: Callable[[], object]) -> tuple[float, float]:
        before, sent = cpu_of(server.process.pid), server.client().info("stats")["total_net_output_bytes"]
        for _ in range(3000):
            change()
        time.sleep(0.1)
        after = server.client().info("stats")["total_net_output_bytes"]
        return (cpu_of(server.process.pid) - before) / 3000 * 1e6, (after - sent) / 3000

    def change() -> None:
        store.engine.run("x", [("SET", f"{store.names.rows}{{{'0' * 32}}}", b"x")])

    alone = spent(change)
    others = [redis_store(server.url) for _ in range(nodes)]
    together = spent(change)
    for other in others:
        other.close()
    return {"engine_push": (together[0] - alone[0]) / nodes, "push_size": (together[1] - alone[1]) / nodes}
