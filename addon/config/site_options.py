"""Turns the settings of sites into the options of the origin client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from addon.config.site import SiteSettings
from addon.config.site_origins import HealthSettings, SiteOriginSettings
from addon.origin.backends.options import CheckOptions, SiteOptions, SiteOriginOptions


def site_options(sites: Sequence[SiteSettings]) -> tuple[SiteOptions, ...]:
    """Return the options for each site, in their order."""
    return tuple(map(_options_of, sites))


def _options_of(site: SiteSettings) -> SiteOptions:
    return SiteOptions(
        hosts=site.hosts,
        origins=tuple(map(_origin_of, site.origins)),
        balance=site.balance,
        max_fails=site.max_fails,
        fail_timeout=site.fail_timeout,
        fail_statuses=frozenset(site.fail_status),
        slow_start=site.slow_start,
        check=_check_of(site.health) if site.health else None,
        host_header=site.host_header,
        sni=site.sni,
        ca_files=tuple(str(Path(file).expanduser()) for file in site.ca_files),
        client_certificate=str(Path(site.client_certificate).expanduser()) if site.client_certificate else "",
    )


def _origin_of(origin: SiteOriginSettings) -> SiteOriginOptions:
    return SiteOriginOptions(origin.url, origin.address, origin.weight)


def _check_of(health: HealthSettings) -> CheckOptions:
    return CheckOptions(
        path=health.path,
        interval=health.interval,
        timeout=health.timeout,
        statuses=frozenset(health.status),
        fails=health.fails,
        passes=health.passes,
    )
