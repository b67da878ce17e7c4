"""A range fill: fetches the part that stored parts of a response lack, and stores it (RFC 9111 §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from addon.origin import OriginFailure
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.flight import Flight
from addon.pipeline.origin import FetchedResponse
from addon.runtime.counters import Counters
from cache.engine.decisions import Complete, Delete, Serve
from cache.policy.reasons import NotStored
from cache.rules.digests import is_contradicted
from cache.rules.stored_parts import StoredContent
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, StoreError

CHUNK = 1_048_576
"""Bytes of a stored body that are hashed at a time."""


class RangeFill:
    """Completes responses of which parts are stored. The client gets the content once the missing part is stored."""

    def __init__(self, store: AsyncStore, counters: Counters) -> None:
        self._store = store
        self._counters = counters

    async def fill(
        self, outcome: Complete, response: FetchedResponse, flight: Flight, completed: Callable[[StoredResponse], Serve]
    ) -> Serve | None:
        """Store the missing part, and return what `completed` decides about it; None if it could not be used."""
        part = await self._store_part(outcome, response, flight)
        whole = completed(part) if part else None
        return whole if whole and await self._has_stated_digest(whole) else None

    async def _store_part(self, outcome: Complete, response: FetchedResponse, flight: Flight) -> StoredResponse | None:
        writer = await self._store.writer()
        if writer is None:
            await response.close()
            return None
        try:
            async for chunk in response.body():
                await self._store.run(writer.write, chunk)
            if reason := await self._commit(writer, outcome, flight):
                self._counters.count(f"not_stored.{reason}")
                return None
        except (OriginFailure, StoreError):
            self._counters.count(f"not_stored.{NotStored.INCOMPLETE}")
            return None
        finally:
            await response.close()
            with suppress(StoreError):
                await self._store.run(writer.abort)
        candidates = await self._store.candidates(outcome.entry.key)
        return next((entry for entry in candidates if entry.id == outcome.entry.id), None)

    async def _commit(self, writer: BodyWriter, outcome: Complete, flight: Flight) -> NotStored | None:
        async with self._store.commits:
            return await self._store.commit(writer, outcome.entry, outcome.replaces, flight)

    async def _has_stated_digest(self, whole: Serve) -> bool:
        """Return whether the parts together have the digest of Repr-Digest (RFC 9530 §3); delete them if not."""
        if "repr-digest" not in whole.entry.head.fields:
            return True
        try:
            digest = await self._digest([each for each in whole.response.content if isinstance(each, StoredContent)])
        except StoreError:
            return False
        if not is_contradicted(replace(whole.entry, combined_parts=(), complete_length=None, sha256=digest)):
            return True
        self._counters.count(f"not_stored.{NotStored.DIGEST_MISMATCH}")
        await self._store.apply(tuple(map(Delete, whole.entry.parts)))
        return False

    async def _digest(self, content: list[StoredContent]) -> str:
        digest = sha256()
        for piece in content:
            body = await self._store.open(piece.entry)
            try:
                for start in range(piece.start, piece.stop, CHUNK):
                    digest.update(await self._store.run(body.read, start, min(start + CHUNK, piece.stop)))
            finally:
                self._store.release(body)
        return digest.hexdigest()
