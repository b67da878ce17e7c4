"""Stores of every kind: a test that uses one of these runs on each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.stores.base import ResponseStore
from tests.fixtures.every_store import MEBIBYTE, STORES, OpenStore


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    opened: list[ResponseStore] = []

    def open_one(max_size: int) -> ResponseStore:
        store = STORES[request.param](tmp_path / "store", max_size)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> ResponseStore:
    return open_store(64 * MEBIBYTE)
