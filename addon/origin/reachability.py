"""Which hosts cannot be reached now. Each is tried in the background, and comes back by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from addon.origin import FailureKind, OriginFailure
from cache.http.messages import Request

logger = logging.getLogger(__name__)

NO_LINK = frozenset({FailureKind.DNS_ERROR, FailureKind.DESTINATION_IP_UNROUTABLE, FailureKind.CONNECTION_TIMEOUT})
"""Failures that mean that nothing gets through; who refuses a connection has been reached."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0) + (30.0,) * 20
"""Seconds before each attempt. After the last one the next request may try for itself."""

MOST_HOSTS = 256
"""Hosts that are tried at the same time; beyond it each request finds out for itself."""

Probe = Callable[[str, str, int], Awaitable[None]]
"""Tries to reach scheme, host and port. Raises OSError where that fails."""


class Reachability:
    """Hosts whose link is down. `changed` is called with their lower-case names whenever that set changes."""

    def __init__(
        self,
        probe: Probe,
        changed: Callable[[frozenset[str]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._probe = probe
        self._changed = changed
        self._sleep = sleep
        self._down: dict[str, asyncio.Task[None]] = {}

    @property
    def unreachable(self) -> frozenset[str]:
        """The lower-case names of the hosts that cannot be reached now."""
        return frozenset(self._down)

    def failed(self, request: Request, failure: OriginFailure) -> None:
        """Note that a request could not be sent; if the link is down, begin to try."""
        host = request.host.lower()
        if failure.kind not in NO_LINK or host in self._down or len(self._down) >= MOST_HOSTS:
            return
        logger.warning("%s cannot be reached: %s", host, failure.detail)
        self._down[host] = asyncio.get_running_loop().create_task(self._try(request.scheme, host, request.port))
        self._changed(self.unreachable)

    def reached(self, host: str) -> None:
        """Note that a host has answered."""
        if self._down and (task := self._down.pop(host.lower(), None)):
            task.cancel()
            self._changed(self.unreachable)

    async def _try(self, scheme: str, host: str, port: int) -> None:
        for pause in PAUSES:
            await self._sleep(pause)
            try:
                await self._probe(scheme, host, port)
            except OSError:
                continue
            logger.warning("%s can be reached again", host)
            break
        del self._down[host]
        self._changed(self.unreachable)

    def forget(self) -> None:
        """Stop trying: every host may be asked again."""
        tasks, self._down = self._down, {}
        for task in tasks.values():
            task.cancel()
        if tasks:
            self._changed(self.unreachable)

    async def close(self) -> None:
        """Stop trying, for good."""
        tasks = list(self._down.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
