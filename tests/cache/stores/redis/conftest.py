"""Servers that a test may stop, and stores of several nodes on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cache.stores.redis.store import RedisStore
from tests.fixtures.redis_server import RedisServer, server_of_test
from tests.fixtures.redis_stores import redis_store

OpenNode = Callable[..., RedisStore]


server = pytest.fixture(server_of_test)


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
