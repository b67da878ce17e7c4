"""Eviction, deletion and iteration by the contract of all stores: each test runs on every store."""

from __future__ import annotations

import random

import pytest

from cache.stores.base import DamagedEntry, ResponseStore, StoreError
from tests.fixtures.every_store import MEBIBYTE, OpenStore
from tests.fixtures.stored_entries import KEY, body_of, is_intact, new_entry, purge_all, purge_host, put


@pytest.mark.parametrize("length", [20_000, 200_000])
def test_a_full_store_evicts_the_least_recently_used(open_store_with_limit: OpenStore, length: int) -> None:
    store = open_store_with_limit(MEBIBYTE)
    assert store.evictions == 0
    used = put(store, new_entry("http://used.example/"), length)
    unused = put(store, new_entry("http://unused.example/"), length)
    while store.candidates(unused.key):
        store.touch(used.id)
        newest = put(store, new_entry(f"http://{store.statistics().entries}.example/"), length)
        assert store.statistics().size <= store.statistics().max_size
    assert store.candidates(used.key) == (used,)
    assert store.candidates(newest.key) == (newest,)
    assert is_intact(store, used)
    assert store.evictions >= 1


def test_the_store_never_exceeds_its_size(open_store_with_limit: OpenStore) -> None:
    store = open_store_with_limit(2 * MEBIBYTE)
    for number in range(60):
        put(store, new_entry(f"http://{number % 50}.example/"), [10, 30_000, 65_536, 100_000, 900_000][number % 5])
        assert store.statistics().size <= 2 * MEBIBYTE
    entries = list(store.entries())
    assert len(entries) == store.statistics().entries > 2
    assert all(is_intact(store, entry) for entry in entries)


def test_a_body_larger_than_the_store_is_refused_and_evicts_nothing(open_store: OpenStore) -> None:
    store = open_store(MEBIBYTE)
    stored = put(store, new_entry())
    writer = store.writer()
    writer.write(b"x" * (MEBIBYTE // 2))
    with pytest.raises(StoreError):
        writer.write(b"x" * MEBIBYTE)
    with pytest.raises(StoreError):
        writer.commit(new_entry())
    assert list(store.entries()) == [stored]


@pytest.mark.parametrize("length", [1000, 300_000])
@pytest.mark.parametrize("remove", ["delete", "replace", "clear"])
def test_an_open_body_stays_readable_after_its_entry_is_deleted(
    open_store: OpenStore, length: int, remove: str
) -> None:
    store = open_store(MEBIBYTE)
    stored = put(store, new_entry(), length)
    body = store.open(stored)
    match remove:
        case "delete":
            store.delete(KEY)
        case "replace":
            put(store, new_entry(), replaces=(stored.id,))
        case "clear":
            purge_all(store)
    assert stored not in store.candidates(KEY)
    assert body.read(0, length) == body_of(stored.id, length)
    body.close()


@pytest.mark.parametrize("length", [1000, 300_000])
def test_an_open_body_stays_readable_after_its_entry_is_evicted(open_store_with_limit: OpenStore, length: int) -> None:
    store = open_store_with_limit(MEBIBYTE)
    stored = put(store, new_entry(), length)
    body = store.open(stored)
    assert store.statistics().entries == 1  # which also writes pending changes, so that it can be evicted
    for number in range(8):
        put(store, new_entry(f"http://{number}.example/"), 200_000)
    assert stored not in store.candidates(KEY)
    assert body.read(0, length) == body_of(stored.id, length)
    body.close()


def test_the_body_of_a_deleted_entry_cannot_be_opened(store: ResponseStore) -> None:
    stored = put(store, new_entry())
    store.delete(KEY)
    with pytest.raises(DamagedEntry):
        store.open(stored)
    store.touch(stored.id)


def test_entries_are_deleted_by_key_or_by_id(store: ResponseStore) -> None:
    first, second, third = (put(store, new_entry(), 100_000) for _ in range(3))
    elsewhere = put(store, new_entry(KEY + "elsewhere"))
    assert store.delete(KEY, [second.id, "0" * 32, elsewhere.id]) == 1
    assert store.candidates(KEY) == (third, first)
    assert store.delete(KEY, []) == 0
    assert store.delete(KEY) == 2
    assert store.delete(KEY) == 0
    assert list(store.entries()) == [elsewhere]


def test_a_host_is_deleted_with_any_scheme_port_and_spelling(store: ResponseStore) -> None:
    for key in ("http://a.example/", "https://a.example/x", "http://a.example:8080/", "https://[::1]:8443/"):
        put(store, new_entry(key))
    kept = [put(store, new_entry(key)) for key in ("http://b.a.example/", "http://example/a.example/")]
    assert purge_host(store, "A.Example.") == 3
    assert purge_host(store, "[::1]") == 1
    assert purge_host(store, "a.example") == 0
    assert list(store.entries()) == kept


def test_everything_can_be_cleared(store: ResponseStore) -> None:
    for number in range(5):
        put(store, new_entry(f"http://{number}.example/"), 100_000)
    assert purge_all(store) == 5
    assert purge_all(store) == 0
    assert list(store.entries()) == []
    assert store.statistics().entries == 0
    assert is_intact(store, put(store, new_entry()))


def test_entries_are_iterated_in_the_order_of_their_keys(store: ResponseStore) -> None:
    keys = [f"http://{number:04}.example/\xe9" for number in range(30)]
    for key in random.Random(1).sample(keys, len(keys)):
        put(store, new_entry(key))
    put(store, new_entry(keys[3]))
    assert [entry.key for entry in store.entries()] == sorted([*keys, keys[3]])


def test_entries_can_be_deleted_while_they_are_iterated(store: ResponseStore) -> None:
    for number in range(20):
        put(store, new_entry(f"http://{number:02}.example/"))
    assert sum(store.delete(entry.key) for entry in store.entries()) == 20
    assert list(store.entries()) == []
