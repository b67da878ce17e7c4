"""A store that the commands work on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from tests.fixtures.kept_copies import keep
from tests.fixtures.web_origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    """Return an origin, until the end of the test."""
    with Origin() as running:
        yield running


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory of a store with three responses of two hosts."""
    directory = tmp_path / "store"
    store = DiskStore(directory, 1 << 24)
    keep(store, "http://a.test/one")
    keep(store, "http://a.test/two.whl", b"x" * 100_000)
    keep(store, "https://b.test/old?q=1", fields=[("Cache-Control", "max-age=0")])
    store.close()
    return directory
