"""The parts that the connections of all protocols share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from addon.config.settings import Settings
from addon.config.trusted_proxies import TrustedProxies, nobody
from addon.frontend.connections import Connections
from addon.frontend.gateway.forwarding import Forwarding
from addon.frontend.gateway.site_tls import SiteTls
from addon.frontend.gateway.sites import Sites
from addon.frontend.leaf_certificates import LeafContexts
from addon.frontend.set_up_page.page import SetUpPage, set_up_page_of
from addon.service import Service

InsideTunnel = Callable[[str, str, int, str | None, str | None], asyncio.Protocol]
"""Makes the protocol inside a tunnel: for scheme, host, port, the server name in TLS, and the protocol by ALPN."""


@dataclass(slots=True, eq=False)
class Frontend:
    """The cache behind a listener, and the parts that its connections use."""

    service: Service
    connections: Connections
    certificates: LeafContexts
    """TLS contexts for the hosts whose TLS is intercepted."""
    leave_alone: tuple[re.Pattern[str], ...] = ()
    """Hosts whose TLS is never intercepted. May be changed; it applies to new tunnels."""
    sites: Sites = field(default_factory=Sites)
    """The sites of an edge."""
    forwarding: Forwarding | None = None
    """Finds out who the clients are, at an edge."""
    proxy_protocol: TrustedProxies | None = None
    """The peers whose connections begin with a header of the PROXY protocol; no others may connect. None: none do."""
    tls: SiteTls | None = None
    """The certificates of the sites; None if no listener is for TLS."""
    page: SetUpPage | None = field(init=False)
    """The set-up page; None for an edge."""
    inside_tunnel: InsideTunnel = field(init=False)
    """Set by the listener."""

    def __post_init__(self) -> None:
        """Make the set-up page."""
        self.page = set_up_page_of(self.service.settings)

    def use_proxies(self, settings: Settings) -> None:
        """Believe the proxies that the settings name, from the next connection on."""
        trusted = TrustedProxies(settings.trusted_proxies)
        self.forwarding = Forwarding(trusted, nobody(settings.forwarded_fields)) if settings.is_edge else None
        self.proxy_protocol = trusted if settings.proxy_protocol else None
        self.connections.limits.trusted = trusted

    def leaves_alone(self, host: str) -> bool:
        """Return whether tunnels to a host are passed through unopened."""
        return any(pattern.fullmatch(host) for pattern in self.leave_alone)
