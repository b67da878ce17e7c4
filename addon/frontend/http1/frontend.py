"""What all connections of the door share: the cache, the answers that are ready, the time, and who may stay."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from addon.frontend.connect.leaf_certificates import LeafContexts
from addon.frontend.connection_limits import ConnectionLimits, address_of
from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient
from addon.frontend.http1.hit_for_pass import RequestTemplates
from addon.frontend.http1.hot_cache import HotCache
from addon.frontend.http1.hot_response import GenerationStamp, HitCount, HotResponse, hot_response
from addon.frontend.http1.request_target import RequestTargets
from addon.runtime.access_log import AccessLog
from addon.service import Service
from cache import engine
from cache.engine.decisions import Serve, Validate
from cache.http.messages import Request
from cache.rules.key import primary_key

HEAD_TIMEOUT = 10.0
"""Seconds for a request head, a TLS handshake, the first octet in a tunnel."""

IDLE_TIMEOUT = 75.0
"""Seconds that a connection may rest between two requests."""

STALL_TIMEOUT = 60.0
"""Seconds within which a client must take, or send, MIN_OCTETS of content."""

MIN_OCTETS = 30_000

LINGER = 2.0
"""Seconds that a client may go on sending after an answer that ends the connection."""

SILENCE = 1.0
"""Seconds after which a client that says nothing in its tunnel is taken to wait for the server's greeting."""

MOST_TOUCHED = 5_000
"""Answers a second whose use the store is told of: it takes time, and what is noted here outlives the pool."""


class Deadlined(Protocol):
    """A connection, or what it has become."""

    deadline: float
    """By the event loop's clock; infinite while the client has nothing to do."""

    def expire(self) -> None:
        """Act on a deadline that has passed."""

    def shut(self) -> None:
        """End as soon as what is under way is done."""

    def cut(self) -> None:
        """End at once."""


HandOver = Callable[[asyncio.Transport, bytes, str], None]
"""Gives a transport to mitmproxy: the octets already read from it, and the mode that it is to be handled in."""


