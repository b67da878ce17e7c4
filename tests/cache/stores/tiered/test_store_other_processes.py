"""The tiered store beside other processes on the same disk: what they see of its changes, and it of theirs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from cache.policy.reasons import NotStored
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, body_of, new_entry, purge_all, purge_host, put

OpenStore = Callable[..., TieredStore]


def test_a_caller_is_told_when_other_processes_see_a_change_and_may_hasten_that(
    open_store: OpenStore, other: DiskStore, slow: None
) -> None:
    store, seen = open_store(), Event()
    store.keep(new_entry(), b"body")
    assert store.call_when_committed(KEY, seen.set)
    assert not seen.is_set()
    assert other.candidates(KEY) == ()
    store.commit_soon()
    assert seen.wait(30)
    assert len(other.candidates(KEY)) == 1


def test_nothing_is_to_be_told_of_a_key_without_pending_changes(open_store: OpenStore, slow: None) -> None:
    store = open_store()
    put(store, new_entry(), 300_000)  # a file, which does not wait for others
    store.keep(new_entry(KEY + "other"), b"body")
    assert not store.call_when_committed(KEY, lambda: pytest.fail("it was called"))


def test_a_caller_is_also_told_of_changes_that_cannot_be_written(
    open_store: OpenStore, directory: Path, slow: None
) -> None:
    store, seen = open_store(lock_timeout=0.05), Event()
    with closing(sqlite3.connect(directory / "cache.db", isolation_level=None)) as other_connection:
        other_connection.execute("BEGIN IMMEDIATE")
        store.keep(new_entry(), b"body")
        assert store.call_when_committed(KEY, seen.set)
        store.commit_soon()
        assert seen.wait(30)
    assert store.candidates(KEY) == ()


PURGES: dict[str, Callable[[TieredStore | DiskStore], int]] = {
    "a key": lambda store: store.delete(KEY),
    "a host": lambda store: purge_host(store, "a.example"),
    "all": lambda store: purge_all(store),
}


@pytest.mark.parametrize("change", ["store", "purge", "invalidate"])
def test_a_change_by_another_process_is_seen_at_once(open_store: OpenStore, other: DiskStore, change: str) -> None:
    store = open_store()
    stored = put(store, new_entry())
    store._write_behind.flush()
    assert store.peek(KEY) == (stored,)
    match change:
        case "store":
            put(other, new_entry())
        case "purge":
            other.delete(KEY)
        case "invalidate":
            other.invalidate(KEY)
    assert store.peek(KEY) == store.candidates(KEY) == other.candidates(KEY) != (stored,)


CHANGES_BY_OTHERS: dict[str, Callable[[DiskStore], int]] = PURGES | {
    "invalidation": lambda store: store.invalidate(KEY)
}


@pytest.mark.parametrize("change", CHANGES_BY_OTHERS.values(), ids=CHANGES_BY_OTHERS)
def test_what_another_process_purges_or_invalidates_is_not_stored_later_by_a_pending_change(
    open_store: OpenStore, other: DiskStore, lost: Counter[str], slow: None, change: Callable[[DiskStore], int]
) -> None:
    store = open_store()
    stored = store.keep(new_entry(), b"body")
    assert stored
    change(other)
    assert not store.peek(KEY)
    assert store.peek_body(stored) is None
    assert store.candidates(KEY) == other.candidates(KEY) == ()
    assert lost == {NotStored.OVERTAKEN: 1}


@pytest.mark.parametrize("sizes", [(4, 4), (4, 200_000)], ids=["small", "file"])
def test_variants_that_processes_store_at_the_same_time_are_all_kept(
    open_store: OpenStore, other: DiskStore, lost: Counter[str], slow: None, sizes: tuple[int, int]
) -> None:
    store = open_store()
    first = store.keep(new_entry(vary=(("accept-language", "en"),)), body_of("x", sizes[0]))
    second = put(other, new_entry(vary=(("accept-language", "de"),)), sizes[1])
    assert first
    assert set(store.candidates(KEY)) == set(other.candidates(KEY)) == {first, second}
    assert not lost


def test_what_another_process_deletes_and_stores_anew_cancels_pending_changes(
    open_store: OpenStore, other: DiskStore, lost: Counter[str], slow: None
) -> None:
    store = open_store()
    store.keep(new_entry(vary=(("accept-language", "en"),)), b"body")
    other.delete(KEY)
    anew = put(other, new_entry(vary=(("accept-language", "de"),)))
    assert store.candidates(KEY) == other.candidates(KEY) == (anew,)
    assert lost == {NotStored.OVERTAKEN: 1}


def test_a_purge_by_another_process_cancels_pending_changes(
    open_store: OpenStore, other: DiskStore, lost: Counter[str], slow: None
) -> None:
    first = put(other, new_entry())
    store = open_store()
    assert store.candidates(KEY) == (first,)
    store.keep(new_entry(), b"body")
    other.delete(KEY)
    assert store.peek(KEY) is None
    assert store.candidates(KEY) == other.candidates(KEY) == ()
    assert lost == {NotStored.OVERTAKEN: 1}
