"""The hosts that cannot be reached now. Each one is probed in the background until it can be reached again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from addon.origin import FailureKind, OriginFailure
from cache.http.messages import Request

logger = logging.getLogger(__name__)

UNREACHABLE_KINDS = frozenset(
    {FailureKind.DNS_ERROR, FailureKind.DESTINATION_IP_UNROUTABLE, FailureKind.CONNECTION_TIMEOUT}
)
"""Failures that mean that the host cannot be reached. A host that refuses a connection can be reached."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0) + (30.0,) * 20
"""Seconds before each probe. After the last probe the host counts as reachable, and the next request tries it."""

MAX_HOSTS = 256
"""Number of hosts that are probed at the same time. Other unreachable hosts are not tracked."""

Probe = Callable[[str, str, int], Awaitable[None]]
"""Connects to scheme, host and port. Raises OSError if that fails."""


class Reachability:
    """The set of unreachable hosts. `on_change` is called with their lower-case names when the set changes."""

    def __init__(
        self,
        probe: Probe,
        on_change: Callable[[frozenset[str]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._probe = probe
        self._on_change = on_change
        self._sleep = sleep
        self._probing: dict[str, asyncio.Task[None]] = {}

    @property
    def unreachable(self) -> frozenset[str]:
        """Return the lower-case names of the hosts that cannot be reached now."""
        return frozenset(self._probing)

    def failed(self, request: Request, failure: OriginFailure) -> None:
        """Note that a request failed. If its host cannot be reached, start to probe it."""
        host = request.host.lower()
        if failure.kind not in UNREACHABLE_KINDS or host in self._probing or len(self._probing) >= MAX_HOSTS:
            return
        logger.warning("%s cannot be reached: %s", host, failure.detail)
        self._probing[host] = asyncio.get_running_loop().create_task(
            self._probe_until_reached(request.scheme, host, request.port)
        )
        self._on_change(self.unreachable)

    def reached(self, host: str) -> None:
        """Note that a host sent a response; stop to probe it."""
        if self._probing and (task := self._probing.pop(host.lower(), None)):
            task.cancel()
            self._on_change(self.unreachable)

    async def _probe_until_reached(self, scheme: str, host: str, port: int) -> None:
        for pause in PAUSES:
            await self._sleep(pause)
            try:
                await self._probe(scheme, host, port)
            except OSError:
                continue
            logger.warning("%s can be reached again", host)
            break
        del self._probing[host]
        self._on_change(self.unreachable)

    def forget(self) -> None:
        """Stop all probes; every host counts as reachable."""
        tasks, self._probing = self._probing, {}
        for task in tasks.values():
            task.cancel()
        if tasks:
            self._on_change(self.unreachable)

    async def close(self) -> None:
        """Stop all probes and wait for their tasks to end."""
        tasks = list(self._probing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
