"""Connects to the origins of one site: their routes, TLS and pools, and the checks of their health."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from addon.origin.backends.options import CLIENT, ORIGIN, CheckOptions
from addon.origin.backends.site import Site, SiteOrigin
from addon.origin.dial import Dialler
from addon.origin.errors import OriginFailure
from addon.origin.exchange import OutgoingRequest
from addon.origin.negotiation import KnownProtocols, offer_for
from addon.origin.options import OriginOptions
from addon.origin.pool import OriginPool
from addon.origin.proxy import Route, UpstreamProxies
from addon.origin.request_head import request_head
from cache.http.host_table import ANY_HOST, WILDCARD
from cache.http.messages import DEFAULT_PORTS, Fields, Request

_CHECK_FIELDS = Fields((("User-Agent", "secondhand"),))  # RFC 9110 §10.1.5; some servers refuse requests without it


class SiteConnector:
    """Makes the pools of one site."""

    def __init__(self, site: Site, options: OriginOptions, dialler: Dialler, proxies: UpstreamProxies) -> None:
        """Use these options, and `dialler` unless the site has certificates of its own.

        Raises:
            ValueError: a file of certificates cannot be used.
        """
        own = site.options
        self._site = site
        self._proxies = proxies
        self._options = replace(
            options,
            ca_files=(*options.ca_files, *own.ca_files),
            client_certificate=own.client_certificate or options.client_certificate,
        )
        self._dialler = dialler.with_certificates(self._options) if self._options != options else dialler

    def pool(self, origin: SiteOrigin, *, grpc: bool = False) -> OriginPool:
        """Return a new pool for an origin; with `grpc`, for requests that need HTTP/2 even without TLS."""
        route = self._route(origin)
        offer = offer_for(route.scheme, grpc=grpc and not route.proxy, http2=self._options.http2)
        options = self._options.of_host(route.host)
        return OriginPool(route, self._dialler, options, KnownProtocols.of(offer), origin.health)

    def _route(self, origin: SiteOrigin) -> Route:
        to, site = origin.options.address, self._site.options
        proxy = None if to.socket else self._proxies.route(to.scheme, to.host, to.port).proxy
        host_header = {CLIENT: "", ORIGIN: to.authority}.get(site.host_header, site.host_header)
        return Route(
            to.scheme,
            to.host,
            to.port,
            proxy,
            socket=to.socket,
            prefix=to.prefix,
            host_header=host_header,
            tls_name=site.sni,
        )

    async def check(self, origin: SiteOrigin) -> str | None:
        """Send the request that checks an origin, on a connection of its own. Return what is wrong, or None."""
        check = self._site.options.check
        if check is None:
            return None
        try:
            async with asyncio.timeout(check.timeout):
                status = await self._checked_status(origin, check)
        except TimeoutError:
            return f"its health check had no answer within {check.timeout:g} seconds"
        except OriginFailure as failure:
            return failure.detail
        passed = status in check.statuses if check.statuses else 200 <= status < 400
        return None if passed else f"its health check was answered {status}"

    async def _checked_status(self, origin: SiteOrigin, check: CheckOptions) -> int:
        pool = self.pool(origin)
        try:
            connection, _ = await pool.acquire(single_use=True)
            request = self._check_request(origin, check, pool.route)
            outgoing = OutgoingRequest(request, request_head(request, pool.route), None, named_host=False, interim=None)
            exchange, response = outgoing.send(connection, pool)
            head = await exchange.receive_head(response)
            exchange.abandon(response)
            return head.status
        finally:
            await pool.close()

    def _check_request(self, origin: SiteOrigin, check: CheckOptions, route: Route) -> Request:
        """Return the request of a check. Its path is that of the origin, so the prefix is not put in front of it."""
        host, port = self._site.options.name.removeprefix(WILDCARD), DEFAULT_PORTS[check.scheme]
        if host == ANY_HOST:
            address = origin.options.address
            host = address.host or "localhost"
            port = port if address.port in (0, DEFAULT_PORTS[address.scheme]) else address.port
        request = Request("GET", check.scheme, host, port, check.path, fields=_CHECK_FIELDS, client=check.client)
        return replace(route, prefix="").applied(request)
