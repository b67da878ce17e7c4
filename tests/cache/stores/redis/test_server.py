"""One server of the engine: what goes wrong while it is connected ends no task of the node."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cache.stores.redis.dial import Dialer
from cache.stores.redis.store import RedisStore
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.until import wait_until

GREETING = b"%2\r\n+mode\r\n+standalone\r\n+role\r\n+master\r\n"


def problem(node: RedisStore) -> str:
    return node.engine.problem or ""


def test_a_server_that_is_silent_after_its_greeting_is_left_and_connected_again(
    open_node: OpenNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.stores.redis.server.GIVE_UP", 0.2)
    greeted = 0

    async def greet(peer: Peer) -> None:
        nonlocal greeted
        await peer.request(b"secondhand\r\n")
        greeted += 1
        await peer.send(GREETING)
        await peer.closed_after_data()

    async def main() -> None:
        async with RawOrigin(greet) as origin:
            node = await asyncio.to_thread(open_node, f"redis://127.0.0.1:{origin.port}", patience=0.1)
            await asyncio.to_thread(wait_until, lambda: "does not answer" in problem(node))
            await asyncio.to_thread(wait_until, lambda: greeted > 3)

    asyncio.run(main())


def test_an_error_that_nobody_expects_is_logged_and_the_server_is_tried_again(
    open_node: OpenNode, server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect, errors = Dialer.connect, [KeyError("first"), None, KeyError("third")]  # for the look, it, and the server

    async def connect_at_last(*arguments: Any, **options: Any) -> object:
        if errors and (error := errors.pop(0)):
            raise error
        return await connect(*arguments, **options)

    monkeypatch.setattr(Dialer, "connect", connect_at_last)
    node = open_node()
    assert not problem(node)
    logged = [(record.getMessage(), record.exc_info and str(record.exc_info[1])) for record in caplog.records]
    assert logged == [
        ("the look at the engine's servers failed", "'first'"),
        (f"the connection to 127.0.0.1:{server.port} failed", "'third'"),
    ]
