"""A pipeline: one store, and the parts that answer requests from it and fill it, by one policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.responder import Responder
from cache.policy.cache_policy import CachePolicy
from cache.stores.base import Extent
from cache.stores.purge_scopes import Scope


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

    async def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what scopes cover, fetches under way included: a response asked for before is not stored.

        Returns how much it was. Raises StoreError.
        """
        extent = await self.store.run(self.store.sync_store.purge, scopes)
        by_key = [scope for scope in scopes if not scope.needs_entry]
        self.fetcher.single_flight.forget_purged(lambda key: any(scope.may_cover(key) for scope in by_key))
        return extent

    async def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return how much a purge of scopes would cover. Raises StoreError."""
        return await self.store.run(self.store.sync_store.measure, scopes)

    async def close(self) -> None:
        """Stop what is under way, and close the store."""
        await self.responder.close()
        self.store.close()
