"""A pipeline: one store, and the parts that answer requests from it and fill it, by one policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.responder import Responder
from cache.policy.cache_policy import CachePolicy


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """The parts that answer a request. A proxy has one on its own store, and one more while a recording is used."""

    store: AsyncStore
    fetcher: Fetcher
    responder: Responder

    @property
    def policy(self) -> CachePolicy:
        """The policy in force."""
        return self.fetcher.policy

    async def purge(self, purged: Callable[[str], bool], delete: Callable[[], int]) -> int:
        """Delete from the store, and keep fetches under way for the same keys from being stored afterwards.

        `purged` tells whether a primary key is among those that `delete`, called on a store thread, deletes. Returns
        the number of deleted responses. Raises StoreError.
        """
        async with self.store.commits:  # what is being stored now is deleted; what was fetched until now is not stored
            self.fetcher.single_flight.mark_purged(purged)
        return await self.store.run(delete)

    async def close(self) -> None:
        """Stop what is under way, and close the store."""
        await self.responder.close()
        self.store.close()
