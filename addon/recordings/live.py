"""Asks the origins again for what a recording has, so that it can be compared with what they answer now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from addon.offline.prefetch import prefetch
from addon.offline.wanted import Fields, Wanted
from addon.pipeline.pipeline import Pipeline
from addon.recordings.library import RecordingLibrary
from cache.rules.ownership import API_KEY, COOKIE, CREDENTIAL
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES, VIEW
from cache.stores.base import ResponseStore

TIMEOUT = 30.0
"""Seconds that an origin may take for one response."""

_OF_CLIENTS = frozenset({API_KEY, COOKIE, CREDENTIAL, VIEW})
"""Names among Vary values that stand for what only the client had, like its Cookie."""


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A recorded response for which no origin was asked, or without a response now."""

    method: str
    url: str
    why: str


class LiveRecording:
    """A recording of the responses that origins give now. It is deleted after the comparison.

    Attributes:
        store: The store of its responses.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Ask by a pipeline that records into an empty store."""
        self.store = pipeline.store.sync_store
        self._pipeline = pipeline

    async def ask_for(self, entries: Sequence[StoredResponse]) -> dict[str, NotCompared]:
        """Ask for these responses, all at the same time. Return those without a response now, by their ids."""
        problems = await asyncio.gather(*map(self._ask_for, entries))
        # else a response that took too long would be received to its end; the others are stored by now
        await self._pipeline.fetcher.fills.close()
        return {
            entry.id: NotCompared(entry.method, entry.key, why)
            for entry, why in zip(entries, problems, strict=True)
            if why
        }

    async def _ask_for(self, entry: StoredResponse) -> str:
        """Ask for one response, and return the reason why there is none; empty if there is one."""
        if reason := _reason_not_to_ask(entry):
            return reason
        try:
            async with asyncio.timeout(TIMEOUT):
                fetched = await prefetch(self._pipeline, Wanted(entry.target, _fields(entry)))
        except TimeoutError:
            return f"the origin has not answered within {TIMEOUT:g} seconds"
        except ValueError as error:
            return str(error)
        is_recorded = await self._pipeline.store.candidates(entry.key)
        return "" if is_recorded else fetched.problem or "the response is not stored"


def _reason_not_to_ask(entry: StoredResponse) -> str:
    if entry.method != "GET":
        return f"a request with {entry.method} is not repeated"
    if entry.complete_length is not None:
        return "only a part of it was recorded"
    if any(name in _OF_CLIENTS and value is not None for name, value in entry.vary):
        return "it was recorded for a request with credentials, which a recording does not have"
    return ""


def _fields(entry: StoredResponse) -> Fields:
    """Return the fields of a request that selects the response."""
    vary = () if entry.vary == NEVER_MATCHES else entry.vary
    fields = tuple((name, value) for name, value in vary if value is not None and not name.startswith("&"))
    if any(name == "user-agent" for name, _ in fields):
        return fields
    return (*fields, ("User-Agent", "secondhand"))  # some origins refuse requests without it


@asynccontextmanager
async def live_recording(
    library: RecordingLibrary, make_pipeline: Callable[[ResponseStore], Pipeline]
) -> AsyncIterator[LiveRecording]:
    """Open an empty recording of present responses for the time of the context. Raises StoreError."""
    with ExitStack() as stack:
        pipeline = make_pipeline(await asyncio.to_thread(stack.enter_context, library.temporary()))
        try:
            yield LiveRecording(pipeline)
        finally:
            await pipeline.close()
