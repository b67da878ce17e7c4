"""Turns the settings of sites into the options of the origin client."""

from __future__ import annotations

from collections.abc import Sequence

from addon.config.site import SiteSettings
from addon.origin.backends.options import SiteOptions, SiteOrigin


def site_options(sites: Sequence[SiteSettings]) -> tuple[SiteOptions, ...]:
    """Return the options for each site, in their order."""
    return tuple(map(_options_of, sites))


def _options_of(site: SiteSettings) -> SiteOptions:
    addresses = [origin.address for origin in site.origins]
    origins = tuple(SiteOrigin(address.scheme, address.host, address.port) for address in addresses)
    return SiteOptions(site.hosts, origins)
