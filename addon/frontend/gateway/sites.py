"""The sites that clients of an edge may ask for, by host."""

from __future__ import annotations

from collections.abc import Sequence

from addon.config.site import SiteSettings, host_without_name
from cache.http.host_table import HostTable


class Sites:
    """The sites of an edge. None for a forward proxy.

    Attributes:
        ports: The ports of the listeners that clients reach the edge by.
        default_authority: The authority that a request without a Host field is for (HTTP/1.0), if that is clear.
    """

    def __init__(self, sites: Sequence[SiteSettings] = ()) -> None:
        self.ports: set[int] = set()
        self.use(sites)

    def use(self, sites: Sequence[SiteSettings]) -> None:
        """Serve these sites, and no others, from the next request on."""
        self._by_host = HostTable((host, site) for site in sites for host in site.hosts)
        self.default_authority = host_without_name(sites)

    def find(self, host: str) -> SiteSettings | None:
        """Return the site that serves a host as `normalised_host` returns it, or None."""
        return self._by_host.find(host)

    def port_in_key(self, site: SiteSettings, port: int, default: int) -> int:
        """Return the port that the URL of a request has, whatever port its Host field names.

        Clients can invent ports, and must not fill the store with copies under each of them.
        """
        return port if port in self.ports or site.serves_any_host else default
