"""Requests that are sent to an origin again and again, for other clients and perhaps for other targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient
from addon.frontend.http1.leased_fetch import LeasedFetch
from addon.origin import OriginClient
from addon.origin.backends.pools import Pools
from addon.origin.pool import OriginPool
from addon.origin.prepared_request import OpenRequest, ReadyRequest
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.flight import Flight
from addon.pipeline.leased_flights import LeasedFlights
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy


class OpenRequests:
    """A request as each origin gets it that may be asked: origins of a site may have different prefixes."""

    def __init__(self, client: OriginClient, pools: Pools, request: Request) -> None:
        """Send requests like this one on the pools, which are those of `client` for it."""
        self.pools = pools
        self._client = client
        self._request = request.with_client(None)
        self._by_pool: dict[OriginPool, OpenRequest] = {}

    @property
    def longest(self) -> int:
        """The length in bytes of the longest head."""
        return max(each.size for each in self._by_pool.values())

    def ready(self, request: Request) -> ReadyRequest | None:
        """Return what can be sent at once for a request, or None if no connection is ready, or it is not valid."""
        pool = self.pools.choose_ready(request)
        open_request = (self._by_pool.get(pool) or self._open_request(pool)) if pool is not None else None
        connection = pool.ready_connection() if pool is not None and open_request is not None else None
        if pool is None or open_request is None or connection is None:
            return None
        return pool, connection, open_request.bytes_for(connection, request)

    def _open_request(self, pool: OriginPool) -> OpenRequest | None:
        """Make what is sent to the origin of a pool; None if the request is not valid."""
        route = pool.route
        try:
            head = self._client.request_bytes(self._request, pool)
        except ValueError:
            return None
        made = self._by_pool[pool] = OpenRequest(route.applied(self._request), head, route.scheme, route.prefix)
        return made


@dataclass(slots=True, eq=False, kw_only=True)
class RepeatedRequest[Sent: UpstreamRequest]:
    """A request that goes to the origin, and what that depends on."""

    policy: CachePolicy
    sent: Sent
    """The request that the origin got or gets, for one client and target."""
    open_requests: OpenRequests

    def sent_for(self, request: Request) -> Sent:
        """Return what the origin gets for the target and the client of another request."""
        return replace(self.sent, request=replace(self.sent.request, target=request.target, client=request.client))

    def leased_fetch(
        self,
        leases: LeasedFlights,
        request: Request,
        client: DirectFetchClient,
        *,
        fetcher: Fetcher,
        flight: Flight,
        is_unchanged: Callable[[], bool],
        begin: Callable[[ReadyRequest], DirectFetch],
    ) -> LeasedFetch:
        """Return a fetch that asks for the lease first; `begin` makes the direct fetch. The others as LeasedFetch."""

        def make() -> DirectFetch | None:
            ready = self.open_requests.ready(request) if self.policy is fetcher.policy else None
            return begin(ready) if ready is not None else None

        return LeasedFetch(
            leases,
            request,
            self.sent,
            client,
            fetcher=fetcher,
            flight=flight,
            sent=lambda: self.sent_for(request),
            is_unchanged=is_unchanged,
            make=make,
        )