class Door:
    """One listener's shared part. Everything here belongs to the event loop."""

    def __init__(
        self,
        service: Service,
        leaves: LeafContexts,
        hand_over: HandOver,
        limits: ConnectionLimits,
        arrival: RequestTargets,
        hot_size: int,
        log: AccessLog | None = None,
        left_alone: tuple[re.Pattern[str], ...] = (),
    ) -> None:
        """Put together what a listener needs.

        Args:
            service: Where answers come from.
            leaves: Certificates for intercepted hosts.
            hand_over: Gives a connection to mitmproxy.
            limits: Who may come in.
            arrival: Where a connection begins.
            hot_size: Octets of memory for answers that are ready.
            log: The access log, if one is kept.
            left_alone: Hosts whose TLS is not opened.
        """
        self.leaves = leaves
        self.hand_over = hand_over
        self.limits = limits
        self.arrival = arrival
        self.log = log
        self._left_alone = left_alone
        self.converse: Callable[[RequestTargets], asyncio.Protocol]
        """Makes a conversation on a connection to a destination."""
        self.pool = HotCache(hot_size)
        self.connections: set[Deadlined] = set()
        self.open = True
        self.now = 0.0
        """The event loop's clock, as of the last look round."""
        self._tallies: dict[tuple[str, str | None], HitCount] = {}
        self._used: list[HotResponse] = []
        self._timer: asyncio.TimerHandle | None = None
        self.serve(service)

    def serve(self, service: Service) -> None:
        """Answer from that service from now on."""
        self.pool.clear()
        self.service = service
        service.taken = partial(self.serve, service)
        for source in service.counters.sources:  # what was counted so far, before nobody asks for it any more
            source()
        self.passing = RequestTemplates(service.fetcher, service.counters)
        service.counters.sources[:] = [self._count, self.passing.count]
        self.clock = service.clock
        self.fetcher = service.fetcher
        self.generations = service.stored.generations

    def leaves_alone(self, host: str) -> bool:
        """Tell whether tunnels to a host stay closed to us."""
        return any(pattern.fullmatch(host) for pattern in self._left_alone)

    # ---- answers that are ready

    def is_good(self, answer: HotResponse, now: float) -> bool:
        """Tell whether the engine would decide the same at `now` (seconds since the epoch)."""
        if now >= answer.valid_until or answer.policy is not self.fetcher.policy:
            return False
        version = self.generations.version()
        if answer.version != version:  # something has changed, though hardly under this key
            if answer.place.generation != self.generations.current(answer.place.slot):
                return False
            answer.version = version
        return True

    def sent(self, answer: HotResponse, now: float, client: str) -> None:
        """Take note of an answer that was sent to the address `client`."""
        answer.visited = True
        tally = answer.tally
        tally.answers += 1
        tally.octets += answer.length
        tally.milliseconds += answer.milliseconds
        if not answer.used and len(self._used) < MOST_TOUCHED:
            answer.used = True
            self._used.append(answer)
        if self.log is not None:
            self.log.note(now, client, answer.line)

    def note(self, transport: asyncio.BaseTransport, line: str) -> None:
        """Log an answer that was not made of a stored response or an origin's."""
        if self.log is not None:
            self.log.note(self.clock(), address_of(transport), line)

    def ready(
        self, octets: bytes, request: Request, now: float, asker: DirectFetchClient
    ) -> HotResponse | DirectFetch | None:
        """Return the answer to a request that needs neither disk nor origin, and keep it under the head's octets.

        Where nothing is stored, return the request on its way to the origin, if its like was passed on before.
        """
        stored, policy = self.service.stored, self.fetcher.policy
        key = primary_key(request)
        if not policy.shortcuts.direct_fetch:
            return None
        if stored.peek(key) == ():
            return self.passing.begin(request, key, now, asker)
        place = self._place(key)
        candidates = stored.peek(key)  # only now: what the place says is from before
        if candidates is None:
            return None
        decision = engine.on_request(request, candidates, policy, now)
        if isinstance(decision, Validate):
            return self.passing.validate(request, decision, key, now, asker)
        if not isinstance(decision, Serve):
            return None
        content = self.fetcher.reply_builder.content_in_memory(decision.answer)
        if content is None:
            return None
        tally = self._tally(request.scheme, decision.answer.exemption)
        answer = hot_response(request, decision, content, policy, now, place, tally)
        if answer is not None:
            self.pool.put(octets, answer)
        return answer

    def _place(self, key: str) -> GenerationStamp:
        version, slot = self.generations.version(), self.generations.slot(key)
        return GenerationStamp(slot, self.generations.current(slot), version)

    def is_for_one(self, request: Request) -> bool:
        """Tell whether what a request fetches is, by all that is known, of use to nobody but its client."""
        key = primary_key(request)
        shared = request.method == "GET" and not request.has_content and "range" not in request.fields
        return not shared or self.fetcher.single_flight.is_hit_for_pass(key, self.clock())

    def _tally(self, scheme: str, exemption: str | None) -> HitCount:
        return self._tallies.setdefault((scheme, exemption), HitCount(scheme, exemption))

    def _count(self) -> None:
        """Add to the statistics which hot answers were sent."""
        for tally in self._tallies.values():
            answers, octets, milliseconds = tally.answers, tally.octets, tally.milliseconds
            if answers:
                tally.answers = tally.octets = tally.milliseconds = 0
                self.service.counters.count_hits(tally.scheme, tally.exemption, answers, octets, milliseconds)

    def _touch(self) -> None:
        """Tell the store what was used."""
        touch = self.service.store.touch
        for answer in self._used:
            answer.used = False
            touch(answer.entry_id)
        self._used.clear()

    # ---- time

    def begin(self) -> None:
        """Begin to look round once a second."""
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self._timer = loop.call_later(1.0, self._look_round)

    def _look_round(self) -> None:
        self.begin()
        late = [connection for connection in self.connections if connection.deadline < self.now]
        for connection in late:
            connection.expire()
        self._touch()

    async def _empty(self) -> None:
        while self.connections:  # noqa: ASYNC110 - only at the end; an event would be set wherever one leaves
            await asyncio.sleep(0.05)

    async def close(self, patience: float) -> None:
        """End every connection: those at rest now, the others after their answer, or after `patience` seconds."""
        self.open = False
        for connection in list(self.connections):
            connection.shut()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._empty()
        for connection in list(self.connections):
            connection.cut()
        if self._timer is not None:
            self._timer.cancel()
        self._count()
        self._touch()
