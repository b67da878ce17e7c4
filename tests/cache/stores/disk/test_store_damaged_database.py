"""Databases of the disk store that are damaged as a whole."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.disk_store import WRITES, OpenStore, database
from tests.fixtures.full_disk import MAX_SIZE
from tests.fixtures.stored_entries import files_below, is_intact, new_entry, purge_all, put


def damage_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"This is no database.")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_text(path: Path) -> None:
    path.write_text("not a database at all\n" * 1000)


def change_shape(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE Settings (x); CREATE TABLE Cache (y)")
    path.chmod(0o600)


def plant_setting(name: str) -> Callable[[Path], None]:
    def plant(path: Path) -> None:
        with database(path.parent) as connection:
            connection.execute("INSERT INTO Settings VALUES (?, 5)", (name,))

    return plant


DAMAGE = {
    "header": damage_header,
    "half": cut_in_half,
    "text": replace_by_text,
    "another shape": change_shape,
    "a setting of the disk": plant_setting("disk_colour"),
    "a setting that hides a method": plant_setting("transact"),
    "a setting that is a pragma": plant_setting("sqlite_writable_schema"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_database_is_renamed_and_replaced(
    open_store: OpenStore, directory: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    store = open_store()
    for number in range(20):
        put(store, new_entry(f"http://{number}.example/"), [5000, 100_000][number % 2])
    store.close()
    for _ in range(2):
        damage(directory / "cache.db")
        with caplog.at_level(logging.WARNING):
            store = open_store()
        assert "was damaged and starts empty" in caplog.text
        caplog.clear()
        assert (directory / "damaged-cache.db").exists()
        assert list(store.entries()) == []
        store.sweep()
        assert files_below(directory) == set()
        assert is_intact(store, put(store, new_entry(), 100_000))
        store.close()


def test_a_damaged_database_in_use_by_another_process_is_not_replaced(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry())
    store._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage_header(directory / "cache.db")
    with pytest.raises(StoreError, match="in use by another process"):
        open_store()
    store.close()
    assert list(open_store().entries()) == []


def test_a_database_found_malformed_in_use_is_replaced_at_the_next_start(
    open_store: OpenStore, directory: Path
) -> None:
    open_store().close()
    with database(directory) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'Body_access_time'").fetchone()
    with (directory / "cache.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    store = open_store()  # opening does not read that page
    with pytest.raises(StoreError, match="malformed"):
        put(store, new_entry())
    with pytest.raises(StoreError, match="in use by another process"):
        open_store()
    store.close()
    store = open_store()
    assert list(store.entries()) == []
    assert is_intact(store, put(store, new_entry()))


def test_altered_settings_in_the_database_do_not_lift_the_limit(open_store: OpenStore, directory: Path) -> None:
    open_store().close()
    with database(directory) as connection:
        connection.execute("UPDATE Settings SET value = 'much' WHERE key IN ('size', 'count', 'cull_limit')")
        connection.execute("UPDATE Settings SET value = -1000000000 WHERE key = 'size_limit'")
    store = open_store(1 << 20)
    for number in range(10):
        put(store, new_entry(f"http://{number}.example/"), 200_000)
    assert 200_000 < store.statistics().size <= 1 << 20


@pytest.mark.parametrize("running", [False, True], ids=["at rest", "while running"])
def test_a_database_damaged_at_random_never_returns_a_wrong_entry(directory: Path, running: bool) -> None:
    chance = random.Random(11)
    served = 0
    for _ in range(25):
        store = DiskStore(directory, MAX_SIZE)
        with suppress(StoreError):
            purge_all(store)
            for number in range(12):
                put(store, new_entry(f"http://{number}.example/"), chance.randrange(20_000))
            entries = {entry.id: entry for entry in store.entries()}
        store.close()
        if running:
            store = DiskStore(directory, MAX_SIZE)
        with (directory / "cache.db").open("r+b") as file:
            for _ in range(chance.randrange(1, 6)):
                file.seek(chance.randrange(file.seek(0, os.SEEK_END)))
                file.write(chance.randbytes(chance.choice([1, 100, 4096])))
        if not running:
            store = DiskStore(directory, MAX_SIZE)
        with suppress(StoreError):
            for entry in store.entries():
                assert entry == entries[entry.id]
                with suppress(StoreError):
                    assert is_intact(store, entry)
                    served += 1
        for write in WRITES.values():
            with suppress(StoreError):
                write(store, new_entry())
        with suppress(StoreError):
            store.statistics()
        store.close()
    assert served > 0
