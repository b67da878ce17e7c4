"""Quick reads: only small, intact rows, and only while the disk is fast. All else is left to the threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.disk.quick_reads import MAX_WHOLE, PAUSE, SLOW_READ, VERY_SLOW_READ, QuickReads, blocks_read
from cache.stores.disk.store import DiskStore
from cache.stores.disk.verification import Verification
from cache.stores.purges import KnownPurges
from tests.fixtures.stored_entries import KEY, body_of, new_entry, put


class FakeClock:
    """A clock that advances by `step` seconds at each reading."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(directory: Path) -> Iterator[DiskStore]:
    with closing(DiskStore(directory, 10 << 20)) as store:
        yield store


@pytest.fixture
def quick(directory: Path, store: DiskStore, clock: FakeClock) -> Iterator[QuickReads]:
    """Quick reads on a system that does not count the blocks that are read from disks."""
    with closing(QuickReads(directory, Verification(), KnownPurges(), clock, lambda: None)) as quick:
        yield quick


def damage(directory: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(directory / "cache.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def test_a_small_response_is_read(store: DiskStore, quick: QuickReads) -> None:
    first = put(store, new_entry(vary=(("accept", "text/html"),)))
    second = put(store, new_entry(), 0)
    assert quick.candidates(KEY) == (second, first)
    assert quick.body(first) == body_of(first.id, 100)
    assert quick.body(second) == b""


def test_an_unknown_key_has_no_candidates(quick: QuickReads) -> None:
    assert quick.candidates(KEY) == ()
    assert quick.body(new_entry()) is None


def test_a_body_in_a_file_is_not_read(store: DiskStore, quick: QuickReads) -> None:
    assert quick.body(put(store, new_entry(), 100_000)) is None


def test_damaged_rows_are_not_returned(directory: Path, store: DiskStore, quick: QuickReads) -> None:
    stored = put(store, new_entry())
    damage(directory, "UPDATE Cache SET value = zeroblob(length(value)) WHERE key = ?", f"b:{stored.id}")
    assert quick.body(stored) is None
    damage(directory, "UPDATE Cache SET value = 'text' WHERE key = ?", f"b:{stored.id}")
    assert quick.body(stored) is None
    damage(directory, "UPDATE Cache SET value = x'c0' WHERE key = ?", f"u:{KEY}")
    assert quick.candidates(KEY) is None
    damage(directory, "UPDATE Cache SET mode = 2 WHERE key = ?", f"u:{KEY}")
    assert quick.candidates(KEY) is None


def test_a_locked_database_is_not_waited_for(directory: Path, store: DiskStore, quick: QuickReads) -> None:
    put(store, new_entry())
    store.close()
    with closing(sqlite3.connect(directory / "cache.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert quick.candidates(KEY) is None
        other.execute("ROLLBACK")
        assert quick.candidates(KEY)


def test_after_a_slow_read_there_is_a_pause(store: DiskStore, quick: QuickReads, clock: FakeClock) -> None:
    stored = put(store, new_entry())
    clock.step = SLOW_READ * 1.1
    assert quick.candidates(KEY) == (stored,)
    clock.step = 0.0
    assert quick.candidates(KEY) is None
    assert quick.body(stored) is None
    clock.now += PAUSE
    assert quick.candidates(KEY) == (stored,)


def test_a_read_that_has_only_waited_for_a_processor_causes_no_pause(
    directory: Path, store: DiskStore, clock: FakeClock
) -> None:
    put(store, new_entry())
    blocks = 8
    with closing(QuickReads(directory, Verification(), KnownPurges(), clock, lambda: blocks)) as quick:

        def is_paused_after_a_read_of(seconds: float) -> bool:
            clock.step = seconds
            assert quick.candidates(KEY)
            clock.step = 0.0
            is_paused = quick.candidates(KEY) is None
            clock.now += PAUSE
            return is_paused

        assert not is_paused_after_a_read_of(SLOW_READ * 1.1)
        blocks += 8
        assert is_paused_after_a_read_of(SLOW_READ * 1.1)
        assert not is_paused_after_a_read_of(VERY_SLOW_READ * 0.9)
        assert is_paused_after_a_read_of(VERY_SLOW_READ * 1.1)


def test_blocks_are_counted_where_the_system_counts_them() -> None:
    assert (blocks_read() is None) is not Path("/proc/self/io").exists()


def test_a_closed_reader_returns_none(store: DiskStore, quick: QuickReads) -> None:
    stored = put(store, new_entry())
    assert quick.candidates(KEY)
    quick.close()
    assert quick.candidates(KEY) is None
    assert quick.body(stored) is None


# ---- a response with its body, by one read


def test_a_small_response_is_read_with_its_body(store: DiskStore, quick: QuickReads) -> None:
    stored = put(store, new_entry())
    put(store, new_entry(KEY + "other"))
    copy = quick.whole(KEY)
    assert copy
    assert (copy.entry(), copy.body) == (stored, body_of(stored.id, 100))


def test_nothing_is_read_whole_that_is_absent_large_or_one_of_several(store: DiskStore, quick: QuickReads) -> None:
    put(store, new_entry(KEY + "large"), MAX_WHOLE + 1)
    put(store, new_entry(KEY + "file"), 100_000)
    for _ in range(2):
        put(store, new_entry(KEY + "several"))
    assert [quick.whole(KEY + name) for name in ("absent", "large", "file", "several")] == [None] * 4


@pytest.mark.parametrize("row", ["u", "b"])
@pytest.mark.parametrize("value", ["zeroblob(length(value))", "'text'", "x'c0'", "CAST(value || 'more' AS BLOB)"])
def test_damaged_rows_are_not_read_whole(
    directory: Path, store: DiskStore, quick: QuickReads, row: str, value: str
) -> None:
    stored = put(store, new_entry())
    name = f"u:{KEY}" if row == "u" else f"b:{stored.id}"
    damage(directory, f"UPDATE Cache SET value = {value} WHERE key = ?", name)
    assert quick.whole(KEY) is None


def test_a_body_of_another_entry_is_not_read_whole(directory: Path, store: DiskStore, quick: QuickReads) -> None:
    first = put(store, new_entry())
    second = put(store, new_entry(KEY + "other"))
    damage(directory, "DELETE FROM Cache WHERE key = ?", f"b:{first.id}")
    damage(directory, "UPDATE Cache SET tag = ? WHERE key = ?", KEY, f"b:{second.id}")
    assert quick.whole(KEY) is None
