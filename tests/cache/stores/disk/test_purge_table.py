"""Purges of a store on disk: true at once in every process, after a crash too, and before anything is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, Extent, StoreError
from cache.stores.disk.generation_file import FILE
from cache.stores.disk.purge_extents import PurgeExtents
from cache.stores.disk.purged_rows import PurgedRowsDeleter
from cache.stores.disk.store import DiskStore
from cache.stores.purge_scopes import Conditions, Scope, where
from cache.stores.purges import REMEMBERED
from cache.stores.tiered import write_behind
from cache.stores.tiered.store import TieredStore
from tests.fixtures.disk_store import OpenStore, columns, database
from tests.fixtures.stored_entries import KEY, new_entry, purge_all, purge_host, put

OTHER = "http://b.example/"
HEAD = f"u:{KEY}"

PURGES: dict[str, Callable[[DiskStore | TieredStore], int]] = {
    "a host": lambda store: purge_host(store, "a.example"),
    "all": lambda store: purge_all(store),
}
any_purge = pytest.mark.parametrize("purge", PURGES.values(), ids=PURGES)


@pytest.fixture(autouse=True)
def _nothing_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave purged rows where they are, as if the process were killed before it deletes them."""
    monkeypatch.setattr(PurgedRowsDeleter, "start", lambda *_: None)


@pytest.fixture
def tiered(open_store: OpenStore) -> Iterator[TieredStore]:
    with closing(TieredStore(open_store(), 16 << 20, 1 << 20)) as store:
        yield store


@any_purge
def test_purged_entries_are_gone_before_their_rows_are_deleted(
    open_store: OpenStore, directory: Path, purge: Callable[[DiskStore], int]
) -> None:
    store, other = open_store(), open_store()
    stored = [put(store, new_entry(), 100), put(store, new_entry(), 100_000)]
    assert len(other.candidates(KEY)) == 2
    assert purge(store) == 2
    for each in (store, other):
        assert each.candidates(KEY) == ()
        assert list(each.entries()) == []
        assert each.statistics().entries == 0
        assert each.invalidate(KEY) == 0
        assert not each.update(replace(stored[0], revision=1))
        for entry in stored:
            with pytest.raises(DamagedEntry):
                each.open(entry)


@any_purge
def test_a_purge_survives_a_crash(open_store: OpenStore, directory: Path, purge: Callable[[DiskStore], int]) -> None:
    store = open_store()
    put(store, new_entry())
    purge(store)
    assert columns(directory, HEAD, "key")
    assert open_store().candidates(KEY) == ()


def test_a_purge_survives_the_loss_of_the_generation_table(open_store: OpenStore, directory: Path) -> None:
    with closing(open_store()) as store:
        put(store, new_entry())
        purge_host(store, "a.example")
    (directory / FILE).unlink()
    assert open_store().candidates(KEY) == ()


def test_what_is_stored_after_a_purge_is_not_covered(open_store: OpenStore, directory: Path) -> None:
    store, other = open_store(), open_store()
    put(store, new_entry())
    purge_host(store, "a.example")
    again = put(other, new_entry())
    assert store.candidates(KEY) == (again,)
    assert [each.statistics().entries for each in (store, other)] == [1, 1]
    assert purge_host(store, "a.example") == 1
    assert purge_host(store, "a.example") == 0


def test_a_purge_of_one_host_leaves_the_others(open_store: OpenStore) -> None:
    store = open_store()
    kept = put(store, new_entry(OTHER))
    put(store, new_entry())
    assert purge_host(store, "a.example") == 1
    assert list(store.entries()) == [kept]
    assert purge_all(store) == 1


@any_purge
def test_memory_does_not_use_what_another_process_purges(
    tiered: TieredStore, open_store: OpenStore, purge: Callable[[DiskStore], int]
) -> None:
    stored = tiered.keep(new_entry(), b"body")
    assert stored
    assert tiered.statistics().entries == 1  # also writes it
    assert tiered.peek(KEY) == (stored,)
    stamp = tiered.generations.stamp(KEY)
    purge(open_store())
    assert tiered.peek(KEY) == ()
    assert tiered.peek_body(stored) is None
    assert not tiered.generations.is_current(stamp)


