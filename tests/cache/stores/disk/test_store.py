"""The disk store beyond the contract: restarts, last uses, and its directory."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.disk_store import LENGTHS, OpenStore, columns, database
from tests.fixtures.full_disk import MAX_SIZE
from tests.fixtures.stored_entries import KEY, body_of, files_below, is_intact, new_entry, put

# ---- restarts and other stores


@LENGTHS
def test_entries_survive_a_restart(open_store: OpenStore, length: int) -> None:
    store = open_store()
    stored = put(store, new_entry(), length)
    store.close()
    store = open_store()
    assert store.candidates(KEY) == (stored,)
    assert is_intact(store, stored)


def test_a_closed_store_raises_store_error(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry())
    store.close()
    for use in (lambda: store.candidates(KEY), lambda: store.open(stored), lambda: put(store, new_entry())):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_two_stores_see_each_others_entries(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    first = put(one, new_entry(), 100)
    second = put(other, new_entry(), 100_000)
    assert one.candidates(KEY) == other.candidates(KEY) == (second, first)
    body = one.open(second)
    assert other.delete(KEY) == 2
    assert body.read(0, second.length) == body_of(second.id, second.length)
    body.close()
    assert one.candidates(KEY) == ()


def test_a_commit_that_fails_leaves_nothing(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry(), 100_000)
    before = files_below(directory), store.statistics()
    for length in (1000, 300_000):
        writer = store.writer()
        writer.write(b"x" * length)
        with pytest.raises(StoreError):
            writer.commit(new_entry(id=stored.id))
        assert (files_below(directory), store.statistics()) == before
    assert is_intact(store, stored)


def test_a_deleted_entry_leaves_neither_row_nor_file(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = [put(store, new_entry(), length) for length in (1000, 100_000, 300_000)]
    store.delete(KEY, [stored[1].id])
    assert len(files_below(directory)) == 1
    store.delete(KEY)
    assert files_below(directory) == set()
    with database(directory) as connection:
        assert connection.execute("SELECT * FROM Cache").fetchall() == []


# ---- last uses


def test_reading_and_touching_write_nothing(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    for length in (1000, 100_000):
        put(store, new_entry(), length)
    with database(directory) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        for entry in store.candidates(KEY):
            assert is_intact(store, entry)
            store.touch(entry.id)
        assert connection.execute("PRAGMA data_version").fetchone() == before


def test_last_uses_are_written_when_the_store_is_closed(open_store: OpenStore) -> None:
    store = open_store(1 << 20)
    used, *others = (put(store, new_entry(f"http://{name}.example/"), 200_000) for name in "abcd")
    store.touch(used.id)
    store.close()
    store = open_store(1 << 20)
    put(store, new_entry("http://e.example/"), 300_000)
    assert store.candidates(used.key) == (used,)
    assert store.candidates(others[0].key) == ()


def test_no_store_evicts_what_another_one_has_used_since(open_store: OpenStore) -> None:
    one, other = open_store(1 << 20), open_store(1 << 20)
    used, *others = (put(one, new_entry(f"http://{name}.example/"), 200_000) for name in "abcd")
    other.touch(used.id)  # not in the rows yet
    put(one, new_entry("http://e.example/"), 300_000)
    assert one.candidates(used.key) == other.candidates(used.key) == (used,)
    assert one.candidates(others[0].key) == ()


def test_a_full_disk_evicts_what_no_store_has_used_lately(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    used, *others = (put(one, new_entry(f"http://{name}.example/"), 200_000) for name in "abcdefgh")
    other.touch(used.id)
    assert one.make_room()
    assert one.candidates(used.key) == (used,)
    assert one.candidates(others[0].key) == ()


def test_last_uses_are_written_after_the_touch_delay(open_store: OpenStore, directory: Path) -> None:
    store = open_store(touch_delay=0.01)
    stored = put(store, new_entry())
    for _ in range(2):
        (before,) = columns(directory, f"b:{stored.id}", "access_time")
        store.touch(stored.id)
        for _ in range(3000):
            if columns(directory, f"b:{stored.id}", "access_time") != (before,):
                break
            time.sleep(0.01)
        else:
            pytest.fail("the use was never written")


# ---- the directory


def test_other_users_have_no_access_to_the_files(open_store: OpenStore, directory: Path) -> None:
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    before = os.umask(0)
    try:
        store = open_store()
        for length in (1000, 100_000, 300_000):
            put(store, new_entry(), length)
        writer = store.writer()
        writer.write(b"x" * 100_000)
        paths = [directory, *directory.rglob("*")]
        assert len(paths) > 10
        for path in paths:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        writer.abort()
    finally:
        os.umask(before)


def test_a_directory_of_another_user_is_refused(directory: Path) -> None:
    if os.geteuid() == 0:
        directory.mkdir()
        os.chown(directory, 65_534, 65_534)
    else:
        directory = Path("/")
    with pytest.raises(StoreError, match="belongs to another user"):
        DiskStore(directory, MAX_SIZE)


def test_a_directory_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for unusable in (tmp_path / "file", tmp_path / "file" / "store", Path("/proc/store"), tmp_path / ("x" * 300)):
        with pytest.raises(StoreError, match="cannot be used"):
            DiskStore(unusable, MAX_SIZE)


def test_a_path_that_diskcache_would_expand_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "elsewhere")
    with pytest.raises(StoreError, match="variable"):
        DiskStore(tmp_path / "$ELSEWHERE", MAX_SIZE)
    assert list(tmp_path.iterdir()) == []
