"""A store that is removed, replaced, damaged, full or locked under a running proxy is used again later."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from addon.pipeline import store_watch
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.store_condition import StoreCondition, StoreState
from addon.pipeline.store_watch import StoreWatch
from addon.runtime.counters import Counters
from cache.stores.base import StoreError
from cache.stores.disk.rows import FOUND_DAMAGED
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry

LARGE = b"x" * 300_000


class Watched:
    """A watched store in a directory, as a proxy has it."""

    def __init__(self, directory: Path, wait: float = 60.0, lock_timeout: float = 60.0) -> None:
        self.directory = directory
        self.lock_timeout = lock_timeout
        self.opening: Callable[[], object] = lambda: None
        self.condition = StoreCondition()
        self.replaced = 0
        self.watch = StoreWatch(self.open, self.condition)
        self.store = AsyncStore(self.watch.store(wait), Counters(), self.condition)

    def open(self) -> TieredStore:
        self.opening()
        return TieredStore(DiskStore(self.directory, 1 << 26, lock_timeout=self.lock_timeout), 1 << 24, 1 << 20)

    def count(self) -> None:
        self.replaced += 1

    async def stores(self, body: bytes = b"body") -> bool:
        """Return whether a new response can be stored and found."""
        entry = new_entry("http://new.example/")
        return await self.store.keep(entry, body, ()) is None and entry.id in [
            each.id for each in await self.store.candidates(entry.key)
        ]


def run(watched: Watched, scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        watched.watch.start(watched.store, watched.count)
        try:
            await scenario()
        finally:
            await watched.watch.close()
            watched.store.close()

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the store only when a test asks for it, and try again at once."""
    monkeypatch.setattr(store_watch, "INTERVAL", 3600.0)
    monkeypatch.setattr(store_watch, "RETRY", 0.0)


def move_away(directory: Path) -> None:
    directory.rename(directory.with_name("away"))


def replace(directory: Path) -> None:
    move_away(directory)
    DiskStore(directory, 1 << 26).close()


LOSSES: dict[str, Callable[[Path], object]] = {
    "the directory is removed": shutil.rmtree,
    "the directory is moved away": move_away,
    "the directory is replaced by another": replace,
    "the database is removed": lambda directory: (directory / "cache.db").unlink(),
    "the generation table is removed": lambda directory: (directory / "generations").unlink(),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_lost_store_is_opened_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lose: Callable[[Path], object]
) -> None:
    caplog.set_level(logging.WARNING)
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        await watched.store.keep(new_entry(), b"body", ())
        await watched.store.keep(new_entry(KEY + "large"), LARGE, ())
        await watched.store.run(watched.store.sync_store.statistics)  # also writes what is pending
        lose(tmp_path / "store")
        await watched.watch.check()
        assert watched.store.peek(KEY + "other") == ()
        assert watched.replaced
        assert await watched.stores()
        assert await watched.stores(LARGE)
        assert watched.condition.state is StoreState.OPEN

    run(watched, scenario)
    assert [record.name for record in caplog.records] == ["addon.pipeline.store_condition"] * 2
    with closing(DiskStore(tmp_path / "store", 1 << 26)) as again:
        assert len(again.candidates("http://new.example/")) == 2


