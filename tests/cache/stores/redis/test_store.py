"""Several nodes on one engine: what one changes, the others see, although each has a part in its memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, Extent, Overtaken, StoreError
from cache.stores.listing import Order, Selection
from cache.stores.purge_scopes import ALL, Conditions, Scope, tag_name, url_name, where
from cache.stores.redis.engine import Engine
from cache.stores.redis.invalidation import Invalidation
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.store import RedisStore
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.redis_server import RedisServer
from tests.fixtures.stored_entries import KEY, body_of, is_intact, new_entry, put, read
from tests.fixtures.until import wait_until


def has_in_memory(node: RedisStore, stored: StoredResponse) -> None:
    """Read an entry into the memory of a node, until it has heard of what was changed just before."""
    wait_until(lambda: node.candidates(stored.key) == (stored,) == node.peek(stored.key))


@pytest.mark.parametrize("length", [0, 100, 300_000, 3_000_000])
def test_what_one_node_stores_another_one_serves(open_node: OpenNode, length: int) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry(), length)
    assert other.candidates(KEY) == (stored,)
    assert read(other, stored) == body_of(stored.id, length)


def test_a_node_that_starts_later_has_all_at_once(open_node: OpenNode) -> None:
    stored = put(open_node(), new_entry())
    started = open_node()
    assert started.candidates(KEY) == (stored,)
    assert is_intact(started, stored)


def test_memory_answers_without_the_engine(open_node: OpenNode, server: RedisServer) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry(target=KEY))
    has_in_memory(other, stored)
    read(other, stored)
    asked = server.client().info("commandstats")["cmdstat_get"]["calls"]
    for node in (one, other):
        assert node.peek(KEY) == (stored,)
        assert node.peek_body(stored) == body_of(stored.id, 100)
        whole = node.peek_whole(KEY)
        assert whole
        assert whole.body == body_of(stored.id, 100)
    assert server.client().info("commandstats")["cmdstat_get"]["calls"] == asked


def test_a_change_of_one_node_ends_what_another_one_has_in_memory(open_node: OpenNode) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry())
    has_in_memory(other, stored)
    stamp = other.generations.stamp(KEY)
    newer = put(one, new_entry(), replaces=(stored.id,))
    wait_until(lambda: other.peek(KEY) is None)
    assert not other.generations.is_current(stamp)
    assert other.candidates(KEY) == (newer,)
    assert one.peek(KEY) == (newer,)  # its own change does not end what it has itself


def test_changes_of_two_nodes_under_one_key_are_both_kept(open_node: OpenNode) -> None:
    nodes = [open_node(), open_node()]
    stored = [put(nodes[number % 2], new_entry()) for number in range(10)]
    for node in nodes:
        wait_until(lambda node=node: node.candidates(KEY) == tuple(reversed(stored)))


def test_a_late_update_of_another_node_changes_nothing(open_node: OpenNode) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry())
    assert other.candidates(KEY) == (stored,)
    assert one.update(replace(stored, request_time=2.0, revision=1))
    assert not other.update(replace(stored, request_time=3.0, revision=1))
    assert [entry.request_time for entry in other.candidates(KEY)] == [2.0]


def test_an_invalidation_is_heard_of_also_where_nothing_is_stored(open_node: OpenNode) -> None:
    one, other = open_node(), open_node()
    removals, generation = other.generations.removal_version(), other.generations.generation(KEY)
    assert one.invalidate(KEY) == 0
    wait_until(lambda: other.generations.removal_version() != removals)
    wait_until(lambda: other.generations.generation(KEY) != generation)


SCOPES = {
    "everything": Scope(ALL),
    "a tag": Scope(tag_name("news")),
    "a URL": Scope(url_name(KEY)),
    "a pattern": where(Conditions(targets=("/",))),
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_a_purge_of_one_node_is_seen_by_another_one(open_node: OpenNode, scope: Scope) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry(tags="news"))
    has_in_memory(other, stored)
    stamp = other.generations.stamp(KEY)
    stamp.tags = stored.tags
    before = other.generations.last_purge()
    assert one.purge([scope]).copies == 1
    wait_until(lambda: other.peek(KEY) is None)
    wait_until(lambda: not other.generations.is_current(stamp))
    assert other.candidates(KEY) == ()
    with pytest.raises(Overtaken):
        put(other, new_entry(tags="news", last_purge=before))
    put(other, new_entry(tags="news", last_purge=other.generations.last_purge()))
    assert len(one.candidates(KEY)) == 1


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_is_much_older_than_a_purge_is_counted_and_deleted(
    open_node: OpenNode, server: RedisServer, scope: Scope
) -> None:
    server.client().zadd(KeyNames("test").purges, {"begin": 1000})
    node = open_node()
    put(node, new_entry(tags="news"), 300_000)
    assert node.statistics().entries == node.measure([scope]).copies == 1
    assert node.purge([scope]) == Extent(1, 300_000)
    assert not server.client().keys("*:[rb]:*")
    assert node.purge([scope]).copies == 0


def test_a_node_that_starts_after_a_purge_knows_it(open_node: OpenNode, server: RedisServer) -> None:
    one = open_node()
    stored = put(one, new_entry(tags="news"))
    rows = server.client().keys("*:r:*")
    [row] = [server.client().get(each) for each in rows]
    one.purge([Scope(tag_name("news"))])
    server.client().set(rows[0], row)  # as if it could not be deleted
    assert open_node().candidates(KEY) == ()
    wait_until(lambda: one.candidates(stored.key) == ())


def test_a_soft_purge_is_seen_by_another_node(open_node: OpenNode) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry())
    assert other.candidates(KEY) == (stored,)
    one.purge([Scope(ALL, soft=True)])
    wait_until(lambda: [entry.soft_purged for entry in other.candidates(KEY)] == [True])


def test_a_purge_of_something_else_leaves_memory_as_it_is(open_node: OpenNode) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry(tags="news"))
    has_in_memory(other, stored)
    number = other.generations.last_purge()
    one.purge([Scope(tag_name("sport"))])
    wait_until(lambda: other.generations.last_purge() not in (number, -1))
    assert other.peek(KEY) == (stored,)


def test_a_chunk_that_the_engine_has_evicted_makes_a_miss(open_node: OpenNode, server: RedisServer) -> None:
    one, other = open_node(), open_node()
    stored = put(one, new_entry(), 2_000_000)
    chunks = sorted(server.client().keys(f"*:b:*{stored.id}*"))
    assert len(chunks) == 8
    server.client().delete(chunks[5])
    with pytest.raises(DamagedEntry):
        other.open(stored)
    assert other.candidates(KEY) == ()
    wait_until(lambda: one.candidates(KEY) == ())
    assert not server.client().keys("*:b:*")


def test_an_altered_chunk_is_never_served(open_node: OpenNode, server: RedisServer) -> None:
    stored = put(open_node(), new_entry(), 300_000)
    [_, second] = sorted(server.client().keys("*:b:*"))
    server.client().setrange(second, 5, b"?")
    other = open_node()
    with pytest.raises(DamagedEntry):
        other.open(stored)
    assert other.candidates(KEY) == ()


DAMAGED = {
    "empty": b"",
    "a version alone": b"\1",
    "no entries": b"\1" + bytes(16),
    "another version": b"\2" + bytes(100),
    "a damaged entry": b"\1" + bytes(16) + b"\x91\xc4\1x",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_counts_as_absent_and_is_overwritten(
    open_node: OpenNode, server: RedisServer, data: bytes
) -> None:
    put(open_node(), new_entry())
    [row] = server.client().keys("*:r:*")
    server.client().set(row, data)
    other = open_node()
    assert other.candidates(KEY) == ()
    stored = put(other, new_entry())
    assert other.candidates(KEY) == (stored,)
    assert open_node().candidates(KEY) == (stored,)


def test_everything_ends_by_itself(open_node: OpenNode, server: RedisServer) -> None:
    node = open_node(lifetime=60.0)
    put(node, new_entry(), 300_000)
    lives = [server.client().pttl(name) for name in server.client().keys("*") if b":p:" not in name]
    assert len(lives) == 3
    assert all(50_000 < life <= 60_000 for life in lives)


def test_stores_of_different_prefixes_share_nothing(open_node: OpenNode) -> None:
    one, other = open_node(prefix="a"), open_node(prefix="b")
    put(one, new_entry())
    other.purge([Scope(ALL)])
    assert other.candidates(KEY) == ()
    assert len(one.candidates(KEY)) == 1
    assert one.statistics().entries == 1


def test_uses_from_memory_are_told_to_the_engine(open_node: OpenNode, server: RedisServer) -> None:
    one = open_node()
    stored = put(one, new_entry())
    one.touch(stored.id)
    one.recency.tell()
    wait_until(lambda: server.client().info("commandstats").get("cmdstat_touch"))


def test_a_removal_is_told_once(open_node: OpenNode, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = open_node(), open_node()
    told: list[bytes] = []
    changed = Invalidation.changed

    def record(invalidation: Invalidation, names: list[bytes] | None) -> None:
        told.extend(names or [])
        changed(invalidation, names)

    monkeypatch.setattr(Invalidation, "changed", record)
    one.delete(KEY)
    one.delete(f"{KEY}second")
    last = other.names.removal(f"{KEY}second").encode()
    wait_until(lambda: last in told)
    assert told.count(other.names.removal(KEY).encode()) == 1
    assert not server.client().keys("*:x:*")  # nothing is left whose end would be told once more


def test_a_name_that_a_scan_returns_twice_counts_once(open_node: OpenNode, monkeypatch: pytest.MonkeyPatch) -> None:
    node = open_node()
    stored = put(node, new_entry())
    name = node.names.row(KEY)
    monkeypatch.setattr(Engine, "scan", lambda *_: iter([[name, name], [name]]))
    assert list(node.entries()) == [stored]
    assert node.statistics().entries == 1
    assert node.measure([Scope(ALL)]).copies == 1
    assert node.purge([Scope(ALL)]).copies == 1


def test_a_body_over_the_limit_is_refused_with_the_name_of_the_setting(open_node: OpenNode) -> None:
    with pytest.raises(StoreError, match="larger than max_object, 1000 bytes"):
        put(open_node(max_body=1000), new_entry(), 1001)


def test_a_list_of_a_few_responses_is_a_sample(open_node: OpenNode) -> None:
    node = open_node()
    keys = [f"{KEY}{number}" for number in range(5)]
    for key in keys:
        put(node, new_entry(key))
    sample = node.listing(Selection(Order.SIZE, compared=3))
    found = [entry.key for place in sample.found for entry in place.entries]
    assert (len(found), set(found) <= set(keys), sample.is_sample) == (3, True, True)
    whole = node.listing(Selection(Order.URL, compared=5))
    assert ([place.place for place in whole.found], whole.is_sample) == (keys, False)
