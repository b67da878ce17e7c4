"""The space that a store uses, found without opening it."""

from __future__ import annotations

from pathlib import Path

from cache.stores.disk.space import bytes_in_use
from cache.stores.disk.store import DiskStore
from tests.cache import examples


def test_the_bodies_and_the_database_count(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 30)
    writer = store.writer()
    writer.write(bytes(3_000_000))
    writer.commit(examples.stored())
    store.close()
    assert 3_000_000 < bytes_in_use(tmp_path / "store") < 4_000_000


def test_what_is_no_store_uses_nothing(tmp_path: Path) -> None:
    assert bytes_in_use(tmp_path) == 0
    (tmp_path / "cache.db").write_bytes(b"no database")
    assert bytes_in_use(tmp_path) == 0
