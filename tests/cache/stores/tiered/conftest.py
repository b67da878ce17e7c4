"""Fixtures for the tests of the tiered store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from cache.stores.tiered import write_behind
from cache.stores.tiered.store import TieredStore

MAX_SIZE = 64 << 20
MEMORY = 8 << 20
OpenStore = Callable[..., TieredStore]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let changes stay pending until they are flushed."""
    monkeypatch.setattr(write_behind, "DELAY", 3600.0)


@pytest.fixture
def lost() -> Counter[str]:
    return Counter()


@pytest.fixture
def open_store(directory: Path, lost: Counter[str]) -> Iterator[OpenStore]:
    with ExitStack() as opened:

        def open_one(memory: int = MEMORY, max_object: int = 1 << 20, **options: float) -> TieredStore:
            disk = DiskStore(directory, MAX_SIZE, **options)
            store = TieredStore(disk, memory, max_object, lambda reason, count: lost.update({reason.value: count}))
            return opened.enter_context(closing(store))

        yield open_one


@pytest.fixture
def other(directory: Path) -> Iterator[DiskStore]:
    """The same store, opened as by another process."""
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        yield store
