"""The running proxy: our front end with its listener, and its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connection_shares import ConnectionShare
from addon.frontend.gateway.request_rates import RequestRates
from addon.frontend.gateway.sites import passwords_of
from addon.runtime.access_log.file import AccessLog
from addon.runtime.draining import Draining
from addon.serve.front_end import listener_of, name_and_mark
from addon.serve.listening_sockets import address_text, close_all
from addon.service import Service
from cache.policy.operator_rules import glob

HANDOVER_GRACE, RESTART_GRACE = 5.0, 2.0
"""Seconds that idle connections stay open for another request, when others serve clients already, and when others will
begin after the end of this process."""

LAST_SECONDS = 5.0
"""Seconds of `drain_timeout` that are left when a proxy that hands over ends connections which are still in use."""


class Proxy:
    """Our front end with its listener.

    Attributes:
        draining: The end of the proxy.
        is_stopping: It was told to stop, other than by handing over.
        settings: The settings in force.
        listener: The listener.
    """

    def __init__(
        self,
        settings: Settings,
        service: Service,
        sockets: Sequence[socket.socket],
        listening: Callable[[str, int], None],
        limits: ConnectionLimits,
        *,
        rates: RequestRates | None = None,
        share: ConnectionShare | None = None,
    ) -> None:
        """Prepare to accept clients.

        Args:
            settings: The operator's settings.
            service: The cache.
            sockets: Bound sockets for clients. They are closed at the end.
            listening: Called with host and port once clients are accepted.
            limits: Limits on the connections of clients.
            rates: Counts the requests of clients, if other processes count them too.
            share: This process's share of the connections, if others accept them too.

        Raises:
            ConfigError: the access log cannot be written.
        """
        addresses = list(map(address_text, sockets))
        self.draining = Draining()
        self.settings = settings
        self._service = service
        self._sockets = sockets
        self._listening = listening
        self._stopped = asyncio.Event()
        self._grace: float | None = None
        self._seconds = 0.0
        self.is_stopping = False
        self.listener = listener_of(settings, service, limits, rates)
        self.listener.accepting.share = share
        connections = self.listener.handler.frontend.connections
        service.status.add("listen", lambda: addresses)
        service.status.add_for_worker("connections", lambda: len(connections))
        service.status.add_for_worker("requests", lambda: service.counters.snapshot()["requests"])
        service.status.add_for_worker("draining", lambda: self.draining.begun)

    async def run(self) -> None:
        """Accept clients until `stop`; then let responses under way end, and stop everything."""
        await self.listener.start(self._sockets)
        self._listening(*self.listener.address)
        await self._stopped.wait()
        close_all(self._sockets)  # others that share them go on
        await self.draining.wait_for(self._drain(), self.settings.drain_timeout)
        await self.listener.close()

    def stop(self, grace: float | None = None) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once.

        Args:
            grace: Others accept clients on the same sockets, or will soon, so that no request need be lost: an idle
                connection stays open for another request for this number of seconds.
        """
        if self.is_stopping:
            self.draining.begin_at_once()
        elif self.draining.begun:  # others have its place already
            self.listener.handler.frontend.connections.finish()
        else:
            self._begin_to_end(grace, grace or 0.0)
        self.is_stopping = True

    def hand_over(self, grace: float) -> None:
        """Stop in favour of others that accept clients on the same sockets, from now on; for `grace`, see `stop`."""
        if not self.draining.begun:
            self.listener.stop_accepting()
            self._begin_to_end(grace, max(self.settings.drain_timeout - LAST_SECONDS, 0.0))

    def _begin_to_end(self, grace: float | None, seconds: float) -> None:
        self._grace, self._seconds = grace, seconds
        self.draining.begin()
        self._stopped.set()

    def stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self.draining.begin_at_once()
        self._stopped.set()

    async def _drain(self) -> None:
        if self._grace is None:
            await self.listener.drain()
        else:
            await self.listener.hand_over(self._grace, self._seconds)
        await self._service.drain()

    def reopen_log(self) -> None:
        """Write the waiting lines of the access log. Its file is opened for each write, so a new one is used then."""
        if self.access_log:
            self.access_log.flush()

    @property
    def access_log(self) -> AccessLog | None:
        """The access log in use."""
        return self.listener.handler.frontend.connections.log

    def reload(self, settings: Settings, log: AccessLog | None) -> None:
        """Use other settings from the next request on, and another access log.

        Raises:
            ConfigError: they are invalid.
            ValueError: an option about origins, or a file with users, is invalid. In both cases nothing has changed.
        """
        tls = self.listener.handler.frontend.tls
        certificates = tls.read(settings.sites) if tls else ()
        passwords = passwords_of(settings.sites)
        self._service.reload(settings)
        self.settings = settings
        if tls:
            tls.use(certificates)
        self.listener.handler.use_limits(settings.limits)
        self.listener.handler.use_sites(settings.sites, passwords)
        frontend = self.listener.handler.frontend
        if frontend.sites.purge_clients is not None:
            frontend.sites.purge_clients.use(settings.purge, settings.trusted_proxies)
        frontend.use_proxies(settings)
        frontend.leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
        name_and_mark(frontend.connections, settings)
        frontend.connections.limits.per_client = settings.limits.connections_per_client
        self.listener.use_log(log)
