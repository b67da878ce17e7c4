"""The control command `purge`: delete copies from the proxy's own store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from addon.pipeline.own_store import OwnStore
from addon.pipeline.pipeline import Pipeline
from addon.runtime.control import Handler
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import key_of_uri, keys
from cache.stores.base import ResponseStore, StoreError
from cache.stores.purges import host_tag, tags_of

type _Purge = tuple[Callable[[str], bool], Callable[[ResponseStore], int]]
"""Tells whether a key is to be purged, and deletes from a store."""


def purge_handler(own: Pipeline, own_store: OwnStore) -> Handler:
    """Return the handler. Recordings are not purged: they are removed as a whole."""

    async def purge(arguments: Mapping[str, object]) -> dict[str, object]:
        is_purged, delete = _purge_of(arguments, own.policy)
        await own_store.check()  # copies of a store that was removed must not be served after this
        for _ in range(2):
            store = own.store.sync_store
            try:
                return {"deleted": await own.purge(is_purged, lambda: delete(own.store.sync_store))}
            except StoreError as error:
                problem = error
                own.store.failed("purge", error)
            await own_store.check()
            if own.store.sync_store is store:  # else the store was damaged, and another one has replaced it
                break
        raise ValueError(str(problem))

    return purge


def _purge_of(arguments: Mapping[str, object], policy: CachePolicy) -> _Purge:
    match dict(arguments):
        case {"url": str(url)}:
            named = keys(key_of_uri(url), policy)
            return (lambda key: key in named), (lambda store: sum(map(store.delete, named)))
        case {"host": str(host)}:
            tag = host_tag(host)
            return (lambda key: tag in tags_of(key)), (lambda store: store.delete_host(host))
        case {"all": True}:
            return (lambda _: True), (lambda store: store.clear())
        case _:
            raise ValueError('expected "url", "host" or "all"')
