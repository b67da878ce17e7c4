"""Purging from the proxy's own store, as commands and clients order it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from addon.pipeline.own_store import OwnStore
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.purge_log import PurgeLog
from addon.pipeline.purge_orders import PurgeOrder, Sites, order_of
from cache.stores.base import Extent, StoreError


class Purges:
    """Carries out orders to purge, and logs them. Recordings are not purged: they are removed as a whole."""

    def __init__(self, own: Pipeline, own_store: OwnStore, sites: Callable[[], Sites], log: PurgeLog) -> None:
        """Purge from the store of `own`; `sites` returns the host patterns of each site."""
        self._own = own
        self._own_store = own_store
        self._sites = sites
        self._log = log

    async def carry_out(self, order: PurgeOrder) -> Extent:
        """Purge, and return how much it was. It is true for all processes on the store when this returns.

        Raises:
            StoreError: nothing is purged.
        """
        own = self._own
        await self._own_store.check()  # copies of a store that was removed must not be served after this
        problem: StoreError | None = None
        for _ in range(2):
            store = own.store.sync_store
            try:
                extent = await own.measure(order.scopes) if order.dry_run else await own.purge(order.scopes)
            except StoreError as error:
                problem = error
                own.store.failed("purge", error)
            else:
                await own.store.run(self._log.note, order, extent)
                return extent
            await self._own_store.check()
            if own.store.sync_store is store:  # else the store was damaged, and another one has replaced it
                break
        raise problem or StoreError("nothing was purged")

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command: return what was done.

        Raises:
            ValueError: the arguments are not as `order_of` expects them, or the store cannot be used.
        """
        order = order_of(arguments, self._own.policy, self._sites())
        try:
            return described(order, await self.carry_out(order))
        except StoreError as error:
            raise ValueError(str(error)) from error


def described(order: PurgeOrder, extent: Extent) -> dict[str, object]:
    """Return what a purge has done, for programs: numbers of copies, and bytes if they were added up."""
    is_hard = not order.soft and not order.dry_run
    size = {} if extent.size is None else {"size": extent.size}
    return {
        "copies": extent.copies,
        "deleted": extent.copies if is_hard else 0,
        "soft": order.soft,
        "dry_run": order.dry_run,
        **size,
    }