def test_a_removed_store_serves_nothing_more(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        await watched.store.keep(new_entry(), b"body", ())
        stamp = watched.store.generations.stamp(KEY)
        old = watched.store.generations
        shutil.rmtree(tmp_path / "store")
        await watched.watch.check()
        assert await watched.store.candidates(KEY) == ()
        assert watched.store.generations is not old
        assert not old.is_current(stamp)

    run(watched, scenario)


def test_a_database_found_damaged_is_set_aside_while_the_proxy_runs(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        await watched.store.keep(new_entry(), b"body", ())
        (tmp_path / "store" / FOUND_DAMAGED).touch()
        await watched.watch.check()
        assert await watched.store.candidates(KEY) == ()
        assert await watched.stores()

    run(watched, scenario)
    assert (tmp_path / "store" / "damaged-cache.db").exists()


def test_a_damaged_database_is_replaced_when_all_processes_have_closed_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        with closing(DiskStore(tmp_path / "store", 1 << 26)):
            (tmp_path / "store" / FOUND_DAMAGED).touch()
            await watched.watch.check()
            assert watched.condition.state is StoreState.CLOSED
            assert "in use by another process" in watched.condition.reason
        await watched.watch.check()
        assert await watched.stores()

    run(watched, scenario)


def test_directories_for_bodies_are_created_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        shutil.rmtree(tmp_path / "store" / "bodies")
        shutil.rmtree(tmp_path / "store" / "spool")
        assert not await watched.stores(LARGE)
        await watched.watch.check()
        assert await watched.stores(LARGE)

    run(watched, scenario)


def test_a_store_that_cannot_be_written_is_reported_and_used_for_reading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(tmp_path / "store")

    async def scenario() -> None:
        await watched.store.keep(new_entry(), LARGE, ())
        shutil.rmtree(tmp_path / "store" / "spool")
        (tmp_path / "store" / "spool").write_text("a file in the place of the directory")
        for _ in range(5):
            assert not await watched.stores(LARGE)
            await watched.watch.check()
        assert watched.condition.state is StoreState.FAILING
        assert len(await watched.store.candidates(KEY)) == 1
        (tmp_path / "store" / "spool").unlink()
        await watched.watch.check()
        assert watched.condition.state is StoreState.OPEN
        assert await watched.stores(LARGE)

    run(watched, scenario)
    failure, failing, works = [record.message for record in caplog.records]
    assert failure.startswith("store: cannot write")
    assert failing.startswith("the store cannot store responses")
    assert works == "the store works again"


def test_a_store_that_cannot_be_opened_is_attached_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    DiskStore(tmp_path / "store", 1 << 26).close()
    with closing(sqlite3.connect(tmp_path / "store" / "cache.db", isolation_level=None)) as another_process:
        another_process.execute("BEGIN IMMEDIATE")
        watched = Watched(tmp_path / "store", wait=0.0, lock_timeout=0.01)

        async def scenario() -> None:
            for _ in range(3):
                assert not await watched.stores()
                assert await watched.store.writer() is None
            another_process.execute("ROLLBACK")
            while isinstance(watched.store.sync_store, MemoryStore):
                await asyncio.sleep(0)
            assert await watched.stores()

        run(watched, scenario)
    assert [record.name for record in caplog.records] == ["addon.pipeline.store_condition"] * 2


def test_a_start_does_not_wait_for_a_store_that_is_slow_to_open(tmp_path: Path) -> None:
    may_open = Event()

    class Slow(Watched):
        def open(self) -> TieredStore:
            may_open.wait(60)
            return super().open()

    watched = Slow(tmp_path / "store", wait=0.0)
    assert isinstance(watched.store.sync_store, MemoryStore)
    assert watched.condition.state is StoreState.CLOSED

    async def scenario() -> None:
        assert not await watched.stores()
        may_open.set()
        await watched.watch.check()
        assert await watched.stores()

    run(watched, scenario)


def test_a_store_that_is_opened_after_the_end_is_closed(tmp_path: Path) -> None:
    may_open, opened = Event(), list[TieredStore]()

    class Slow(Watched):
        def open(self) -> TieredStore:
            may_open.wait(60)
            opened.append(super().open())
            return opened[0]

    async def main() -> None:
        watched = Slow(tmp_path / "store", wait=0.0)
        watched.watch.start(watched.store, watched.count)
        closing_it = asyncio.create_task(watched.watch.close())
        await asyncio.sleep(0)
        may_open.set()
        await closing_it
        watched.store.close()

    asyncio.run(asyncio.wait_for(main(), 60))
    with pytest.raises(StoreError, match="closed"):
        opened[0].statistics()
