"""The proxy's own store: it is used before the copies of its project are marked as used."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from cache.stores.disk.store import DiskStore
from tests.addon.pipeline.test_project_copies import fetch_in, large
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.until import LONGEST


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold up the marking of copies until the block ends."""
    go_on, touch_all = Event(), DiskStore.touch_all

    def touch_later(disk: DiskStore, ids: Collection[str]) -> set[str]:
        assert go_on.wait(LONGEST)
        return touch_all(disk, ids)

    monkeypatch.setattr(DiskStore, "touch_all", touch_later)
    try:
        yield
    finally:
        go_on.set()


def test_the_store_is_used_before_the_copies_of_its_project_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with asyncio.timeout(LONGEST), RawOrigin(large) as origin:
            store, port = tmp_path / "store", origin.port
            await fetch_in("a", store, port, "a1", "a2")
            await fetch_in("b", store, port, "b1")
            with held(monkeypatch):
                # a1 was stored first, but is used before c1 needs room; a2 and b1 are not
                assert await fetch_in("a", store, port, "a1", "c1") == {"a1", "b1", "c1"}

    asyncio.run(main())
