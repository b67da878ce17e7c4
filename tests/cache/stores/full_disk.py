"""A disk store that runs out of space, whether a limit of the process or the size of the disk is the reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from tests.cache.stores.entries import KEY, files_below, is_intact, new_entry, put

MAX_SIZE = 64 << 20


def fill(directory: Path, lift: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that hits go on and stores fail cleanly where space is short, and that all is well after `lift`."""
    monkeypatch.setattr(DiskStore, "make_room", lambda _: False)
    store = DiskStore(directory, MAX_SIZE)
    stored = []
    with suppress(StoreError):
        while len(stored) < 1000:
            key = f"http://{len(stored)}.example/"
            stored.append(put(store, new_entry(key), [50_000, 150_000][len(stored) % 2]))
    assert 5 < len(stored) < 1000
    for _ in range(30):
        with suppress(StoreError):
            stored.append(put(store, new_entry(), random.Random(len(stored)).randrange(1_200_000)))
    with suppress(StoreError):
        store.update(replace(stored[0], revision=1))
    with suppress(StoreError):
        store.delete(stored[1].key)
    store.touch(stored[2].id)
    for entry in stored[2:]:
        assert entry in store.candidates(entry.key)
        assert is_intact(store, entry)
    assert files_below(directory) == store._rows.file_names()
    lift()
    again = put(store, new_entry(KEY + "again"), 1_500_000)
    assert is_intact(store, again)
    store.close()
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert all(is_intact(store, entry) for entry in [*stored[2:], again])
