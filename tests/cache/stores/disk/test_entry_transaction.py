"""Transactions on entries: how many are evicted at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.disk import entry_transaction
from cache.stores.disk.store import DiskStore
from tests.fixtures.stored_entries import new_entry, put


def test_a_store_whose_limit_was_lowered_shrinks_a_few_entries_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the first change evicted everything at once, for minutes, with memory for each entry."""
    with closing(DiskStore(tmp_path, 1 << 30)) as store:
        for number in range(30):
            put(store, new_entry(f"http://a.example/{number}"), 50_000)
        size = store.statistics().size
    monkeypatch.setattr(entry_transaction, "MAX_EVICTED", 4)
    with closing(DiskStore(tmp_path, size // 2)) as store:
        put(store, new_entry("http://a.example/new"), 50_000)
        assert store.statistics().entries == 31 - 4
        for number in range(8):  # each further change goes on
            put(store, new_entry(f"http://b.example/{number}"), 50_000)
        assert store.statistics().size <= size // 2
        assert store.statistics().entries > 10
        assert len(store.candidates("http://a.example/new")) == 1
