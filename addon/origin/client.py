"""The origin client: sends a request over a pooled connection, retries it once where allowed, returns the response."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from weakref import WeakSet, WeakValueDictionary

from addon.origin.backends.connector import SiteConnector
from addon.origin.backends.failover import Failover
from addon.origin.backends.pools import OnlyPool, Pools, SitePools
from addon.origin.backends.site import Site, SiteOrigin, sites_of
from addon.origin.dial import Dialler
from addon.origin.errors import FailureKind, OriginFailure, shutdown_failure
from addon.origin.exchange import OutgoingRequest
from addon.origin.negotiation import KnownProtocols, Offer, offer_for
from addon.origin.options import OriginOptions
from addon.origin.origin_response import OriginResponse
from addon.origin.pool import Connection, OriginPool
from addon.origin.proxy import UpstreamProxies
from addon.origin.request_body import RequestContent
from addon.origin.request_head import request_head
from addon.origin.resolver import Resolver
from addon.origin.response_reader import ResponseReader
from addon.origin.retries import Retries
from cache.http.host_table import HostTable
from cache.http.messages import Request, Response
from cache.rules.streams import is_grpc_over_http2

MAX_KNOWN_ORIGINS = 1024
"""Origins whose protocols are remembered."""

type PoolKey = tuple[str, str, int, Offer]
"""Scheme, host and port of an origin, and the protocols that it may choose from."""

type SiteKey = tuple[Site, Offer]
"""A site, and a protocol that requests need, if it is not HTTP/1.1 or what the origin chooses."""


class OriginClient:
    """Client for origins, over HTTP/1.1 and HTTP/2. Use it in one event loop only.

    Raises:
        ValueError: from the constructor, if an option is invalid: a CA file, the upstream proxy's URL.
    """

    def __init__(
        self,
        options: OriginOptions,
        clock: Callable[[], float] = time.time,
        resolver: Resolver | None = None,
        sites: Sequence[Site] | None = None,
    ) -> None:
        """Use these options.

        Args:
            options: The settings.
            clock: Returns seconds since the epoch.
            resolver: Finds the addresses of hosts; a new one by default.
            sites: The sites of `options`, with what is known about their origins.
        """
        self.resolver = resolver or Resolver(options.resolve_timeout)
        """Finds the addresses of hosts."""
        self._options = options
        self._clock = clock
        self._proxies = UpstreamProxies(options.proxy, options.own_addresses)
        self._dialler = Dialler(options, self.resolver)
        self.sites = sites_of(options.sites) if sites is None else sites
        """The sites of an edge."""
        self._sites = HostTable((host, site) for site in self.sites for host in site.options.hosts)
        self._connectors = {site: SiteConnector(site, options, self._dialler, self._proxies) for site in self.sites}
        self._closed = False
        # A pool lives as long as one of its connections, or a request that uses it.
        self._pools: WeakValueDictionary[PoolKey, OriginPool] = WeakValueDictionary()
        self._site_pools: dict[SiteKey, SitePools] = {}
        self._protocols: dict[PoolKey, KnownProtocols] = {}
        self._replaced: WeakSet[OriginPool] = WeakSet()

    async def fetch(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
        named_host: bool = False,
        connected: Callable[[], None] | None = None,
    ) -> OriginResponse:
        """Send a request and return the response when its head has arrived.

        A request for a host of a site goes to one of the origins of the site; if it fails there, see `Failover`.

        A request with an idempotent method on a reused connection is sent once more, on a new connection, if the origin
        closed the reused one without sending a byte. Over HTTP/1, a request with content is sent once, on a connection
        of its own. Over HTTP/2, any request is sent again if the origin says that it did nothing for it.

        Args:
            request: The request's head. Fields that frame its content are replaced.
            interim: Called with the head of each 1xx response before the final one, in order.
            content: The request's content. The response may arrive before all of it was sent.
            named_host: Send the client's Host field, even if it differs from the host of the request's URL.
            connected: Called when a new connection was opened for the request.

        Raises:
            OriginFailure: no response.
            ValueError: the request is not valid; nothing was sent.
        """
        pools, tried = self.pools(request), list[OriginPool]()
        failover, last = Failover(request.method, has_content=content is not None), None
        while (pool := pools.choose(request, tried)) is not None:
            outgoing = _outgoing(request, pool, content, interim, named_host=named_host)
            try:
                response = await self._exchange(outgoing, pool, failover, connected)
            except OriginFailure as failure:
                _note_failure(pool, failure)
                tried.append(pool)
                last = failure
                if not failover.allows(failure):
                    break
            else:
                if pool.health is not None:
                    pool.health.answered(response.head.status)
                return response
        raise pools.failure(last)

    async def _exchange(
        self, outgoing: OutgoingRequest, pool: OriginPool, failover: Failover, connected: Callable[[], None] | None
    ) -> OriginResponse:
        """Send a request to one origin. Raises OriginFailure."""
        content, retries = outgoing.content, Retries(outgoing.request.method)
        while True:
            fresh = retries.connection_was_closed
            connection: Connection | None = None if fresh or content else pool.idle_connection()
            reused, began = True, self._clock()
            if connection is None:
                connection, reused = await pool.acquire(fresh=fresh, single_use=content is not None)
                if connected and not reused:
                    connected()
            request_time = self._clock()
            failover.sent = True
            exchange, response = outgoing.send(connection, pool)
            try:
                head = await exchange.receive_head(response)
            except OriginFailure as failure:
                if failure.wants_http1:
                    pool.use_http1()
                failover.received = bool(response.received)
                if exchange.content_begun or not retries.may_repeat(failure, response, reused=reused):
                    raise
                failover.sent = False  # or it cannot have been processed
            else:
                connect = 0.0 if reused else request_time - began
                return OriginResponse(head, request_time, self._clock, exchange, response, connect=connect)

    async def fetch_or_switch(
        self,
        request: Request,
        fault_in_switch: Callable[[Response], str | None],
        *,
        interim: Callable[[Response], None] | None = None,
        named_host: bool = False,
        connected: Callable[[], None] | None = None,
    ) -> OriginResponse:
        """Send a request that offers another protocol, and return the response, perhaps a 101.

        It is sent once, over HTTP/1.1, on a connection of its own: HTTP/2 has no 101 (RFC 9113 §8.6). Arguments and
        errors are those of `fetch`; `fault_in_switch` judges a 101, as in `ResponseReader`.
        """
        pools, tried, last = self.pools(request), list[OriginPool](), None
        while (pool := pools.choose(request, tried)) is not None:
            began = self._clock()
            try:
                connection = await pool.acquire_http1(single_use=True)
            except OriginFailure as failure:
                _note_failure(pool, failure)
                tried.append(pool)
                last = failure
                continue
            if connected:
                connected()
            head_bytes = _outgoing(request, pool, None, interim, named_host=named_host).http1_head
            response = ResponseReader(request.method, pool.name, pool.options, interim, fault_in_switch=fault_in_switch)
            request_time = self._clock()
            connection.send(head_bytes, response)
            try:
                head = await connection.receive_head(response)
            except OriginFailure as failure:
                _note_failure(pool, failure)
                raise
            if pool.health is not None:
                pool.health.answered(head.status)
            connect = request_time - began
            return OriginResponse(head, request_time, self._clock, connection, response, connect=connect)
        raise pools.failure(last)

    async def connect(self, host: str, port: int, protocol: asyncio.Protocol) -> None:
        """Open a TCP connection to a host, for a tunnel, and attach `protocol` to it. Raises OriginFailure."""
        await self._dialler.dial_raw(self._proxies.route("https", host, port), protocol)

    async def reachable_address(self, host: str, port: int) -> str:
        """Return the address to connect to, for another client of origins. Raises OriginFailure if there is none.

        It also raises OriginFailure if clients of this proxy may not reach an address of this host.
        """
        _, address = (await self._dialler.reachable_addresses(host, port))[0]
        return str(address[0])

    async def close(self) -> None:
        """Close every connection. Unfinished exchanges and all later requests fail."""
        self._closed = True
        of_sites = [pool for pools in self._site_pools.values() for pool in pools.all]
        for pool in [*self._pools.values(), *of_sites, *self._replaced]:
            await pool.close()
        await self.resolver.close()

    def request_bytes(self, request: Request, pool: OriginPool) -> bytes:
        """Return the bytes that are sent for a request without content. Raises ValueError if it is not valid."""
        return request_head(pool.route.applied(request), pool.route)

    def pools(self, request: Request) -> Pools:
        """Return the pools of connections that a request may use.

        Raises:
            OriginFailure: the client is closed; or it is that of an edge, and no site has the host.
        """
        if self._closed:
            raise shutdown_failure()
        site = self._sites.find(request.host)
        if site is not None:
            return self._pools_of(site, request)
        if self.sites:  # a reload has ended its site meanwhile; an edge asks no other servers
            raise OriginFailure(
                FailureKind.DESTINATION_UNAVAILABLE, f"No site of this edge has the host {request.host}"
            )
        return OnlyPool(self.pool(request))

    def _pools_of(self, site: Site, request: Request) -> SitePools:
        wants_http2 = self._options.http2 and is_grpc_over_http2(request)
        key = site, Offer.HTTP2 if wants_http2 else Offer.HTTP1
        pools = self._site_pools.get(key)
        if pools is None:
            connector = self._connectors[site]
            pools = SitePools(site, lambda origin: connector.pool(origin, grpc=wants_http2))
            self._site_pools[key] = pools
        return pools

    def pool(self, request: Request) -> OriginPool:
        """Return the pool of connections to the origin that a request names. Raises OriginFailure after `close`."""
        if self._closed:
            raise shutdown_failure()
        key = self._pool_key(request)
        pool = self._pools.get(key)
        if pool is None:
            scheme, host, port, offer = key
            if len(self._protocols) >= MAX_KNOWN_ORIGINS:
                self._protocols.clear()
            known = self._protocols.setdefault(key, KnownProtocols.of(offer))
            options = self._options.of_host(host)
            pool = OriginPool(self._proxies.route(scheme, host, port), self._dialler, options, known)
            self._pools[key] = pool
        return pool

    def renew(self, request: Request) -> None:
        """Use new connections from now on: after an outage the present ones may be dead, or wait for dead ones."""
        site = self._sites.find(request.host)
        if site is None:
            pool = self._pools.pop(self._pool_key(request), None)
            replaced = [pool] if pool else []
        else:
            keys = [key for key in self._site_pools if key[0] is site]
            replaced = [pool for key in keys for pool in self._site_pools.pop(key).all]
        for pool in replaced:
            pool.close_idle()
            self._replaced.add(pool)

    async def check(self, site: Site, origin: SiteOrigin) -> str | None:
        """Check an origin of a site once. Return what is wrong, or None if it is well."""
        return await self._connectors[site].check(origin)

    def _pool_key(self, request: Request) -> PoolKey:
        scheme, host, port = request.scheme, request.host, request.port
        grpc = is_grpc_over_http2(request) and not self._proxies.route(scheme, host, port).proxy
        return scheme, host, port, offer_for(scheme, grpc=grpc, http2=self._options.http2)


def _outgoing(
    request: Request,
    pool: OriginPool,
    content: RequestContent | None,
    interim: Callable[[Response], None] | None,
    *,
    named_host: bool,
) -> OutgoingRequest:
    """Return a request as it is sent to the origin of a pool. Raises ValueError if it is not valid."""
    named_host = named_host and not pool.route.host_header
    sent = pool.route.applied(request)
    head = request_head(sent, pool.route, content, named_host=named_host)
    return OutgoingRequest(sent, head, content, named_host=named_host, interim=interim)


def _note_failure(pool: OriginPool, failure: OriginFailure) -> None:
    if pool.health is not None:
        pool.health.failed(failure)
