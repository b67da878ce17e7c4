"""Fixtures for the tests of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from addon.pipeline.async_store import AsyncStore
from addon.runtime.counters import Counters
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore


@pytest.fixture(autouse=True)
def no_system_cas(no_system_trust: None) -> None:
    """Use no system CAs: to load them takes longer than most conversations."""


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def store(tmp_path: Path, counters: Counters) -> Iterator[AsyncStore]:
    """Return a store that keeps small entries in memory and all entries in the folder `store` of `tmp_path`."""
    tiered = TieredStore(DiskStore(tmp_path / "store", 1 << 26), 1 << 24, 1 << 20)
    with closing(AsyncStore(tiered, counters)) as opened:
        yield opened
