"""A response with its body at once: from memory or by one read of the disk, without keeping it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore
from cache.stores.tiered import write_behind
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, body_of, new_entry, purge_host, put

OpenStore = Callable[[], TieredStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[OpenStore]:
    with ExitStack() as opened:

        def open_store() -> TieredStore:
            disk = DiskStore(tmp_path / "store", 64 << 20)
            return opened.enter_context(closing(TieredStore(disk, 16 << 20, 1 << 20)))

        yield open_store


def in_whole(store: TieredStore) -> tuple[StoredResponse, bytes] | None:
    """Return the stored response of a whole copy, and its body."""
    copy = store.peek_whole(KEY)
    return (copy.entry(), copy.body) if copy else None


def test_a_response_is_read_from_the_disk_with_its_body_and_not_kept(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        stored = put(store, new_entry())
    store = open_store()
    assert in_whole(store) == (stored, body_of(stored.id, 100))
    store.delete(KEY)
    assert store.peek_whole(KEY) in ((), None)


def test_nothing_is_stored_under_an_unknown_key(open_store: OpenStore) -> None:
    assert open_store().peek_whole(KEY) == ()


def test_several_responses_under_one_key_are_left_to_the_other_methods(open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(2):
        store.keep(new_entry(), b"body")
    assert store.peek_whole(KEY) is None


def test_a_change_that_waits_for_the_disk_is_seen(open_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    before = store.keep(new_entry(vary=()), b"before")
    assert store.statistics().entries == 1  # also writes it
    monkeypatch.setattr(write_behind, "DELAY", 3600.0)
    after = store.keep(new_entry(vary=()), b"after")
    assert before
    assert in_whole(store) == (after, b"after")


def test_what_another_process_has_changed_or_purged_is_read_again(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    first = store.keep(new_entry(vary=()), b"first")
    assert store.statistics().entries == 1  # also writes it
    second = put(other, new_entry(vary=()))
    other.statistics()
    assert in_whole(store) == (second, body_of(second.id, 100))
    purge_host(other, "a.example")
    assert store.peek_whole(KEY) in ((), None)
    assert first
