"""The tiered store beyond the contract: changes are in memory at once, on disk soon, and never outdated."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cache.policy.reasons import NotStored
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, body_of, is_intact, new_entry, purge_all, purge_host, put, read

OpenStore = Callable[..., TieredStore]


# ---- memory


def test_a_kept_entry_is_in_memory_at_once(open_store: OpenStore, slow: None) -> None:
    store = open_store()
    assert store.peek(KEY) == ()
    number = store.generations.current(store.generations.slot(KEY))
    stored = store.keep(new_entry(), b"body")
    assert stored
    assert stored.length == 4
    assert store.peek(KEY) == (stored,)
    assert store.peek_body(stored) == b"body"
    assert store.generations.current(store.generations.slot(KEY)) != number
    assert store.open(stored).read(0, 4) == b"body"


def test_a_kept_entry_replaces_those_it_supersedes_or_names(open_store: OpenStore, slow: None) -> None:
    store = open_store()
    vary = (("accept", "text/html"),)
    first, second = store.keep(new_entry(vary=vary), b"1"), store.keep(new_entry(), b"2")
    assert first
    assert second
    third = store.keep(new_entry(vary=vary), b"3")
    assert store.peek(KEY) == (third, second)
    fourth = store.keep(new_entry(), b"4", [second.id])
    assert store.peek(KEY) == (fourth, third)
    assert store.peek_body(second) is None
    store.close()


def test_beyond_the_limit_of_variants_an_entry_is_kept_without_waiting_for_the_disk(
    open_store: OpenStore, other: DiskStore
) -> None:
    store = open_store(1 << 20)
    stored = [store.keep(new_entry(), b"body") for _ in range(MAX_VARIANTS)]
    first, second = stored[:2]
    assert first
    assert second
    store.touch(first.id)
    newest = store.keep(new_entry(), b"body")
    assert newest
    assert store.peek(KEY) == (newest, *(each for each in reversed(stored) if each is not second))
    store.close()
    assert {each.id for each in other.candidates(KEY)} == {each.id for each in (*stored, newest) if each} - {second.id}


def test_an_entry_read_from_disk_stays_in_memory(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry(), 100_000)
    store.close()
    store = open_store()
    assert store.candidates(KEY) == (stored,)
    assert store.peek_body(stored) is None
    assert is_intact(store, stored)
    assert store.peek(KEY) == (stored,)
    assert store.peek_body(stored) == body_of(stored.id, 100_000)


def test_a_small_entry_on_disk_is_read_without_a_thread(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry())
    store.close()
    store = open_store()
    assert store.peek(KEY) == (stored,)
    assert store.peek_body(stored) == body_of(stored.id, 100)
    store._quick_reads.close()
    assert store.peek(KEY) == (stored,)
    assert store.peek_body(stored) == body_of(stored.id, 100)


def test_a_large_body_stays_on_the_disk_and_has_a_descriptor(open_store: OpenStore) -> None:
    store = open_store(max_object=200_000)
    small, large = put(store, new_entry(), 200_000), put(store, new_entry(), 200_001)
    assert store.candidates(KEY) == (large, small)
    assert is_intact(store, small)
    assert is_intact(store, large)
    assert store.peek_body(small)
    assert store.peek_body(large) is None
    with closing(store.open(small)) as body:
        assert body.descriptor is None
    with closing(store.open(large)) as body:
        assert body.descriptor is not None
        with open(body.descriptor, "rb", closefd=False) as file:
            assert file.read() == body_of(large.id, 200_001)


def test_without_memory_everything_is_on_the_disk(open_store: OpenStore) -> None:
    store = open_store(memory=0)
    assert store.keep(new_entry(), b"body") is None
    stored = put(store, new_entry())
    store._quick_reads.close()
    assert store.peek(KEY) is None
    assert store.candidates(KEY) == (stored,)
    assert is_intact(store, stored)
    assert store.peek_body(stored) is None
    assert store.try_update(replace(stored, revision=1)) is None
    assert store.update(replace(stored, revision=1))


# ---- pending changes


def test_a_pending_change_is_written_to_disk(open_store: OpenStore, other: DiskStore) -> None:
    store = open_store()
    stored = store.keep(new_entry(), b"body")
    assert stored
    store._write_behind.flush()
    assert other.candidates(KEY) == (stored,)
    assert read(other, stored) == b"body"
    assert store.peek(KEY) == (stored,)


def test_closing_writes_pending_changes(open_store: OpenStore, other: DiskStore, slow: None) -> None:
    store = open_store(memory=256 << 20)
    kept = [store.keep(new_entry(f"http://{number}.example/"), b"x") for number in range(5000)]
    store.close()
    assert len(list(other.entries())) == len([each for each in kept if each]) > 4990


def test_changes_of_one_key_keep_their_order(open_store: OpenStore, other: DiskStore, slow: None) -> None:
    store = open_store()
    first = store.keep(new_entry(), b"1")
    assert first
    assert store.try_update(replace(first, request_time=2.0, revision=1))
    assert not store.try_update(replace(first, request_time=3.0, revision=1))
    second = store.keep(new_entry(), b"2")
    assert second
    assert store.try_update(replace(first, request_time=4.0, revision=2))
    now = (second, replace(first, request_time=4.0, revision=2))
    assert store.peek(KEY) == now
    store._write_behind.flush()
    assert other.candidates(KEY) == store.peek(KEY) == now


PURGES: dict[str, Callable[[TieredStore | DiskStore], int]] = {
    "a key": lambda store: store.delete(KEY),
    "a host": lambda store: purge_host(store, "a.example"),
    "all": lambda store: purge_all(store),
}


@pytest.mark.parametrize("purge", PURGES.values(), ids=PURGES)
def test_a_purge_also_deletes_pending_entries(
    open_store: OpenStore, other: DiskStore, slow: None, purge: Callable[[TieredStore | DiskStore], int]
) -> None:
    store = open_store()
    stored = store.keep(new_entry(), b"body")
    assert stored
    assert purge(store) == 1
    assert store.peek(KEY) == ()
    assert store.peek_body(stored) is None
    assert store.candidates(KEY) == other.candidates(KEY) == ()


def test_pending_entries_are_invalidated_too(open_store: OpenStore, other: DiskStore, slow: None) -> None:
    store = open_store()
    store.keep(new_entry(), b"body")
    assert store.invalidate(KEY) == 1
    assert [entry.invalid for entry in store.candidates(KEY)] == [True]
    store.keep(new_entry(KEY + "x"), b"body")
    assert store.invalidate_where(KEY, lambda entry: not entry.invalid) == 1
    assert all(entry.invalid for entry in other.entries())


def test_with_too_many_pending_changes_storing_waits_for_the_disk(open_store: OpenStore, slow: None) -> None:
    store = open_store(memory=1 << 20)
    bodies = [new_entry(f"http://{number}.example/") for number in range(100)]
    kept = [store.keep(entry, b"x" * 10_000) for entry in bodies]
    assert 0 < len([each for each in kept if each]) < 20
    assert put(store, bodies[-1], 10_000)
    assert store.statistics().entries == len([each for each in kept if each]) + 1


@pytest.mark.parametrize("length", [1000, 60_000, 200_000])
def test_memory_is_limited_and_evicted_entries_are_still_on_disk(open_store: OpenStore, length: int) -> None:
    store = open_store(memory=1 << 20)
    stored = [put(store, new_entry(f"http://{number}.example/"), length) for number in range(60)]
    for _ in range(2):
        for entry in stored:
            assert store.candidates(entry.key) == (entry,)
            assert is_intact(store, entry)
            assert store.memory.size <= 1 << 20


# ---- a disk that fails


def test_changes_that_cannot_be_written_are_dropped_and_counted(
    open_store: OpenStore, directory: Path, lost: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(lock_timeout=0.05)
    stored = put(store, new_entry())
    store._write_behind.flush()
    with closing(sqlite3.connect(directory / "cache.db", isolation_level=None)) as other_connection:
        other_connection.execute("BEGIN IMMEDIATE")
        dropped = [store.keep(new_entry(f"http://{number}.example/"), b"x") for number in range(3)]
        store.try_update(replace(stored, revision=1))
        store._write_behind.flush()
    assert lost == {NotStored.STORE_FAILED: 4}
    assert "4 changes were not written" in caplog.text
    assert all(store.candidates(each.key) == () for each in dropped if each)
    assert store.candidates(KEY) == (stored,)
    again = put(store, new_entry(KEY + "again"))
    assert is_intact(store, again)
    store._write_behind.flush()
    assert lost == {NotStored.STORE_FAILED: 4}


def test_a_failed_change_does_not_affect_others_in_its_batch(
    open_store: OpenStore, other: DiskStore, lost: Counter[str], slow: None
) -> None:
    store = open_store()
    taken = put(other, new_entry(KEY + "taken"))
    store.keep(new_entry(KEY + "1"), b"1")
    store.keep(new_entry(KEY + "2", id=taken.id), b"2")
    store.keep(new_entry(KEY + "3"), b"3")
    store._write_behind.flush()
    assert [entry.key for entry in store.entries()] == [KEY + "1", KEY + "3", KEY + "taken"]
    assert store.candidates(KEY + "2") == ()
    assert lost == {NotStored.STORE_FAILED: 1}
    assert is_intact(other, taken)


def test_each_body_of_a_batch_is_in_the_row_before_that_of_its_head(
    open_store: OpenStore, directory: Path, slow: None
) -> None:
    store = open_store()
    for number in range(100):
        store.keep(new_entry(f"{KEY}{number}"), b"body")
    store.commit()
    with closing(sqlite3.connect(directory / "cache.db")) as database:
        found = database.execute("SELECT rowid, COALESCE(tag, substr(key, 3)), tag IS NULL FROM Cache ORDER BY rowid")
        rows = found.fetchall()
    assert [(key, is_head) for _, key, is_head in rows] == [
        (f"{KEY}{number}", is_head) for number in range(100) for is_head in (0, 1)
    ]
    assert [head[0] - body[0] for body, head in zip(rows[::2], rows[1::2], strict=True)] == [1] * 100


def test_a_malformed_entry_is_not_kept(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(StoreError):
        store.keep(new_entry(key="http://a.example/\r\n"), b"body")
    assert list(store.entries()) == []


# ---- a body that is being written


@pytest.mark.parametrize("length", [1000, 300_000])
def test_a_body_can_be_read_back_while_it_is_written_and_afterwards(open_store: OpenStore, length: int) -> None:
    store = open_store()
    entry = new_entry()
    body = body_of(entry.id, length)
    writer = store.writer()
    for start in range(0, length, 10_000):
        writer.write(body[start : start + 10_000])
        assert writer.read(start, min(start + 10_000, length)) == body[start : start + 10_000]
    with pytest.raises(StoreError):
        writer.read(0, length + 1)
    writer.commit(entry)
    assert writer.read(5, length) == body[5:]
    writer.abort()
    with pytest.raises(StoreError):
        writer.read(0, 1)
