"""The disk store on a disk that is full, read-only or locked, and without file descriptors."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.disk_store import WRITES, OpenStore, database
from tests.fixtures.full_disk import MAX_SIZE, fill
from tests.fixtures.stored_entries import KEY, files_below, is_intact, new_entry, put


@contextmanager
def small_disk(directory: Path) -> Iterator[Callable[[], None]]:
    """Limit every file to 1 MiB; yield a function that lifts it. tests/programs/test_full_disk.py fills a real disk."""
    DiskStore(directory, MAX_SIZE).close()  # the generation table is larger
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lift = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        yield lift
    finally:
        lift()


def test_on_a_full_disk_hits_go_on_and_stores_fail_cleanly(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(directory) as lift:
        fill(directory, lift, monkeypatch)


def test_a_read_only_directory_is_refused(directory: Path) -> None:
    DiskStore(directory, MAX_SIZE).close()
    if os.geteuid() != 0:
        directory.chmod(0o500)
    else:  # no mode keeps root from writing
        directory = Path("/proc/self/task")
    with pytest.raises(StoreError, match=r"cannot be (used|opened)"):
        DiskStore(directory, MAX_SIZE)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("problem", ["read-only", "locked"])
def test_reading_works_while_writing_fails(
    open_store: OpenStore, directory: Path, problem: str, write: Callable[[DiskStore, StoredResponse], object]
) -> None:
    store = open_store(lock_timeout=0.05)
    stored = put(store, new_entry(), 100_000)
    before = files_below(directory)
    with database(directory) as other_connection:
        if problem == "locked":
            other_connection.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            if problem == "read-only":
                store._rows.execute("PRAGMA query_only = 1")
            with pytest.raises(StoreError, match=problem.replace("-", "")):
                write(store, stored)
        store.touch(stored.id)
        assert store.candidates(KEY) == (stored,)
        assert is_intact(store, stored)
        assert files_below(directory) == before
    assert is_intact(store, put(store, new_entry(), 100_000))


def test_running_out_of_file_descriptors_deletes_nothing(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError), ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 200), hard))
        try:
            with suppress(OSError):
                while True:
                    files.enter_context(Path("/dev/null").open())
            with pytest.raises(StoreError, match="cannot be opened") as refused:
                store.open(stored)
            with pytest.raises(StoreError):
                put(store, new_entry(), 300_000)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not isinstance(refused.value, DamagedEntry)
    assert is_intact(store, stored)
