"""Turns the engine's answers into replies, and counts them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from addon.origin import OriginAnswer, OriginFailure
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fill import Fill
from addon.pipeline.reply import FileRange, Reply, Stream
from addon.runtime.counters import Counters
from cache.answer.answers import CopyAnswer, OwnAnswer
from cache.answer.cache_status import Handling
from cache.answer.compose import NO_CONTENT
from cache.engine.decisions import Freshen, Refuse, Relay, Serve, Store
from cache.http.messages import Request, Response
from cache.policy.reasons import Dropped, NotStored
from cache.rules.stored_parts import StoredContent
from cache.stores.base import StoredBody

logger = logging.getLogger(__name__)

CHUNK = 65_536
"""Octets of a stored body that are read at a time."""

MAX_DRAINED = 65_536
"""Octets of content that should not be there which are read past, so that the connection can be used again."""

DROPS = {204: Dropped.CONTENT_IN_204, 205: Dropped.CONTENT_IN_205, 304: Dropped.CONTENT_IN_304}


class ReplyBuilder:
    """Makes replies from copies, from what an origin sends, and of the proxy's own."""

    def __init__(self, stored: AsyncStore, counters: Counters) -> None:
        self._stored = stored
        self._counters = counters

    async def copy(self, request: Request, outcome: Serve | Freshen) -> Reply:
        """Return a reply from a stored response.

        Raises:
            StoreError: it cannot be read; if it was damaged, it is gone now.
        """
        answer = outcome.answer
        content_in_memory = self.content_in_memory(answer) if answer.length <= CHUNK else None
        octets = await self._stored_octets(answer) if content_in_memory is None else content_in_memory
        self._counters.count("octets.from_copy", answer.length)
        if outcome.handling.hit:
            self._counters.count("milliseconds.saved", outcome.entry.milliseconds)
        self.count(request, outcome.handling, answer.exemption)
        return Reply(answer.head, octets, outcome.handling)

    def content_in_memory(self, answer: CopyAnswer) -> bytes | None:
        """Return the content if that needs no waiting."""
        pieces = []
        for piece in answer.content:
            if isinstance(piece, StoredContent):
                body = self._stored.peek_body(piece.entry)
                if body is None:
                    return None
                pieces.append(body if (piece.start, piece.stop) == (0, len(body)) else body[piece.start : piece.stop])
            else:
                pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _stored_octets(self, answer: CopyAnswer) -> bytes | Stream:
        """Return the content; every body it comes from is opened, and so checked, before anything is sent."""
        pieces: list[bytes | tuple[StoredContent, StoredBody]] = []
        async with AsyncExitStack() as opened:
            for each in answer.content:
                if isinstance(each, bytes):
                    pieces.append(each)
                else:
                    body = await self._stored.open(each.entry)
                    opened.push_async_callback(self._stored.run, body.close)
                    pieces.append((each, body))
            octets = self._chunks(pieces)
            if answer.length > CHUNK:
                return Stream(octets, opened.pop_all().aclose, file=_file_of(pieces))
            return b"".join([chunk async for chunk in octets])

    async def _chunks(self, pieces: list[bytes | tuple[StoredContent, StoredBody]]) -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            content, body = piece
            for start in range(content.start, content.stop, CHUNK):
                yield await self._stored.run(body.read, start, min(start + CHUNK, content.stop))

    async def relay(self, request: Request, outcome: Relay, answer: OriginAnswer) -> Reply:
        """Return a reply that passes an origin's answer on and stores nothing."""
        if outcome.not_stored:
            self.not_stored(request, outcome.not_stored)
        if not outcome.answer.has_content:
            await self.drain(request, outcome.answer.head.status, answer)
            await answer.close()
            return self.relayed_whole(request, outcome, b"")
        if answer.whole is not None and not answer.trailers.lines:
            return replace(self.relayed_whole(request, outcome, answer.whole), not_stored=outcome.not_stored)
        self.count(request, outcome.handling, outcome.answer.exemption)
        announced = answer.head.fields.get("trailer")
        stream = Stream(self._passing(answer), answer.close, lambda: answer.trailers, announced)
        return Reply(outcome.answer.head, stream, outcome.handling)

    def relayed_whole(self, request: Request, outcome: Store | Relay, whole: bytes) -> Reply:
        """Return a reply that passes on an origin's answer which came in one piece."""
        self.count(request, outcome.handling, outcome.answer.exemption)
        self._counters.count("octets.from_origin", len(whole))
        head = outcome.answer.head
        if outcome.answer.has_content and "content-length" not in head.fields:
            # its framing must not depend on how fast it came
            return Reply(head, Stream(_once(whole), _nothing), outcome.handling)
        return Reply(head, whole, outcome.handling)

    def joined(self, request: Request, serve: Serve, fill: Fill) -> Reply:
        """Return a reply from an answer that is still arriving, for another request."""
        answer = serve.answer
        self.count(request, serve.handling, answer.exemption)
        if answer.head.status in NO_CONTENT:
            return Reply(answer.head, b"", serve.handling)
        head = answer.head
        if fill.length is None:
            head = replace(head, fields=head.fields.without(["content-length"]))
        else:
            self._counters.count("octets.from_copy", answer.length)
        return Reply(head, fill.stream(), serve.handling)

    async def drain(self, request: Request, status: int, answer: OriginAnswer) -> None:
        """Read past content that must not be there, and say so if there was any."""
        octets = 0
        try:
            async for chunk in answer.body():
                octets += len(chunk)
                if octets > MAX_DRAINED:
                    break
        except OriginFailure as failure:
            logger.debug("content nobody wanted ended short: %s", failure.detail)
        if octets or _announces_content_in_204(answer.head):
            self._dropped(request, status)

    async def _passing(self, answer: OriginAnswer) -> AsyncIterator[bytes]:
        async for chunk in answer.body():
            self._counters.count("octets.from_origin", len(chunk))
            yield chunk

    def dropping(self, request: Request, head: Response) -> Callable[[bytes], list[bytes]]:
        """Return what takes the place of content that an answer with this head must not have: nothing."""
        if _announces_content_in_204(head):
            self._dropped(request, head.status)

        def nothing(octets: bytes) -> list[bytes]:
            if octets:
                self._dropped(request, head.status)
            return []

        return nothing

    def _dropped(self, request: Request, status: int) -> None:
        if dropped := DROPS.get(status):
            self._counters.count(f"dropped.{dropped}")
            logger.warning("%s: content dropped: %s", request.uri, dropped)

    def refuse(self, outcome: Refuse) -> Reply:
        """Return an error of this proxy's own."""
        self._counters.count(f"refused.{outcome.reason}")
        return own(outcome.answer)

    def count(self, request: Request, handling: Handling | None, exemption: str | None) -> None:
        """Count an answer."""
        if handling is None:
            return
        self._counters.count(f"answers.{'hit' if handling.hit else handling.fwd}")
        if handling.is_miss:
            self._counters.count(f"misses.{handling.fwd}")
        if (handling.ttl or 0) < 0:
            self._counters.count("stale")
        if handling.hit:
            self._counters.count("hits")
            self._counters.count(f"hits.{request.scheme}")
            if (handling.ttl or 0) < 0:
                self._counters.count("hits.stale")
        if exemption:
            self._counters.count(f"exempted.{exemption}")

    def not_stored(self, request: Request, reason: NotStored) -> None:
        """Count and log a response that is relayed but not stored."""
        self._counters.count(f"not_stored.{reason}")
        if logger.isEnabledFor(logging.INFO):  # a URI takes time to put together
            logger.info("%s not stored: %s", request.uri, reason)


def _announces_content_in_204(head: Response) -> bool:
    """Tell whether a 204 is framed as if content followed; whoever reads it rightly never gets to see that."""
    length = head.fields.get("content-length") or "0"
    return head.status == 204 and (length != "0" or "transfer-encoding" in head.fields)


def _file_of(pieces: list[bytes | tuple[StoredContent, StoredBody]]) -> FileRange | None:
    """Return where the content lies if it is one part of one file."""
    match pieces:
        case [(StoredContent() as part, body)] if body.descriptor is not None:
            return FileRange(body.descriptor, part.start, part.stop)
    return None


async def _once(octets: bytes) -> AsyncIterator[bytes]:
    yield octets


async def _nothing() -> None:
    pass


def own(answer: OwnAnswer) -> Reply:
    """Return a reply of the proxy's own words."""
    return Reply(answer.head, answer.content)
