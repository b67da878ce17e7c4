"""`secondhand serve` with mitmproxy's listener: for scripts, and for the modes that only mitmproxy has.

The cache is the same as inside another mitmproxy, with the settings of `serve`: the addons of `embedded.py`, without
its options and commands. Around them are the limits that mitmproxy does not have: strict connections
(`served_http.py`), and rules for targets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mitmproxy import master, options
from mitmproxy.addons import core, errorcheck, proxyserver, script, tlsconfig

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.answer import Answer
from addon.frontend.mitm.arrival import Arrival
from addon.frontend.mitm.chain import Places
from addon.frontend.mitm.compare import Compare
from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.frontend.mitm.reachable_addresses import PinnedAddresses, ReachableAddresses
from addon.frontend.mitm.serve.draining import drain
from addon.frontend.mitm.serve.origin_options import OriginOptionsOfMitmproxy
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.frontend.mitm.serve.served_clients import ServedClients
from addon.frontend.mitm.serve.served_connections import ServedConnections
from addon.frontend.mitm.serve.served_http import ServedNextLayer
from addon.frontend.mitm.serve.served_requests import ServedRequests
from addon.runtime.access_log.file import AccessLog
from addon.runtime.draining import Draining
from addon.service import Service

MAX_FOR_SCRIPTS, MAX_HELD = "8m", "64k"
"""The most content of a message that is held in memory, with scripts and without. More is streamed."""


class MitmproxyServer(master.Master):
    """A mitmproxy with only the addons that it needs as a caching proxy."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        asked: ScriptsAndModes,
        listening: Callable[[str, int], None],
        *,
        limits: ConnectionLimits,
        log: AccessLog | None = None,
    ) -> None:
        """Prepare to listen.

        Args:
            settings: The operator's settings.
            service: The cache; it fetches through mitmproxy.
            asked: The scripts and the modes.
            listening: Called with host and port once clients are accepted.
            limits: Limits on the connections of clients.
            log: The access log.

        Raises:
            OptionsError: mitmproxy refuses a mode or a script.
        """
        super().__init__(options.Options(), event_loop=asyncio.get_running_loop(), with_termlog=False)
        self._settings = settings
        self._listening = listening
        self._proxyserver = proxyserver.Proxyserver()
        self.draining = Draining()
        self._clients = ServedClients(self._proxyserver, limits)
        self.served = ServedConnections(service, self._clients, log)
        states = FlowStates(self._ready, lambda: True)
        self._requests = ServedRequests(self.served, states)
        arrival = Arrival(states, self._take_places, told_of_streaming=True)
        self._places = Places(arrival, Compare(states), Answer(states, self._is_open))
        for addon in (
            self._requests,
            core.Core(),
            self._proxyserver,
            ServedNextLayer(self.served),
            tlsconfig.TlsConfig(),
            errorcheck.ErrorCheck(),
            PinnedAddresses(self._addresses),
            self._clients,
        ):
            self.addons.add(addon)
        if asked.scripts:
            self.addons.add(script.ScriptLoader())
        self._take_places()
        host, port = settings.address
        self.options.update(
            listen_host=host,
            listen_port=port,
            mode=list(asked.modes) or [f"reverse:{settings.edge}" if settings.edge else "regular"],
            # origins make their links from the name that the client used
            keep_host_header=bool(settings.edge),
            confdir=str(settings.ca_directory),
            # a copy must be served while its origin is down, so the origin is not contacted beforehand
            connection_strategy="lazy",
            upstream_cert=False,
            stream_large_bodies=MAX_FOR_SCRIPTS if asked.scripts else MAX_HELD,
            **({"scripts": list(asked.scripts)} if asked.scripts else {}),
        )
        self._origin_options = OriginOptionsOfMitmproxy(self.options, settings.origin)

    async def _ready(self) -> Service:
        return self.served.service

    async def _is_open(self) -> None:
        """Do nothing: the service was started before."""

    def _take_places(self) -> None:
        self._places.take(self.addons)

    def _addresses(self) -> ReachableAddresses:
        origin = self.served.service.active.current.fetcher.origin
        if not isinstance(origin, MitmproxyOrigin):
            raise TypeError(f"origins are reached by {type(origin).__name__}")
        return origin.addresses

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port of the first listener, once there is one. Some modes have none: port 0."""
        host, port = next(iter(self._proxyserver.listen_addrs()), ("", 0))[:2]
        return host, port

    async def running(self) -> None:
        """Tell that clients are accepted."""
        await super().running()
        if self.served.page is not None:
            self.served.page.port = self.address[1]
        self._listening(*self.address)

    def stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        self.draining.begin()
        self.should_exit.set()

    def stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self.draining.begin_at_once()
        self.should_exit.set()

    async def done(self) -> None:
        """Let responses under way end, then stop everything."""
        await self.draining.wait_for(self._drain(), self._settings.drain_timeout)
        await super().done()
        self._origin_options.close()
        if self.served.log:
            await self.served.log.close()
        if self.served.traces is not None:
            await asyncio.to_thread(self.served.traces.close)

    async def _drain(self) -> None:
        self.served.keep = False
        await drain(self._proxyserver, self._requests.under_way.clients)
        await self.served.service.drain()

    def reopen_log(self) -> None:
        """Write the waiting lines of the access log. Its file is opened for each write, so a new one is used then."""
        if self.access_log:
            self.access_log.flush()

    @property
    def access_log(self) -> AccessLog | None:
        """The access log in use."""
        return self.served.log

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def reload(self, settings: Settings, log: AccessLog | None) -> None:
        """Use other settings from the next request on, and another access log.

        Raises:
            ConfigError: they are invalid.
            ValueError: an option about origins is invalid.
            OptionsError: mitmproxy refuses such an option.
            OSError: a CA file cannot be read. In all cases nothing has changed.
        """
        with self._origin_options.replaced(settings.origin):
            self.served.service.reload(settings)
        self._settings = settings
        self._clients.limits.per_client = settings.limits.connections_per_client
        if self.access_log and self.access_log is not log:
            self.access_log.flush()
        self.served.log = log
