"""A disk store that can be opened several times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
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
    with ExitStack() as opened:  # it closes some of them a second time

        def open_one(max_size: int = MAX_SIZE, **options: float) -> DiskStore:
            return opened.enter_context(closing(DiskStore(directory, max_size, **options)))

        yield open_one
