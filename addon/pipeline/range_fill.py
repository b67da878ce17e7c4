"""Takes in the part that stored ones lack; nobody reads it as it comes (RFC 9111 §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from addon.origin import OriginAnswer, OriginFailure
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.single_flight import Flight
from addon.runtime.counters import Counters
from cache.engine.decisions import Complete, Delete, Serve
from cache.policy.reasons import NotStored
from cache.rules.digests import is_contradicted
from cache.rules.stored_parts import StoredContent
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, StoreError

CHUNK = 1_048_576
"""Octets of a stored body that are hashed at a time."""


class RangeFill:
    """Makes stored parts whole."""

    def __init__(self, stored: AsyncStore, counters: Counters) -> None:
        self._stored = stored
        self._counters = counters

    async def answer(
        self, outcome: Complete, answer: OriginAnswer, flight: Flight, joined: Callable[[StoredResponse], Serve]
    ) -> Serve | None:
        """Return what `joined` makes of the part once it is stored, or None if that came to nothing."""
        part = await self._take_in(outcome, answer, flight)
        whole = joined(part) if part else None
        return whole if whole and await self._is_what_it_says(whole) else None

    async def _take_in(self, outcome: Complete, answer: OriginAnswer, flight: Flight) -> StoredResponse | None:
        writer = await self._stored.writer()
        if writer is None:
            await answer.close()
            return None
        try:
            async for chunk in answer.body():
                await self._stored.run(writer.write, chunk)
            if reason := await self._commit(writer, outcome, flight):
                self._counters.count(f"not_stored.{reason}")
                return None
        except (OriginFailure, StoreError):
            self._counters.count(f"not_stored.{NotStored.INCOMPLETE}")
            return None
        finally:
            await answer.close()
            with suppress(StoreError):
                await self._stored.run(writer.abort)
        candidates = await self._stored.candidates(outcome.entry.key)
        return next((entry for entry in candidates if entry.id == outcome.entry.id), None)

    async def _commit(self, writer: BodyWriter, outcome: Complete, flight: Flight) -> NotStored | None:
        async with self._stored.commits:
            if flight.purged:
                return NotStored.OVERTAKEN
            entry = replace(outcome.entry, invalid=flight.invalidated)
            return await self._stored.commit(writer, entry, outcome.replaces)

    async def _is_what_it_says(self, whole: Serve) -> bool:
        """Tell whether the parts together are what Repr-Digest says (RFC 9530 §3); they are deleted if not."""
        if "repr-digest" not in whole.entry.head.fields:
            return True
        try:
            digest = await self._digest([each for each in whole.answer.content if isinstance(each, StoredContent)])
        except StoreError:
            return False
        if not is_contradicted(replace(whole.entry, combined_parts=(), complete_length=None, sha256=digest)):
            return True
        self._counters.count(f"not_stored.{NotStored.DIGEST_MISMATCH}")
        await self._stored.apply(tuple(map(Delete, whole.entry.parts)))
        return False

    async def _digest(self, content: list[StoredContent]) -> str:
        digest = sha256()
        for piece in content:
            body = await self._stored.open(piece.entry)
            try:
                for start in range(piece.start, piece.stop, CHUNK):
                    digest.update(await self._stored.run(body.read, start, min(start + CHUNK, piece.stop)))
            finally:
                await self._stored.run(body.close)
        return digest.hexdigest()
