"""Purged rows are deleted behind the requests, by one process at a time, and the next process goes on."""

from __future__ import annotations

import os
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk import purged_rows
from cache.stores.disk.purge_table import MAX_PENDING
from cache.stores.disk.purged_rows import LOCK_FILE, PurgedRowsDeleter, carry_out_purges
from cache.stores.disk.store import DiskStore
from cache.stores.purge_scopes import ALL, Conditions, Scope, tag_name, where
from tests.fixtures.disk_store import OpenStore, database
from tests.fixtures.stored_entries import KEY, files_below, is_intact, new_entry, purge_all, purge_host, put


@pytest.fixture
def store(open_store: OpenStore) -> DiskStore:
    """A store with many entries of one host, and one of another."""
    store = open_store()
    for number in range(60):
        put(store, new_entry(f"{KEY}{number}"), [100, 100_000][number % 20 == 0])
    put(store, new_entry("http://b.example/"), 100_000)
    return store


def rows(directory: Path) -> int:
    with database(directory) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM Cache").fetchone()[0])


def compared(store: DiskStore) -> int:
    """Return the number of purges with which a store compares what it reads."""
    store._purges.load()
    return len(store._purges.pending_conditions)


def test_rows_and_files_are_deleted_after_a_purge(store: DiskStore, directory: Path) -> None:
    purge_host(store, "a.example")
    store.delete_purged()
    assert rows(directory) == 2
    assert len(files_below(directory)) == 1
    purge_all(store)
    store.delete_purged()
    assert rows(directory) == len(files_below(directory)) == 0


def test_what_several_purges_cover_is_counted_once(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing of it is deleted yet."""
    monkeypatch.setattr(PurgedRowsDeleter, "start", lambda *_: None)
    assert (purge_host(store, "a.example"), purge_host(store, "none.example")) == (60, 0)
    put(store, new_entry(f"{KEY}again"))
    assert store.statistics().entries == 2
    assert purge_all(store) == 2
    put(store, new_entry(f"{KEY}again"))
    put(store, new_entry("http://b.example/again"))
    assert store.statistics().entries == 2
    assert purge_host(store, "a.example") == 1
    assert store.statistics().entries == 1
    assert (purge_host(store, "a.example"), purge_all(store), purge_all(store)) == (0, 1, 0)


def test_deletion_goes_on_where_it_was_interrupted(
    store: DiskStore, directory: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(PurgedRowsDeleter, "start", lambda *_: None)
        purge_host(store, "a.example")
    steps = iter([True, False])
    carry_out_purges(store._rows, store._purges, {1}, store._carry_out_purges, lambda: next(steps))
    assert 2 < rows(directory) < 122
    again = put(store, new_entry(f"{KEY}1"))
    store.close()
    store = open_store()
    store._sweep_remains(lambda: True)
    store.delete_purged()
    assert rows(directory) == 4
    assert is_intact(store, again)
    assert store._purges.pending() == []


def test_what_another_process_purges_is_not_deleted_before_it_has_counted_it(
    store: DiskStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PurgedRowsDeleter, "start", lambda *_: None)
    purge_host(store, "a.example")
    purge_all(store)
    carry_out_purges(store._rows, store._purges, {1}, store._carry_out_purges, lambda: True)
    assert rows(directory) == 2
    assert [number for _, number in store._purges.pending()] == [2]


def test_one_process_deletes_at_a_time(store: DiskStore, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purged_rows, "_RETRY", 0.01)
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    flock(descriptor, LOCK_EX)
    purge_host(store, "a.example")
    store.delete_purged()
    assert rows(directory) == 122
    assert store.statistics().entries == 1
    os.close(descriptor)
    purge_all(store)
    store.delete_purged()
    assert rows(directory) == 0


def test_a_failure_is_reported_once_and_tried_again(
    store: DiskStore, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / LOCK_FILE).mkdir()
    for _ in range(3):
        purge_host(store, "a.example")
        store.delete_purged()
    assert len(caplog.records) == 1
    assert "cannot be deleted yet" in caplog.text
    (directory / LOCK_FILE).rmdir()
    purge_host(store, "a.example")
    store.delete_purged()
    assert rows(directory) == 2


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        (Scope(tag_name("odd")), 60),
        (Scope(tag_name("odd"), soft=True), 120),
        (where(Conditions(targets=("/*[02468]",))), 60),
        (where(Conditions(tags=("o*",), urls=(f"{KEY}*",)), soft=True), 120),
        (Scope(ALL, soft=True), 120),
    ],
    ids=["tag", "soft tag", "pattern", "soft pattern for tags", "soft all"],
)
def test_each_kind_of_purge_is_carried_out_in_the_rows(
    directory: Path, open_store: OpenStore, scope: Scope, left: int
) -> None:
    store = open_store()
    for number in range(120):
        put(store, new_entry(f"{KEY}{number}", tags="odd" if number % 2 else "even"))
    covered = store.measure([scope]).copies
    assert store.purge([scope]).copies == covered
    store.delete_purged()
    assert store._purges.pending() == []
    assert rows(directory) == 2 * left
    with database(directory) as connection:
        connection.execute("DELETE FROM Purge")  # the rows say it themselves now
    entries = list(open_store().entries())
    assert len(entries) == left
    assert sum(entry.soft_purged for entry in entries) == (covered if scope.soft else 0)


def test_only_so_many_purges_by_patterns_are_under_way(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PurgedRowsDeleter, "start", lambda *_: None)
    scopes = [where(Conditions(targets=(f"/{number}",))) for number in range(MAX_PENDING)]
    store.purge(scopes)
    with pytest.raises(StoreError, match="still being carried out"):
        store.purge([where(Conditions(targets=("/late",)))])
    store.purge([Scope(tag_name("late"))])
    monkeypatch.undo()
    store._deleter.start(number for _, number in store._purges.pending())
    store.delete_purged()
    store.purge([where(Conditions(targets=("/late",)))])


def test_no_process_compares_rows_with_a_pattern_that_is_carried_out(store: DiskStore, open_store: OpenStore) -> None:
    other = open_store()
    store.purge([where(Conditions(targets=("/*[02468]",))), where(Conditions(targets=("/x*",)))])
    assert compared(other) == 2
    store.delete_purged()
    assert [compared(each) for each in (store, other, open_store())] == [0, 0, 0]
    assert len(list(other.entries())) == 31


def test_a_pattern_that_is_purged_again_is_compared_until_the_second_purge_is_carried_out(
    store: DiskStore, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PurgedRowsDeleter, "start", lambda *_: None)
    other = open_store()
    for _ in range(2):
        store.purge([where(Conditions(targets=("/*[02468]",)))])
        assert [compared(each) for each in (store, other)] == [1, 1]
        assert len(list(other.entries())) == 31
