"""Servers that a test may stop, and stores of several nodes on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cache.stores.redis.store import RedisStore
from tests.fixtures.redis_server import HAS_REDIS, RedisServer, redis_server
from tests.fixtures.redis_stores import redis_store

OpenNode = Callable[..., RedisStore]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    if not HAS_REDIS:
        pytest.skip("redis-server is not installed")
    with redis_server(tmp_path / "redis") as started:
        yield started


@pytest.fixture
def open_node(server: RedisServer) -> Iterator[OpenNode]:
    """Open stores that share the server, each as a node of its own."""
    opened: list[RedisStore] = []

    def open_one(url: str = "", **changes: Any) -> RedisStore:
        opened.append(redis_store(url or server.url, **changes))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
