"""Stores of every kind: a test that uses one of these runs on each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from cache.stores.base import ResponseStore
from tests.fixtures.every_store import MEBIBYTE, STORES, STORES_WITH_LIMIT, OpenStore


@contextmanager
def opening(kind: str, directory: Path) -> Iterator[OpenStore]:
    """Return a function that opens stores of a kind; they are closed at the end."""
    with ExitStack() as opened:

        def open_one(max_size: int) -> ResponseStore:
            return opened.enter_context(closing(STORES[kind](directory, max_size)))

        yield open_one


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    with opening(request.param, tmp_path / "store") as open_one:
        yield open_one


@pytest.fixture(params=STORES_WITH_LIMIT)
def open_store_with_limit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Open stores that evict responses themselves."""
    with opening(request.param, tmp_path / "store") as open_one:
        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> ResponseStore:
    return open_store(64 * MEBIBYTE)
