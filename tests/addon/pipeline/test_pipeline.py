"""A purge of a pipeline: it reaches fetches under way, and holds up nothing else."""

from __future__ import annotations

import asyncio
from threading import Event

from addon.config.settings import Settings
from addon.pipeline.single_flight import Flight
from addon.service import Service
from cache.policy.reasons import NotStored
from tests.fixtures.stored_entries import KEY, new_entry

OTHER = "http://b.example/"


def test_a_long_purge_does_not_hold_up_what_is_stored_meanwhile() -> None:
    async def main() -> None:
        service = Service(Settings.model_validate({"store": {"kind": "memory", "max_size": 2**24}}))
        pipeline, deleted = service.active.own, Event()
        flight = pipeline.fetcher.single_flight.begin(KEY, leads=True)

        def delete() -> int:
            assert deleted.wait(60)
            return 7

        purge = asyncio.create_task(pipeline.purge(lambda key: key == KEY, delete))
        await asyncio.sleep(0)
        assert await pipeline.store.keep(new_entry(OTHER), b"body", (), flight=Flight(OTHER)) is None
        assert await pipeline.store.keep(new_entry(), b"body", (), flight=flight) is NotStored.OVERTAKEN
        deleted.set()
        assert await purge == 7
        assert pipeline.store.peek(KEY) == ()
        await service.close()

    asyncio.run(main())
