"""Asking an origin: which pool, how often, and what comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from weakref import WeakValueDictionary

from addon.origin.connection import OriginConnection
from addon.origin.content import RequestContent
from addon.origin.dial import Dialler
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.pool import OriginPool, closed
from addon.origin.proxy import UpstreamProxies
from addon.origin.request_head import request_head
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Fields, Request, Response

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class OriginAnswer:
    """A final response: its head at once, its body as it arrives.

    Close it, or read the body to its end; until then it occupies a connection.

    Attributes:
        head: The head as received: names in their case, values without surrounding whitespace.
        request_time: When the request was sent, by the injected clock.
        response_time: When the head had been received, by the injected clock.
        whole: All of the body, if the message was complete as soon as its head; then nothing is left to read or close.
    """

    __slots__ = ("_connection", "_exchange", "head", "request_time", "response_time", "whole")

    def __init__(
        self,
        head: Response,
        request_time: float,
        response_time: float,
        connection: OriginConnection,
        exchange: ResponseReader,
    ) -> None:
        self.head = head
        self.request_time = request_time
        self.response_time = response_time
        self._connection = connection
        self._exchange = exchange
        self.whole = exchange.whole()

    @property
    def trailers(self) -> Fields:
        """Return the trailer fields as received; none before the body was read to its end."""
        return self._exchange.trailers

    def body(self) -> AsyncIterator[bytes]:
        """Iterate over the body, transfer coding removed, content coding kept; the origin waits for a slow reader.

        Raises:
            OriginFailure: the body ended short or its framing broke; what was yielded before is all there is.
        """
        return self._connection.body(self._exchange) if self.whole is None else _once(self.whole)

    async def close(self) -> None:
        """Let go. A connection on which the body had not yet arrived to its end is closed."""
        self._connection.abandon(self._exchange)


class OriginClient:
    """Asks origins. Belongs to the event loop that is running when it is first used.

    Raises:
        ValueError: from the constructor, if an option is of no use: a CA file, the upstream proxy's URL.
    """

    def __init__(self, options: OriginOptions, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock
        self._proxies = UpstreamProxies(options.proxy, options.own_addresses)
        self._dialler = Dialler(options)
        self._closed = False
        # A pool lives as long as one of its connections, or someone who wants one.
        self._pools: WeakValueDictionary[tuple[str, str, int], OriginPool] = WeakValueDictionary()

    async def fetch(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
        named_host: bool = False,
    ) -> OriginAnswer:
        """Send a request and return the answer as soon as its head is there.

        A safe request that met the end of a reused connection before any octet came is sent once more, on a new one.
        One with content is sent once, on a connection of its own.

        Args:
            request: Its head; what frames content is written anew.
            interim: Called with the head of each 1xx before the final response, in order.
            content: What follows the head. An answer may come before it was read to its end.
            named_host: Send Host as the client did, where it names another host than the one that is asked.

        Raises:
            OriginFailure: no answer.
            ValueError: the request cannot be sent as it is; nothing was.
        """
        pool = self.pool(request)
        octets = request_head(request, pool.route, content, named_host=named_host)
        fresh = False
        while True:
            connection, reused = (None if fresh or content else pool.idle_connection()), True
            if connection is None:
                connection, reused = await pool.lease(fresh=fresh, single=content is not None)
            exchange = ResponseReader(request.method, pool.route.where, self._options, interim)
            request_time = self._clock()
            try:
                connection.send(octets, exchange, content)
                head = await connection.hear(exchange)
            except OriginFailure as failure:
                unanswered = failure.kind is FailureKind.CONNECTION_TERMINATED and not exchange.received
                fresh = reused and unanswered and request.method in _SAFE  # RFC 9110 §9.2.2, RFC 9112 §9.3.1
                if not fresh:
                    raise
            else:
                return OriginAnswer(head, request_time, self._clock(), connection, exchange)

    async def connect(self, host: str, port: int, protocol: asyncio.Protocol) -> None:
        """Open a connection on which octets go untouched to and from `protocol`. Raises OriginFailure."""
        await self._dialler.dial_untouched(self._proxies.route("https", host, port), protocol)

    async def close(self) -> None:
        """Close every connection. Exchanges under way fail; so does every later request."""
        self._closed = True
        for pool in list(self._pools.values()):
            await pool.close()

    def request_bytes(self, request: Request) -> bytes:
        """Return the head of a request without content as it is sent. Raises ValueError if it cannot be."""
        return request_head(request, self.pool(request).route)

    def pool(self, request: Request) -> OriginPool:
        """Return the connections to where a request goes. Raises OriginFailure once everything is closed."""
        if self._closed:
            raise closed()
        key = self._options.backend or (request.scheme, request.host, request.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = OriginPool(self._proxies.route(*key), self._dialler.dial, self._options)
            self._pools[key] = pool
        return pool


async def _once(octets: bytes) -> AsyncIterator[bytes]:
    if octets:
        yield octets
