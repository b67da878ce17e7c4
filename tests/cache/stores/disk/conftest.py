"""A disk store that can be opened several times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.disk_store import OpenStore
from tests.fixtures.full_disk import MAX_SIZE


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def open_store(directory: Path) -> Iterator[OpenStore]:
    """Open the store as another process, or a later one, would: with no state in memory."""
    opened: list[DiskStore] = []

    def open_one(max_size: int = MAX_SIZE, **options: float) -> DiskStore:
        opened.append(DiskStore(directory, max_size, **options))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()  # some of them a second time
