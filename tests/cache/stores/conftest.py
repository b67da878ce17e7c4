"""Stores of every kind: a test that uses one of these runs on each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cache.stores.base import ResponseStore
from tests.fixtures.every_store import MEBIBYTE, STORES, OpenStore


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    with ExitStack() as opened:

        def open_one(max_size: int) -> ResponseStore:
            return opened.enter_context(closing(STORES[request.param](tmp_path / "store", max_size)))

        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> ResponseStore:
    return open_store(64 * MEBIBYTE)
