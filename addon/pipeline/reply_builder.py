"""Makes replies: from stored responses, and from what an origin sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from addon.origin import OriginFailure
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.counting import from_copy_counters, from_origin_counters, host_counters, response_counters
from addon.pipeline.fill import Fill
from addon.pipeline.origin import FetchedResponse
from addon.pipeline.page_cache import read_cached
from addon.pipeline.reply import FileRange, Reply, Stream
from addon.runtime.counters import Counters
from cache.answer.cache_status import Handling
from cache.answer.compose import NO_CONTENT
from cache.answer.responses import CopyResponse
from cache.engine.decisions import Freshen, Relay, Serve, Store
from cache.http.messages import Request, Response
from cache.policy.reasons import Dropped
from cache.rules.stored_parts import StoredContent
from cache.stores.base import StoredBody

logger = logging.getLogger(__name__)

CHUNK = 65_536
"""Bytes of a stored body that are read at a time."""

MAX_DRAINED = 65_536
"""Bytes of forbidden content that are read and dropped, so that the connection can be used again."""

DROPS = {204: Dropped.CONTENT_IN_204, 205: Dropped.CONTENT_IN_205, 304: Dropped.CONTENT_IN_304}


class ReplyBuilder:
    """Makes replies from stored responses and from what an origin sends."""

    def __init__(self, store: AsyncStore, counters: Counters) -> None:
        self._store = store
        self._counters = counters

    # ---- from stored responses

    async def copy(self, request: Request, outcome: Serve | Freshen) -> Reply:
        """Return a reply from a stored response, and count it.

        Raises:
            StoreError: it cannot be read; if it was damaged, it has been deleted.
        """
        response = outcome.response
        content: bytes | Stream | None = self.content_in_memory(response) if response.length <= CHUNK else None
        if content is None:
            content = await self._stored_content(response)
        self._counters.count_each(from_copy_counters(request.authority), response.length)
        if outcome.handling.hit:
            self._counters.count("milliseconds.saved", outcome.entry.milliseconds)
        self._count(request, outcome.handling, response.exemption)
        return Reply(response.head, content, outcome.handling)

    def _count(self, request: Request, handling: Handling, exemption: str | None) -> None:
        names = response_counters(request.scheme, handling, exemption)
        self._counters.count_each((*names, *host_counters(request.authority, handling)))

    def content_in_memory(self, response: CopyResponse) -> bytes | None:
        """Return the content if the store has all of it in memory, else None. Does not wait."""
        pieces = []
        for piece in response.content:
            if isinstance(piece, StoredContent):
                body = self._store.peek_body(piece.entry)
                if body is None:
                    return None
                pieces.append(body if (piece.start, piece.stop) == (0, len(body)) else body[piece.start : piece.stop])
            else:
                pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _stored_content(self, response: CopyResponse) -> bytes | Stream:
        """Return the content. Each body is opened, and so checked, before anything is sent."""
        pieces: list[bytes | tuple[StoredContent, StoredBody]] = []
        async with AsyncExitStack() as opened:
            for each in response.content:
                if isinstance(each, bytes):
                    pieces.append(each)
                else:
                    body = await self._store.open(each.entry)
                    opened.callback(self._store.release, body)
                    pieces.append((each, body))
            chunks = self._chunks(pieces)
            if response.length > CHUNK:
                return Stream(chunks, opened.pop_all().aclose, file=_file_of(pieces), is_stored=True)
            return b"".join([chunk async for chunk in chunks])

    async def _chunks(self, pieces: list[bytes | tuple[StoredContent, StoredBody]]) -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            content, body = piece
            for start in range(content.start, content.stop, CHUNK):
                if start > content.start:
                    await asyncio.sleep(0)  # to read from the page cache takes time, and does not suspend
                yield await self._chunk(body, start, min(start + CHUNK, content.stop))

    async def _chunk(self, body: StoredBody, start: int, stop: int) -> bytes:
        cached = read_cached(body.descriptor, start, stop) if body.descriptor is not None else None
        return await self._store.run(body.read, start, stop) if cached is None else cached

    # ---- from an origin

    async def relay(self, request: Request, outcome: Relay, response: FetchedResponse) -> Reply:
        """Return a reply that passes an origin's response on without storing it."""
        if not outcome.response.has_content:
            await self.drain(request, outcome.response.head.status, response)
            await response.close()
            return self.relayed_whole(request, outcome, b"")
        if response.whole is not None and not response.trailers.lines:
            return self.relayed_whole(request, outcome, response.whole)
        announced = response.head.fields.get("trailer")
        stream = Stream(self._counted(request, response), response.close, lambda: response.trailers, announced)
        return Reply(outcome.response.head, stream, outcome.handling)

    async def _counted(self, request: Request, response: FetchedResponse) -> AsyncIterator[bytes]:
        names = from_origin_counters(request.authority)
        async for chunk in response.body():
            self._counters.count_each(names, len(chunk))
            yield chunk
        response.note_end()

    def relayed_whole(self, request: Request, outcome: Store | Relay, whole: bytes) -> Reply:
        """Return a reply that passes on an origin's response whose content is complete."""
        self._counters.count_each(from_origin_counters(request.authority), len(whole))
        head = outcome.response.head
        if outcome.response.has_content and "content-length" not in head.fields:
            # a stream, so that the framing does not depend on how fast the content came
            return Reply(head, Stream(_once(whole), _nothing, is_empty=not whole), outcome.handling)
        return Reply(head, whole, outcome.handling)

    def joined(self, request: Request, serve: Serve, fill: Fill) -> Reply:
        """Return a reply from a fill that another request has caused, and count it."""
        response = serve.response
        self._count(request, serve.handling, response.exemption)
        if response.head.status in NO_CONTENT:
            return Reply(response.head, b"", serve.handling)
        head, stream = response.head, fill.stream()
        if fill.length is None:
            head = replace(head, fields=head.fields.without(["content-length"]))
            stream = replace(stream, chunks=self._counted_copy(request, stream))
        else:
            self._counters.count_each(from_copy_counters(request.authority), response.length)
        return Reply(head, stream, serve.handling)

    async def _counted_copy(self, request: Request, stream: Stream) -> AsyncIterator[bytes]:
        names = from_copy_counters(request.authority)
        async for chunk in stream.chunks:
            self._counters.count_each(names, len(chunk))
            yield chunk

    # ---- content that a status forbids

    async def drain(self, request: Request, status: int, response: FetchedResponse) -> None:
        """Read and drop content that a response must not have, and count it if there was any."""
        size = 0
        try:
            async for chunk in response.body():
                size += len(chunk)
                if size > MAX_DRAINED:
                    break
        except OriginFailure as failure:
            logger.debug("forbidden content ended short: %s", failure.detail)
        if size or _announces_content_in_204(response.head):
            self.note_dropped(request, status)

    def note_dropped(self, request: Request, status: int) -> None:
        """Count and log content that a response with this status must not have."""
        if dropped := DROPS.get(status):
            self._counters.count(f"dropped.{dropped}")
            logger.warning("%s: content dropped: %s", request.uri, dropped)


def _announces_content_in_204(head: Response) -> bool:
    """Return whether a 204 is framed as if content followed; a correct parser does not return such content."""
    length = head.fields.get("content-length") or "0"
    return head.status == 204 and (length != "0" or "transfer-encoding" in head.fields)


def _file_of(pieces: list[bytes | tuple[StoredContent, StoredBody]]) -> FileRange | None:
    """Return where the content is, if it is one part of one file."""
    match pieces:
        case [(StoredContent() as part, body)] if body.descriptor is not None:
            return FileRange(body.descriptor, part.start, part.stop)
    return None


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _nothing() -> None:
    pass
