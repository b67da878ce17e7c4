"""The engine is there, but what goes to it is late or lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cache.stores.base import StoreError
from cache.stores.purge_scopes import ALL, Scope
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.redis_stores import IMPATIENT, in_time
from tests.fixtures.relay import Relay
from tests.fixtures.stored_entries import KEY, new_entry, put
from tests.fixtures.until import wait_until


@pytest.fixture
def relay(server: RedisServer) -> Iterator[Relay]:
    with Relay(server.port) as started:
        yield started


def test_a_slow_engine_is_left_alone_until_it_is_quick_again(open_node: OpenNode, relay: Relay) -> None:
    node = open_node(f"redis://127.0.0.1:{relay.port}", timeout=IMPATIENT)
    stored = in_time(lambda: put(node, new_entry()))
    relay.delay = IMPATIENT
    with pytest.raises(StoreError):
        node.candidates(f"{KEY}other")
    wait_until(lambda: node.engine.problem)
    assert node.peek(f"{KEY}other") == ()
    assert node.peek(KEY) == (stored,)
    relay.delay = 0.0
    wait_until(lambda: node.engine.problem is None)
    assert in_time(lambda: node.candidates(f"{KEY}other")) == ()
    assert node.peek(KEY) == (stored,)


def test_a_purge_during_a_partition_is_known_before_the_engine_is_used_again(open_node: OpenNode, relay: Relay) -> None:
    parted, other = open_node(f"redis://127.0.0.1:{relay.port}", timeout=IMPATIENT), open_node()
    in_time(lambda: put(parted, new_entry()))
    relay.part()
    wait_until(lambda: parted.engine.problem)
    other.purge([Scope(ALL)])
    put(other, new_entry(f"{KEY}other"))
    relay.join()
    wait_until(lambda: parted.engine.problem is None)
    assert in_time(lambda: parted.candidates(KEY)) == ()
    assert len(in_time(lambda: parted.candidates(f"{KEY}other"))) == 1


def test_a_removal_during_a_partition_reaches_the_others(open_node: OpenNode, relay: Relay) -> None:
    parted, other = open_node(f"redis://127.0.0.1:{relay.port}", timeout=IMPATIENT), open_node()
    in_time(lambda: put(parted, new_entry()))
    assert len(other.candidates(KEY)) == 1
    relay.part()
    parted.invalidate(KEY)
    assert parted.peek(KEY) == ()
    relay.join()
    wait_until(lambda: other.candidates(KEY) == ())
    assert in_time(lambda: parted.candidates(KEY)) == ()