def test_a_change_that_waits_for_the_disk_does_not_undo_a_purge(
    tiered: TieredStore, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_behind, "DELAY", 3600.0)
    tiered.keep(new_entry(), b"body")
    other = open_store()
    purge_host(other, "a.example")
    assert tiered.candidates(KEY) == ()
    kept = tiered.keep(new_entry(), b"body")
    assert tiered.statistics().entries == 1
    assert other.candidates(KEY) == tiered.candidates(KEY) == (kept,)


def test_only_so_many_finished_purges_are_remembered(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    with database(directory) as connection:
        numbers = [(f"host:{number}.example", number, number > 1) for number in range(1, REMEMBERED + 2)]
        connection.executemany("INSERT INTO Purge (tag, number, done) VALUES (?, ?, ?)", numbers)
        purge_host(store, "a.example")
        store._purges.finish(REMEMBERED + 2)
        kept = [number for (number,) in connection.execute("SELECT number FROM Purge ORDER BY number")]
    assert kept == [1, *range(3, REMEMBERED + 3)]  # the first one has rows left to delete


def test_a_purge_that_cannot_be_stored_purges_nothing(open_store: OpenStore, directory: Path) -> None:
    store = open_store(lock_timeout=0.05)
    stored = put(store, new_entry())
    with database(directory) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            purge_host(store, "a.example")
    assert store.candidates(KEY) == (stored,)


def test_a_foreign_table_of_purges_counts_as_damage(open_store: OpenStore, directory: Path) -> None:
    open_store().close()
    with database(directory) as connection:
        connection.execute("DROP TABLE Purge")
        connection.execute("CREATE TABLE Purge (other)")
    store = open_store()
    assert purge_host(store, "a.example") == 0
    assert (directory / "damaged-cache.db").exists()


def test_a_purge_table_that_cannot_be_read_at_once_is_not_waited_for(tiered: TieredStore, directory: Path) -> None:
    tiered.keep(new_entry(), b"body")
    tiered.generations.note_purge()
    tiered.generations.purges._connection.close()  # type: ignore[attr-defined]  # of the table on disk
    assert tiered.peek(KEY) is None
    assert len(tiered.candidates(KEY)) == 1


def test_a_purge_of_another_type_is_ignored(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry())
    with database(directory) as connection:
        connection.execute("INSERT INTO Purge (tag, number) VALUES (?, ?)", (b"host:a.example", "x"))
    purge_host(store, "b.example")
    assert store.candidates(KEY) == (stored,)


@pytest.mark.parametrize(
    "conditions", [Conditions(urls=("*",)), Conditions(types=("*",)), Conditions(tags=("n*",))], ids=str
)
def test_a_purge_is_true_while_it_is_counted(
    open_store: OpenStore, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(), open_store()
    put(store, new_entry(tags="news"))
    left: list[tuple[StoredResponse, ...]] = []
    bodies = PurgeExtents._bodies

    def noted(extents: PurgeExtents, scopes: Sequence[Scope]) -> Iterator[tuple[str, int, int]]:
        left.append(other.candidates(KEY))
        put(other, new_entry(OTHER, tags="news"))  # a new one, which is not purged
        return bodies(extents, scopes)

    monkeypatch.setattr(PurgeExtents, "_bodies", noted)
    assert store.purge([where(conditions)]).copies == 1
    assert left == [()]
    assert len(list(other.entries())) == 1


def _fail(*_: object) -> Extent:
    raise StoreError("broken")


def test_a_purge_that_cannot_be_counted_is_a_purge_all_the_same(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    put(store, new_entry())
    monkeypatch.setattr(PurgeExtents, "counted", _fail)
    assert purge_all(store) == 0
    assert "could not be counted: broken" in caplog.text
    assert store.candidates(KEY) == ()
