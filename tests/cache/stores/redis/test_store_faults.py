"""The engine is stopped, killed, restarted, emptied, full or slow: nothing outdated is believed, and nobody waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.base import Overtaken, StoreError
from cache.stores.purge_scopes import ALL, Scope, tag_name
from cache.stores.redis.connection import EngineError
from cache.stores.redis.scripts import DRAFT_ROW
from cache.stores.redis.store import RedisStore
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.redis_stores import IMPATIENT, in_time
from tests.fixtures.stored_entries import KEY, body_of, new_entry, put, read
from tests.fixtures.until import LONGEST, wait_until


def is_away(node: RedisStore) -> bool:
    return node.engine.problem is not None


def is_back(node: RedisStore) -> bool:
    return node.engine.problem is None


def keep(node: RedisStore, entry: StoredResponse) -> StoredResponse | None:
    return node.keep(entry, body_of(entry.id, 100))


def test_while_the_engine_is_gone_memory_answers_and_stores(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    stored = put(node, new_entry())
    server.kill()
    wait_until(lambda: is_away(node))
    assert node.peek(KEY) == (stored,)
    assert node.peek_body(stored) == body_of(stored.id, 100)
    assert node.peek(f"{KEY}other") == ()
    newer = keep(node, new_entry())
    assert newer
    assert node.peek(KEY) == (newer, stored)
    assert node.try_update(replace(newer, request_time=2.0, revision=1))
    assert node.peek(KEY) == (replace(newer, request_time=2.0, revision=1), stored)


def test_what_memory_does_not_have_fails_at_once(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    stored = put(node, new_entry(), 2_000_000)
    server.kill()
    wait_until(lambda: is_away(node))
    with pytest.raises(StoreError):
        node.candidates(f"{KEY}other")
    with pytest.raises(StoreError):
        node.open(stored)
    with pytest.raises(StoreError):
        put(node, new_entry(), 2_000_000)
    with pytest.raises(StoreError):
        node.purge([Scope(ALL)])


def test_after_an_empty_restart_nothing_from_before_is_believed(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    put(node, new_entry())
    stamp, before = node.generations.stamp(KEY), node.generations.last_purge()
    server.kill()
    wait_until(lambda: is_away(node))
    server.start()
    wait_until(lambda: is_back(node))
    assert node.peek(KEY) is None
    assert not node.generations.is_current(stamp)
    assert node.candidates(KEY) == ()
    with pytest.raises(Overtaken):
        put(node, new_entry(last_purge=before))  # purges in between may be lost
    put(node, new_entry(last_purge=node.generations.last_purge()))
    assert len(node.candidates(KEY)) == 1


def test_an_engine_that_was_stopped_is_used_again_without_a_new_connection(
    open_node: OpenNode, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.stores.redis.server.GIVE_UP", LONGEST)
    node = open_node(timeout=IMPATIENT)
    stored = in_time(lambda: put(node, new_entry()))
    server.pause()
    with pytest.raises(StoreError):
        node.candidates(f"{KEY}other")
    wait_until(lambda: is_away(node))
    assert node.peek(KEY) == (stored,)
    server.resume()
    wait_until(lambda: is_back(node))
    assert node.peek(KEY) == (stored,)  # the connection has told of all changes
    assert node.engine.interruptions.slow
    assert not node.engine.interruptions.lost


def test_after_a_long_stop_everything_is_read_again(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node(timeout=IMPATIENT)
    stored = in_time(lambda: put(node, new_entry()))
    server.pause()
    wait_until(lambda: "does not answer" in (node.engine.problem or ""))
    assert node.peek(KEY) == (stored,)
    server.resume()
    wait_until(lambda: is_back(node))
    assert node.peek(KEY) is None
    assert in_time(lambda: node.candidates(KEY)) == (stored,)


def test_a_removal_while_the_engine_is_stopped_is_made_when_it_is_back(
    open_node: OpenNode, server: RedisServer
) -> None:
    node = open_node(timeout=IMPATIENT)
    in_time(lambda: put(node, new_entry()))
    server.pause()
    assert node.invalidate(KEY) == 1
    assert node.peek(KEY) == ()
    server.resume()
    wait_until(lambda: is_back(node))
    assert in_time(lambda: node.candidates(KEY)) == ()
    assert not server.client().keys("*:r:*")


def test_too_many_removals_while_the_engine_is_gone_become_a_purge(
    open_node: OpenNode, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.stores.redis.lost_changes.MAX_KEYS", 2)
    node, witness = open_node(timeout=IMPATIENT), open_node()
    for number in range(4):
        in_time(lambda number=number: put(node, new_entry(f"{KEY}{number}")))
    server.pause()
    for number in range(3):
        node.delete(f"{KEY}{number}")
    server.resume()
    wait_until(lambda: is_back(node))
    assert in_time(lambda: list(node.entries())) == []
    wait_until(lambda: list(witness.entries()) == [])


def test_a_replica_that_lacks_the_last_purges_gets_them_again(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    put(node, new_entry(tags="news"))
    copy = {name: server.client().dump(name) for name in server.client().keys("*")}
    node.purge([Scope(tag_name("news"))])
    node.invalidate(f"{KEY}other")
    client = server.client()
    client.config_set("maxclients", 1)  # nobody is connected while the state from before the purge is restored
    client.client_kill_filter(_type="normal", skipme=True)
    wait_until(lambda: is_away(node))
    client.flushall()
    for name, data in copy.items():
        client.restore(name, 60_000, data)
    client.config_set("maxclients", 100)
    wait_until(lambda: is_back(node))
    assert node.candidates(KEY) == ()
    assert open_node().candidates(KEY) == ()


def test_a_log_of_purges_that_was_evicted_ends_what_was_stored_before(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    put(node, new_entry())
    server.client().delete(node.names.purges)
    wait_until(lambda: node.candidates(KEY) == ())
    assert open_node().candidates(KEY) == ()
    put(node, new_entry())
    assert len(open_node().candidates(KEY)) == 1


def test_an_engine_that_is_full_still_answers_and_still_deletes(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    stored = put(node, new_entry(), 300_000)
    server.client().config_set("maxmemory", 1)
    with pytest.raises(StoreError, match="full"):
        put(node, new_entry())
    assert is_back(node)
    other = open_node()
    assert read(other, *other.candidates(KEY)) == body_of(stored.id, 300_000)
    assert node.invalidate(KEY) == 0  # it is deleted, since it cannot be marked
    assert open_node().candidates(KEY) == ()


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl", "allkeys-lfu"])
def test_whatever_the_engine_evicts_an_answer_is_whole_or_missing(
    open_node: OpenNode, server: RedisServer, policy: str
) -> None:
    client = server.client()
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 6_000_000)
    client.config_set("maxmemory-policy", policy)
    node = open_node(memory_size=1)
    served = 0
    for number in range(60):
        put(node, new_entry(f"{KEY}{number}"), 300_000)
    assert client.info("stats")["evicted_keys"] > 0
    for number in range(60):
        for entry in node.candidates(f"{KEY}{number}"):
            try:
                served += read(node, entry) == body_of(entry.id, 300_000)
            except StoreError:
                assert node.candidates(entry.key) == ()
    assert served or policy.startswith("allkeys")  # these may evict the log of purges, too: it is as old as the rest


def test_scripts_that_the_engine_has_forgotten_are_loaded_again(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    put(node, new_entry(f"{KEY}before"))
    server.client().script_flush()
    with pytest.raises(EngineError, match="NOSCRIPT"):
        put(node, new_entry())
    wait_until(lambda: server.client().script_exists(DRAFT_ROW.digest)[0])
    wait_until(lambda: is_back(node))
    stored = put(node, new_entry())
    assert node.candidates(KEY) == (stored,)


def test_a_purge_after_the_scripts_were_forgotten_fails_once(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node()
    put(node, new_entry())
    server.client().script_flush()
    with pytest.raises(EngineError, match="NOSCRIPT"):
        node.purge([Scope(ALL)])
    wait_until(lambda: server.client().script_exists(DRAFT_ROW.digest)[0])
    wait_until(lambda: is_back(node))
    assert node.purge([Scope(ALL)]).copies == 1


def test_a_store_whose_engine_was_never_there_is_memory_alone(open_node: OpenNode, server: RedisServer) -> None:
    server.kill()
    node = open_node(patience=0.0)
    wait_until(lambda: "cannot be reached" in (node.engine.problem or ""))
    stored = keep(node, new_entry())
    assert stored
    assert node.peek(KEY) == (stored,)
    server.start()
    wait_until(lambda: is_back(node))
    assert node.candidates(KEY) == ()
    put(node, new_entry())
