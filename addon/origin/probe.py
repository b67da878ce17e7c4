"""A probe: whether an origin can be reached, by a TCP connection to the first hop of requests for it."""

from __future__ import annotations

import asyncio

from addon.origin.options import OriginOptions
from addon.origin.proxy import UpstreamProxies


class OriginProbe:
    """Connects where requests for an origin go first: to the origin, or to an upstream proxy."""

    def __init__(self, options: OriginOptions) -> None:
        """Read the options. Raises ValueError for an invalid URL of an upstream proxy."""
        self._backend = options.backend
        self._connect_timeout = options.connect_timeout
        self._proxies = UpstreamProxies(options.proxy, options.own_addresses)

    async def __call__(self, scheme: str, host: str, port: int) -> None:
        """Connect, and close the connection. Raises OSError if that fails."""
        route = self._proxies.route(*(self._backend or (scheme, host, port)))
        async with asyncio.timeout(self._connect_timeout):  # a TimeoutError is an OSError
            _, writer = await asyncio.open_connection(*route.first_hop)
        writer.close()
