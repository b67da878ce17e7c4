"""Turns the settings of sites into the options of the origin client."""

from __future__ import annotations

from collections.abc import Sequence

from addon.config.site import SiteSettings
from addon.config.site_origins import HealthSettings, SiteOriginSettings
from addon.config.user_folders import expanded
from addon.origin.backends.options import CheckOptions, SiteOptions, SiteOriginOptions
from cache.http.client import Client


def site_options(sites: Sequence[SiteSettings], client: Client, *, behind_proxies: bool) -> tuple[SiteOptions, ...]:
    """Return the options for each site, in their order.

    Args:
        sites: The sites.
        client: The client of requests that the edge makes itself.
        behind_proxies: Trusted proxies are in front of the edge.
    """
    return tuple(_options_of(site, client, behind_proxies=behind_proxies) for site in sites)


def _options_of(site: SiteSettings, client: Client, *, behind_proxies: bool) -> SiteOptions:
    # a proxy in front mostly terminates TLS, and an application for http does not mind https
    scheme = "https" if site.tls or behind_proxies else "http"
    return SiteOptions(
        hosts=site.hosts,
        origins=tuple(map(_origin_of, site.origins)),
        balance=site.balance,
        max_fails=site.max_fails,
        fail_timeout=site.fail_timeout,
        fail_statuses=frozenset(site.fail_status),
        slow_start=site.slow_start,
        check=_check_of(site.health, scheme, client) if site.health else None,
        host_header=site.host_header,
        sni=site.sni,
        ca_files=tuple(str(expanded(file)) for file in site.ca_files),
        client_certificate=str(expanded(site.client_certificate)) if site.client_certificate else "",
    )


def _origin_of(origin: SiteOriginSettings) -> SiteOriginOptions:
    return SiteOriginOptions(origin.url, origin.address, origin.weight)


def _check_of(health: HealthSettings, scheme: str, client: Client) -> CheckOptions:
    return CheckOptions(
        path=health.path,
        interval=health.interval,
        timeout=health.timeout,
        statuses=frozenset(health.status),
        fails=health.fails,
        passes=health.passes,
        scheme=scheme,
        client=client,
    )
