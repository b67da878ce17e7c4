"""Hits whose content is in a file of the store: what the engine decided holds for equal requests that follow.

A task sends such a response, since a client takes long to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import floor

from addon.frontend.http1.batched_counters import BatchedCounters, Tally
from addon.frontend.http1.direct_fetch import DirectFetchClient
from addon.frontend.http1.hot_response import KnownDecision, is_lasting, version_of, with_seconds
from addon.pipeline.counting import request_counters
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import CHUNK
from addon.pipeline.responder import Responder
from cache.engine.decisions import Serve
from cache.http.messages import DEFAULT_PORTS, Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime
from cache.stores.base import Stamp, StoreError

MAX_KEPT = 256
"""Decisions that are kept. Each takes a few kilobytes of memory."""


@dataclass(slots=True, eq=False)
class KnownServe(KnownDecision):
    """A decision to answer from a stored response."""

    serve: Serve

    def at(self, now: float) -> Serve:
        """Return the decision with the `Age` and `ttl` at `now`, in seconds since the epoch."""
        age, response, handling = now - self.born, self.serve.response, self.serve.handling
        ttl = floor(self.lifetime - age)
        lines, has_ttl = with_seconds(response.head.fields.lines, handling, self.policy, str(floor(age)), str(ttl))
        if has_ttl:
            handling = replace(handling, ttl=ttl)
        head = replace(response.head, fields=Fields(lines))
        return replace(self.serve, response=replace(response, head=head), handling=handling)


class FileHit:
    """One request that such a decision answers; see `ReadyFetch`."""

    shareable = False
    """No other request uses what its client is sent."""

    def __init__(self, request: Request, serve: Serve, client: DirectFetchClient, requests: Tally) -> None:
        """Answer `request` as decided, and count it in `requests`."""
        self.request = request
        self._serve = serve
        self._client = client
        self._requests = requests
        self._turn: asyncio.Handle | None = None

    def send(self) -> None:
        """Have the client's connection send the response, in a turn of its own: requests may be behind this one."""
        self._turn = asyncio.get_running_loop().call_soon(self._client.continue_fetch, self)

    def client_lost(self) -> None:
        """Send nothing."""
        if self._turn is not None:
            self._turn.cancel()

    async def reply(self, responder: Responder, /) -> Reply:
        """Return the response, or what the responder decides without it if the file turns out to be damaged."""
        try:
            reply = await responder.fetcher.reply_builder.copy(self.request, self._serve)
        except StoreError:
            return await responder.respond(self.request)
        self._requests.amount += 1
        return reply


class FileHits:
    """The last decisions of this kind, by the bytes of the request head."""

    def __init__(self, is_valid: Callable[[KnownDecision, float], bool], counters: BatchedCounters) -> None:
        """Use decisions as long as `is_valid` says that they hold at a time (seconds since the epoch)."""
        self._is_valid = is_valid
        self._requests = {scheme: counters.tally(*request_counters(scheme)) for scheme in DEFAULT_PORTS}
        self._known: dict[bytes, KnownServe] = {}

    def find(self, head_as_sent: bytes, request: Request, now: float, client: DirectFetchClient) -> FileHit | None:
        """Return the hit for a request that is known to lead to one now, else None."""
        known = self._known.get(head_as_sent)
        if known is None:
            return None
        if not self._is_valid(known, now):
            del self._known[head_as_sent]
            return None
        return FileHit(request, known.at(now), client, self._requests[request.scheme])

    def keep(self, head_as_sent: bytes, serve: Serve, policy: CachePolicy, stamp: Stamp, now: float) -> None:
        """Keep a decision made at `now`, unless it may be another one a moment later."""
        if not is_lasting(serve, policy, now) or serve.response.length <= CHUNK:
            return
        self._known[head_as_sent] = KnownServe(
            slot=stamp.slot,
            generation=stamp.generation,
            version=version_of(stamp),
            names=stamp.names,
            purges=stamp.purges,
            tags=serve.entry.tags,
            policy=policy,
            valid_until=serve.valid_until,
            serve=serve,
            born=now - current_age(serve.entry, policy, now),
            lifetime=freshness_lifetime(serve.entry, policy).seconds,
        )
        if len(self._known) > MAX_KEPT:
            del self._known[next(iter(self._known))]
