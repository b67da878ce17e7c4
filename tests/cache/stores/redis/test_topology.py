"""A Cluster of three servers, and a Sentinel: keys are found, purges are seen, and a failover loses no purge."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.purge_scopes import ALL, Scope, tag_name
from cache.stores.redis.store import RedisStore
from tests.fixtures.redis_server import needs_redis
from tests.fixtures.redis_stores import redis_store
from tests.fixtures.redis_topologies import RedisCluster, SentinelGroup
from tests.fixtures.stored_entries import is_intact, new_entry, put
from tests.fixtures.until import wait_until

KEYS = [f"http://a.example/{number}" for number in range(30)]

pytestmark = needs_redis


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with closing(RedisCluster(tmp_path / "cluster")) as started:
        yield started


@pytest.fixture
def nodes(cluster: RedisCluster) -> Iterator[list[RedisStore]]:
    opened = [redis_store(cluster.url) for _ in range(2)]
    yield opened
    for store in opened:
        store.close()


def test_copies_are_on_all_servers_of_a_cluster(nodes: list[RedisStore], cluster: RedisCluster) -> None:
    one, other = nodes
    stored = [put(one, new_entry(key), 600_000) for key in KEYS]
    for entry in stored:
        assert other.candidates(entry.key) == (entry,)
        assert is_intact(other, entry)
    assert all(server.client().dbsize() > 10 for server in cluster.servers)
    assert [entry.key for entry in one.entries()] == sorted(KEYS)
    assert other.measure([Scope(ALL)]).copies == len(KEYS)


def test_changes_on_every_server_of_a_cluster_are_heard_of(nodes: list[RedisStore]) -> None:
    one, other = nodes
    for key in KEYS:
        put(one, new_entry(key, tags="news"))
        wait_until(lambda key=key: other.candidates(key) == other.peek(key))
    for key in KEYS[:10]:
        one.invalidate(key)
    wait_until(lambda: [entry.invalid for key in KEYS for entry in other.candidates(key)] == [True] * 10 + [False] * 20)
    assert one.purge([Scope(tag_name("news"))]).copies == len(KEYS)
    wait_until(lambda: all(other.candidates(key) == () for key in KEYS))


def test_a_slot_that_has_moved_is_found(nodes: list[RedisStore], cluster: RedisCluster) -> None:
    one, other = nodes
    stored = [put(one, new_entry(key)) for key in KEYS]
    for name in (one.names.row(KEYS[0]), one.names.purges):
        cluster.move_slot(name)
    for entry in stored:
        wait_until(lambda entry=entry: found(other, entry.key) == (entry,))
    one.purge([Scope(ALL)])
    wait_until(lambda: other.candidates(KEYS[0]) == ())
    newer = put(other, new_entry(KEYS[0]))
    wait_until(lambda: found(one, KEYS[0]) == (newer,))


def test_what_is_in_a_slot_is_found_and_removed_while_it_moves(nodes: list[RedisStore], cluster: RedisCluster) -> None:
    one, other = nodes
    stored = put(one, new_entry(KEYS[0]), 600_000)  # a row, and three chunks
    row = one.names.row(KEYS[0])
    cluster.begin_to_move(row)
    assert is_intact(other, stored)  # all of it is at the source
    cluster.move_contents(row)
    assert other.candidates(KEYS[0]) == (stored,)  # all of it is at the target
    assert is_intact(other, stored)
    with ThreadPoolExecutor() as pool:
        removed = pool.submit(one.delete, KEYS[0])  # the draft of a row is at neither, until the slot has moved
        cluster.end_move(row)
        removed.result()
    wait_until(lambda: other.candidates(KEYS[0]) == ())
    assert (one.engine.interruptions.lost, other.engine.interruptions.lost) == (0, 0)


def found(node: RedisStore, key: str) -> object:
    try:
        return node.candidates(key)
    except StoreError:
        return None


def test_without_one_server_of_a_cluster_the_others_are_used(nodes: list[RedisStore], cluster: RedisCluster) -> None:
    one, other = nodes
    stored = [put(one, new_entry(key)) for key in KEYS]
    for server in cluster.servers:
        server.client().config_set("cluster-require-full-coverage", "no")
    gone = cluster.server_of(one.names.row(KEYS[0]))
    gone.kill()
    wait_until(lambda: found(other, KEYS[0]) is None and other.engine.problem)
    left = [entry for entry in stored if cluster.server_of(other.names.row(entry.key)) is not gone]
    assert 5 < len(left) < 25
    for entry in left:
        wait_until(lambda entry=entry: found(other, entry.key) == (entry,))


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with closing(SentinelGroup(tmp_path / "group")) as started:
        yield started


def test_the_replica_that_takes_over_is_found_and_lacks_no_purge(group: SentinelGroup) -> None:
    one, other = redis_store(group.url), redis_store(group.url)
    put(one, new_entry(KEYS[0], tags="news"))
    put(one, new_entry(KEYS[1]))
    wait_until(lambda: group.replica.client().dbsize() == group.primary.client().dbsize())
    group.replica.client().replicaof("127.0.0.1", 1)  # it hears of nothing more
    one.purge([Scope(tag_name("news"))])
    group.primary.kill()
    wait_until(lambda: one.engine.problem and other.engine.problem)
    wait_until(lambda: group.replica.client().info("replication")["role"] == "master")
    for node in (one, other):
        wait_until(lambda node=node: node.engine.problem is None)
        assert node.candidates(KEYS[0]) == ()
        assert len(node.candidates(KEYS[1])) == 1
        assert node.engine.interruptions.lost >= 1  # that of the server which is not used any more still counts
    late = redis_store(group.url)
    assert late.candidates(KEYS[0]) == ()
    for node in (one, other, late):
        node.close()


def test_a_sentinel_needs_the_name_of_the_primary(group: SentinelGroup) -> None:
    node = redis_store(group.url.partition("?")[0], patience=0.5)
    wait_until(lambda: 'add "?master=NAME"' in (node.engine.problem or ""))
    node.close()
    node = redis_store(group.url + "x", patience=0.5)
    wait_until(lambda: "knows no primary server named mainx" in (node.engine.problem or ""))
    node.close()
