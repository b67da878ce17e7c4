"""Finds redirects to https of sites that get no https requests: each would be redirected to its own URL for ever."""

from __future__ import annotations

from collections.abc import Iterator

from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.settings import Settings
from addon.config.site import SiteSettings


def refuse_endless_redirects(configuration: Configuration) -> None:
    """Raise ConfigError if a site has `redirect_https`, and no request for it can count as one over https."""
    source = configuration.source("site") or "settings"
    problem = (
        "found true, expected tls with the certificate of the site, or trusted_proxies with the proxy in front that"
        " terminates TLS: without either, every request counts as one over http and is redirected again"
    )
    sites = _sites_without_https(configuration.settings)
    faults = [Fault(source, f"site#{number}.redirect_https", problem) for number, site in sites if site.redirect_https]
    if faults:
        raise ConfigError(*faults)


def endless_redirect_notes(settings: Settings) -> Iterator[str]:
    """Return a sentence for each rule that does the same. It is right if another server answers https for the host."""
    for number, site in _sites_without_https(settings):
        for place, rule in enumerate(site.rules, 1):
            if rule.redirect and _is_same_url(rule.redirect.to, site):
                yield (
                    f"site#{number}.rules#{place} redirects to https, and the site has neither tls nor a proxy in front"
                    " in trusted_proxies: behind a server that terminates TLS, this redirects for ever"
                )


def _is_same_url(to: str, site: SiteSettings) -> bool:
    """Return whether a redirect leads to the URL of the request itself, over https."""
    authorities = ("{host}", *site.hosts)
    return any(to == f"https://{authority}{rest}" for authority in authorities for rest in ("{target}", "{path}"))


def _sites_without_https(settings: Settings) -> Iterator[tuple[int, SiteSettings]]:
    """Return the sites for which no request can count as one over https, each with its number from 1."""
    if not settings.trusted_proxies:  # one of them may say that its client has used https
        yield from ((number, site) for number, site in enumerate(settings.site, 1) if not site.tls)
