"""The disk store on a small file system. Only root can mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.full_disk import MAX_SIZE, fill
from tests.fixtures.stored_entries import files_below, is_intact, new_entry, put


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@contextmanager
def mounted(directory: Path, size: str) -> Iterator[Callable[[str], object]]:
    """Mount a small file system, and yield a function that remounts it. Skip the test if mounting is not allowed."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("needs to mount a file system")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", directory], check=True)
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@pytest.mark.parametrize("lengths", [(50_000, 150_000), (20_000,), (150_000,)], ids=str)
def test_on_a_full_disk_the_least_recently_used_response_is_evicted(directory: Path, lengths: tuple[int, ...]) -> None:
    with mounted(directory, "32m"), closing(DiskStore(directory, MAX_SIZE)) as store:
        for number in range(400):
            stored = put(store, new_entry(f"http://{number}.example/"), lengths[number % len(lengths)])
            assert store.candidates(stored.key) == (stored,)
        entries = list(store.entries())
        assert all(is_intact(store, entry) for entry in entries)
        assert 5 < len(entries) < 400
        assert files_below(directory) == store._rows.file_names()


def test_on_a_full_disk_hits_work_and_writes_fail_cleanly(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mounted(directory, "32m") as remount:
        fill(directory, lambda: remount("size=64m"), monkeypatch)


def test_a_disk_that_is_full_at_the_start_is_reported_as_full(directory: Path) -> None:
    with mounted(directory, "64k"):
        (directory / "filler").write_bytes(b"x" * 60_000)
        with pytest.raises(StoreError, match=r"full|No space"):
            DiskStore(directory, MAX_SIZE)


def test_a_read_only_disk_is_refused(directory: Path) -> None:
    with mounted(directory, "32m") as remount:
        DiskStore(directory, MAX_SIZE).close()
        remount("ro")
        with pytest.raises(StoreError, match=r"cannot be (used|opened)"):
            DiskStore(directory, MAX_SIZE)
