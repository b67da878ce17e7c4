"""The pools of connections that a request may use: that of its origin, or those of the origins of its site."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from addon.origin.backends.balance import Candidate, balance_of
from addon.origin.backends.site import Site, SiteOrigin
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.pool import OriginPool
from cache.http.messages import Request


class Pools(Protocol):
    """The pools for requests that are alike but for their targets."""

    def choose(self, request: Request, tried: Collection[OriginPool] = ()) -> OriginPool | None:
        """Return the pool to send a request through, none of those where it has failed; None if there is no other."""

    def choose_ready(self, request: Request) -> OriginPool | None:
        """Return the pool for a first attempt that can be sent at once; None if `choose` has to decide."""

    def failure(self, last: OriginFailure | None) -> OriginFailure:
        """Return the failure of a request for which there is no other pool; `last` is the one of the last pool."""

    @property
    def are_direct(self) -> bool:
        """True if no request goes through an upstream proxy."""


class OnlyPool:
    """The pool of an origin that the request names."""

    __slots__ = ("_pool",)

    def __init__(self, pool: OriginPool) -> None:
        self._pool = pool

    def choose(self, _request: Request, tried: Collection[OriginPool] = ()) -> OriginPool | None:
        """Return the pool, unless it was tried."""
        return None if tried else self._pool

    def choose_ready(self, _request: Request) -> OriginPool | None:
        """Return the pool."""
        return self._pool

    @property
    def are_direct(self) -> bool:
        """True if no request goes through an upstream proxy."""
        return self._pool.route.proxy is None

    def failure(self, last: OriginFailure | None) -> OriginFailure:
        """Return the failure at the origin."""
        return last or OriginFailure(FailureKind.PROXY_INTERNAL_ERROR, "The request was sent nowhere.")


class SitePools:
    """The pools to the origins of a site, for the protocols that one kind of requests offers."""

    def __init__(self, site: Site, make: Callable[[SiteOrigin], OriginPool]) -> None:
        """Make the pool of each origin."""
        self.site = site
        self.all = tuple(map(make, site.origins))
        self._pools = tuple(zip(site.origins, self.all, strict=True))
        for origin, pool in self._pools:
            origin.pools.add(pool)
        self._balance = balance_of(site.options.balance)

    def choose(self, request: Request, tried: Collection[OriginPool] = ()) -> OriginPool | None:
        """Return the pool to send a request through.

        An origin that is down gets a request when it is time to try it again, or if no other one is left.
        """
        if len(self._pools) == 1:
            origin, pool = self._pools[0]
            if tried or not origin.health.may_be_tried:
                return None
            if not origin.health.is_up:
                origin.health.begin_trial()
            return pool
        left = [each for each in self._pools if each[1] not in tried] if tried else self._pools
        up = [each for each in left if each[0].health.is_up]
        if len(up) < len(left):
            down = [each for each in left if not each[0].health.is_up and each[0].health.may_be_tried]
            if up:  # an attempt that failed once goes to an origin that is up
                down = [] if tried else [each for each in down if each[0].health.is_due]
            if down:
                origin, pool = min(down, key=lambda each: each[0].health.tried_at)
                origin.health.begin_trial()
                return pool
        return self._balanced(up, request) if up else None

    def choose_ready(self, request: Request) -> OriginPool | None:
        """Return the pool of an origin that is up, if it has a connection that is ready."""
        if len(self._pools) == 1:
            return self.all[0] if self.site.origins[0].health.is_up else None
        up = [each for each in self._pools if each[0].health.is_up]
        if len(up) < len(self._pools) and any(
            origin.health.is_due for origin in self.site.origins if not origin.health.is_up
        ):
            return None  # it is time to try one that is down
        return self._balanced(up, request, must_be_ready=True) if up else None

    @property
    def are_direct(self) -> bool:
        """True if no request goes through an upstream proxy."""
        return all(pool.route.proxy is None for pool in self.all)

    def _balanced(
        self, up: Sequence[tuple[SiteOrigin, OriginPool]], request: Request, *, must_be_ready: bool = False
    ) -> OriginPool | None:
        if len(up) == 1:
            return up[0][1]
        candidates = [
            Candidate(origin.options.url, origin.options.weight * origin.health.share, pool.busy) for origin, pool in up
        ]
        chosen = self._balance.choose(candidates, f"{request.host}{request.target}")
        pool = up[chosen][1]
        if must_be_ready and not pool.is_ready:
            return None
        self._balance.note(candidates, chosen)
        return pool

    def failure(self, last: OriginFailure | None) -> OriginFailure:
        """Return the failure of a request. It says nothing about the site as long as one of its origins is up."""
        if last is None:
            sentence = f"No origin of the site {self.site.options.name} passes its health checks"
            return OriginFailure(FailureKind.DESTINATION_UNAVAILABLE, sentence, disconnected=True)
        last.others_up = len(self._pools) > 1 and self.site.has_origin_up
        return last
