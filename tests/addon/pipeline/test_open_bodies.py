"""Bodies that stay open for a moment after their last use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.pipeline import open_bodies
from addon.pipeline.async_store import AsyncStore
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.stored_entries import KEY, new_entry

CONTENT = os.urandom(2_000_000)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


async def stored(store: AsyncStore) -> StoredResponse:
    """Store CONTENT, which is too long for memory, and return its entry."""
    assert await store.keep(new_entry(), CONTENT, ()) is None
    (entry,) = await store.candidates(KEY)
    return entry


def truncate_body(folder: Path) -> None:
    """Shorten the file of CONTENT."""
    (file,) = [each for each in folder.rglob("*") if each.is_file() and each.stat().st_size == len(CONTENT)]
    os.truncate(file, 1000)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the id of each body that is opened on the disk."""
    ids: list[str] = []
    open_body = DiskStore.open

    def noted(store: DiskStore, entry: StoredResponse) -> object:
        ids.append(entry.id)
        return open_body(store, entry)

    monkeypatch.setattr(DiskStore, "open", noted)
    return ids


def test_a_body_is_opened_once_for_readers_that_follow_each_other(store: AsyncStore, opened: list[str]) -> None:
    async def scenario() -> None:
        entry = await stored(store)
        for _ in range(3):
            body = await store.open(entry)
            assert body.read(0, body.length) == CONTENT
            store.release(body)
        assert opened == [entry.id]

    run(scenario)


def test_only_a_body_that_answers_a_request_is_used(store: AsyncStore) -> None:
    """Regression: what was read while it was being stored, for its own request, was no longer "never used again"."""

    async def scenario() -> None:
        entry = await stored(store)
        store.release(await store.open_unused(entry))
        assert store.sync_store.last_use_of(entry) is None
        store.release(await store.open(entry))
        assert store.sync_store.last_use_of(entry)

    run(scenario)


def test_a_body_is_closed_when_it_is_not_used_any_more(
    store: AsyncStore, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deleted file takes space on the disk as long as it is open."""
    monkeypatch.setattr(open_bodies, "KEPT_OPEN", 0.0)

    async def scenario() -> None:
        entry = await stored(store)
        body = await store.open(entry)
        await asyncio.sleep(0.05)
        assert body.read(0, 9) == CONTENT[:9]  # never while it has a reader
        store.release(body)
        while len(opened) == 1:  # until it was closed, and so had to be opened again
            await asyncio.sleep(0.01)
            store.release(await store.open(entry))
        assert opened == [entry.id] * 2

    run(scenario)


def test_a_body_that_is_deleted_meanwhile_stays_complete_for_its_reader(store: AsyncStore) -> None:
    async def scenario() -> None:
        entry = await stored(store)
        body = await store.open(entry)
        await store.run(store.sync_store.delete, KEY)
        assert body.read(0, body.length) == CONTENT
        store.release(body)

    run(scenario)


def test_a_body_whose_file_was_truncated_is_not_opened_again(store: AsyncStore, tmp_path: Path) -> None:
    async def scenario() -> None:
        entry = await stored(store)
        store.release(await store.open(entry))
        truncate_body(tmp_path)
        with pytest.raises(StoreError):
            await store.open(entry)

    run(scenario)
