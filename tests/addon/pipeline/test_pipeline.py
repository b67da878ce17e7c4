"""A purge of a pipeline: it reaches fetches under way, and holds up nothing else."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from addon.config.settings import Settings
from addon.pipeline.pipeline import Pipeline
from addon.service import Service
from cache.policy.reasons import NotStored
from cache.stores.base import Extent
from cache.stores.memory import MemoryStore
from cache.stores.purge_scopes import ALL, Scope, host_name, tag_name, url_name
from tests.fixtures.stored_entries import KEY, new_entry

OTHER = "http://b.example/"


@pytest.fixture
def service() -> Service:
    return Service(Settings.model_validate({"store": {"kind": "memory", "max_size": 2**24}}))


def test_a_long_purge_does_not_hold_up_what_is_stored_meanwhile(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged = Event()

    def purge(*_: object) -> Extent:
        assert purged.wait(60)
        return Extent(7)

    async def main() -> None:
        monkeypatch.setattr(MemoryStore, "purge", purge)
        pipeline = service.active.own
        purging = asyncio.create_task(pipeline.purge([Scope(ALL)]))
        await asyncio.sleep(0)
        assert await pipeline.store.keep(new_entry(OTHER), b"body", ()) is None
        purged.set()
        assert (await purging).copies == 7
        await service.close()

    asyncio.run(main())


@pytest.mark.parametrize("scope", [ALL, host_name("a.example"), url_name(KEY), tag_name("news")])
def test_what_was_asked_for_before_a_purge_is_not_stored(service: Service, scope: str) -> None:
    async def main() -> None:
        pipeline = service.active.own
        before = pipeline.fetcher.single_flight.begin(KEY, leads=True)
        await pipeline.purge([Scope(scope)])
        entry = new_entry(tags="sport\nnews")
        assert await pipeline.store.keep(entry, b"body", (), flight=before) is NotStored.OVERTAKEN
        assert pipeline.store.peek(KEY) == ()
        assert pipeline.fetcher.single_flight.leader(KEY) is None
        after = pipeline.fetcher.single_flight.begin(KEY, leads=True)
        assert await pipeline.store.keep(entry, b"body", (), flight=after) is None
        await service.close()

    asyncio.run(main())


def test_what_was_asked_for_before_a_soft_purge_is_stored_as_purged(service: Service) -> None:
    async def main() -> None:
        pipeline: Pipeline = service.active.own
        before = pipeline.fetcher.single_flight.begin(KEY, leads=True)
        await pipeline.purge([Scope(tag_name("news"), soft=True)])
        assert await pipeline.store.keep(new_entry(tags="news"), b"body", (), flight=before) is None
        [stored] = await pipeline.store.candidates(KEY)
        assert stored.soft_purged
        await service.close()

    asyncio.run(main())
