"""Entries of the disk store whose rows or body files are damaged."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from cache.stores.base import DamagedEntry
from tests.fixtures.disk_store import LENGTHS, OpenStore, body_file, change, columns, database, is_gone
from tests.fixtures.stored_entries import KEY, body_of, files_below, is_intact, new_entry, put, read


@LENGTHS
@pytest.mark.parametrize("damage", ["truncate", "flip", "extend", "empty", "remove"])
def test_a_damaged_body_is_a_miss_and_its_entry_is_deleted(
    open_store: OpenStore, directory: Path, length: int, damage: str
) -> None:
    store = open_store()
    other, stored = put(store, new_entry(), length), put(store, new_entry(), length)
    body = body_of(stored.id, length)
    damaged = {
        "truncate": body[:-1],
        "flip": body[:500] + bytes([body[500] ^ 1]) + body[501:],
        "extend": body + b"x",
        "empty": b"",
        "remove": None,
    }[damage]
    if length == 1000 and damaged is None:
        with database(directory) as connection:
            connection.execute("DELETE FROM Cache WHERE key = ?", (f"b:{stored.id}",))
    elif length == 1000:
        change(directory, f"b:{stored.id}", "value = ?", damaged)
    elif damaged is None:
        body_file(directory, stored).unlink()
    else:
        body_file(directory, stored).write_bytes(damaged)
    with pytest.raises(DamagedEntry):
        store.open(stored)
    assert is_gone(store, directory, stored)
    assert store.candidates(KEY) == (other,)
    assert len(files_below(directory)) == (0 if length == 1000 else 1)


def test_the_digest_is_checked_once_per_process_and_the_length_each_time(
    open_store: OpenStore, directory: Path
) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    assert is_intact(store, stored)
    body_file(directory, stored).write_bytes(b"x" * 300_000)
    assert read(store, stored) == b"x" * 300_000  # accepted, to avoid reading each body twice
    with pytest.raises(DamagedEntry):
        open_store().open(stored)
    stored = put(store, new_entry(), 300_000)
    assert is_intact(store, stored)
    os.truncate(body_file(directory, stored), 299_999)
    with pytest.raises(DamagedEntry):
        store.open(stored)


def test_a_body_truncated_while_it_is_read_raises_damaged_entry(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    body = store.open(stored)
    assert body.read(0, 1000) == body_of(stored.id, 1000)
    os.truncate(body_file(directory, stored), 2000)
    with pytest.raises(DamagedEntry):
        body.read(1000, 3000)
    body.close()
    assert is_gone(store, directory, stored)


def mutated(data: bytes, chance: random.Random) -> bytes:
    position, count = chance.randrange(len(data)), chance.randrange(1, 20)
    match chance.randrange(5):
        case 0:
            return data[:position] + bytes([data[position] ^ 1 << chance.randrange(8)]) + data[position + 1 :]
        case 1:
            return data[:position]
        case 2:
            return data[:position] + chance.randbytes(count) + data[position:]
        case 3:
            return data[:position] + data[position + count :]
        case _:
            return data[:position] + bytes(count) + data[position + count :]


@pytest.mark.parametrize("row", ["u", "b"])
def test_an_entry_whose_row_is_altered_is_deleted(open_store: OpenStore, directory: Path, row: str) -> None:
    chance = random.Random(7)
    store = open_store()
    changed = 0
    for _ in range(150):
        stored = put(store, new_entry(), 2000)
        key = f"u:{KEY}" if row == "u" else f"b:{stored.id}"
        (value,) = columns(directory, key, "value")
        assert isinstance(value, bytes)
        damaged = mutated(value, chance)
        if damaged == value:
            continue
        change(directory, key, "value = ?", damaged)
        changed += 1
        for entry in store.candidates(KEY):
            assert row == "b"
            with pytest.raises(DamagedEntry):
                store.open(entry)
        assert is_gone(store, directory, stored)
        assert store.statistics().entries == 0
    assert changed > 100


def test_a_head_row_copied_from_another_key_is_a_miss(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry())
    other = put(store, new_entry(KEY + "other"))
    change(directory, f"u:{KEY}", "value = ?", columns(directory, f"u:{other.key}", "value")[0])
    assert store.candidates(KEY) == ()
    assert store.candidates(other.key) == (other,)


def test_a_body_row_copied_from_another_entry_is_refused(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored, other = put(store, new_entry()), put(store, new_entry())
    change(directory, f"b:{stored.id}", "value = ?", columns(directory, f"b:{other.id}", "value")[0])
    with pytest.raises(DamagedEntry):
        store.open(stored)
    assert store.candidates(KEY) == (other,)


def test_entries_of_another_version_are_a_miss_and_are_overwritten(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry(), 100_000)
    (value,) = columns(directory, f"u:{KEY}", "value")
    assert isinstance(value, bytes)
    change(directory, f"u:{KEY}", "value = ?", value[:4] + b"\x63" + value[5:])
    stored = put(store, new_entry())
    assert store.candidates(KEY) == (stored,)
    assert files_below(directory) == set()


def test_iteration_survives_damaged_rows_and_deletes_them(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = [put(store, new_entry(f"http://{name}.example/"), 70_000) for name in "abcdefgh"]
    change(directory, f"u:{stored[0].key}", "value = ?", b"\x00")
    change(directory, f"u:{stored[1].key}", "value = ?", "text")
    change(directory, f"u:{stored[2].key}", "value = NULL")
    change(directory, f"u:{stored[3].key}", "key = CAST(x'753aff' AS TEXT)")
    change(directory, f"u:{stored[4].key}", "mode = 4")
    change(directory, f"u:{stored[5].key}", "filename = CAST(x'ff' AS TEXT)")
    assert list(store.entries()) == stored[6:]
    with database(directory) as connection:
        heads = connection.execute("SELECT COUNT(*) FROM Cache WHERE key < 'u;' AND key > 'u:'").fetchone()
    assert heads == (2,)
    store.sweep()
    assert store.statistics().entries == len(files_below(directory)) == 2


def test_eviction_deletes_rows_that_belong_to_no_entry(open_store: OpenStore, directory: Path) -> None:
    store = open_store(1 << 20)
    strays = [put(store, new_entry(f"http://{number}.example/"), 60_000) for number in range(4)]
    for stray, tag in zip(strays, (5, b"x", "no such key", 1.5), strict=True):
        change(directory, f"b:{stray.id}", "tag = ?, access_time = 0", tag)
    for number in range(20):
        stored = put(store, new_entry(f"http://{number}.example/x"), 60_000)
    assert store.statistics().size <= 1 << 20
    assert store.candidates(stored.key) == (stored,)
    assert all(is_gone(store, directory, stray) or store.delete(stray.key) for stray in strays)
