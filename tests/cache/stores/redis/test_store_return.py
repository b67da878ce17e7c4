"""The engine is back: what this node has done without it is made good before its memory is believed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cache.stores.base import StoreError
from cache.stores.redis.connection import EngineError
from cache.stores.redis.engine import Engine
from cache.stores.redis.store import RedisStore
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.redis_stores import IMPATIENT, in_time
from tests.fixtures.stored_entries import KEY, body_of, new_entry, put
from tests.fixtures.until import wait_until


def is_back(node: RedisStore) -> bool:
    return node.engine.problem is None


@pytest.fixture
def late_threads(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[RedisStore], None]:
    """Return a function that lets a thread hear of a failure only when the engine is used again."""

    def delay(node: RedisStore) -> None:
        run = Engine.run

        def run_late(*arguments: Any) -> object:
            try:
                return run(*arguments)
            except EngineError:
                server.resume()
                wait_until(lambda: is_back(node))
                raise

        monkeypatch.setattr(Engine, "run", run_late)

    return delay


def test_a_removal_is_made_though_its_thread_hears_of_the_failure_too_late(
    open_node: OpenNode, server: RedisServer, late_threads: Callable[[RedisStore], None]
) -> None:
    node = open_node(timeout=IMPATIENT)
    in_time(lambda: put(node, new_entry()))
    late_threads(node)
    server.pause()
    node.invalidate(KEY)
    assert in_time(lambda: node.candidates(KEY)) == ()
    assert open_node().candidates(KEY) == ()


def test_what_was_stored_while_the_engine_was_slow_is_not_believed_afterwards(
    open_node: OpenNode, server: RedisServer
) -> None:
    node = open_node(timeout=IMPATIENT)
    untouched = in_time(lambda: put(node, new_entry(f"{KEY}untouched")))
    make_slow(node, server)
    entry = new_entry()
    assert node.keep(entry, body_of(entry.id, 100))
    server.resume()
    wait_until(lambda: is_back(node))
    assert node.peek(KEY) is None
    assert in_time(lambda: node.candidates(KEY)) == ()
    assert node.peek(f"{KEY}untouched") == (untouched,)


def test_what_was_updated_while_the_engine_was_slow_can_be_updated_afterwards(
    open_node: OpenNode, server: RedisServer
) -> None:
    node = open_node(timeout=IMPATIENT)
    stored = in_time(lambda: put(node, new_entry()))
    make_slow(node, server)
    updated = replace(stored, request_time=2.0, revision=1)
    assert node.try_update(updated)
    assert node.peek(KEY) == (updated,)
    server.resume()
    wait_until(lambda: is_back(node))
    assert in_time(lambda: node.candidates(KEY)) == (stored,)
    assert in_time(lambda: node.update(updated))
    assert open_node().candidates(KEY) == (updated,)


def make_slow(node: RedisStore, server: RedisServer) -> None:
    server.pause()
    with pytest.raises(StoreError):
        node.candidates(f"{KEY}other")
