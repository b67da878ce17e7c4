"""The table `[[site]]`: the hosts that an edge serves, and where each request for them goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Strict

from addon.config.model import not_empty
from addon.config.site_origins import OriginsSettings, SiteOriginSettings
from addon.config.site_rules import SiteRuleSettings
from addon.config.site_tls import SiteTlsSettings
from cache.http.host_table import ANY_HOST, WILDCARD, HostTable
from cache.http.messages import normalised_host
from cache.policy.site_rules import RuleTable, SiteRules

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")

_EXPECTED = 'a host without a port, like "example.org", "*.example.org" for the hosts below it, or "*" for any host'


def host_pattern(value: str) -> str:
    """Return a host pattern as requests name hosts: in lower case, with IDNA (RFC 5891), without a dot at its end.

    Raises ValueError, whose text names the expected value.
    """
    if value == ANY_HOST:
        return value
    wildcard, name = (WILDCARD, value[2:]) if value.startswith(WILDCARD) else ("", value)
    address = _address(name)
    if address is not None and not wildcard:
        return address
    try:
        name = normalised_host(name if name.isascii() else name.encode("idna").decode("ascii"))
    except UnicodeError:
        raise ValueError(_EXPECTED) from None
    if address is not None or not _NAME.fullmatch(name):  # there is nothing below an address
        raise ValueError(_EXPECTED)
    return f"{wildcard}{name}"


def _address(name: str) -> str | None:
    """Return the usual spelling of an IP address, an IPv6 address without brackets; None for a name."""
    try:
        return str(ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


HostPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(host_pattern)], ...], Strict(strict=False), AfterValidator(not_empty)
]


class SiteSettings(OriginsSettings, SiteTlsSettings):
    """One `[[site]]` table."""

    hosts: HostPatterns
    rules: Annotated[tuple[SiteRuleSettings, ...], Strict(strict=False)] = ()

    @property
    def users_files(self) -> frozenset[str]:
        """The files with the users that rules name."""
        auths = (rule.basic_auth for rule in self.rules)
        return frozenset(auth.users_file for auth in auths if auth is not None and auth.required)

    @property
    def serves_any_host(self) -> bool:
        """True if the site answers requests for hosts that no site names."""
        return ANY_HOST in self.hosts


def site_for_any_host(url: str) -> SiteSettings:
    """Return the site that the setting `edge` stands for. `url` is its origin."""
    return SiteSettings(hosts=(ANY_HOST,), origins=(SiteOriginSettings(url=url),))


def host_without_name(sites: Sequence[SiteSettings]) -> str | None:
    """Return the authority that a request without a Host field is for (HTTP/1.0), or None if that is not clear.

    It is clear if there is one site, with one host. For a site for any host, it is the authority of its first origin.
    """
    if len(sites) != 1 or len(sites[0].hosts) != 1:
        return None
    [host] = sites[0].hosts
    if host == ANY_HOST:
        return sites[0].origins[0].address.authority
    return None if host.startswith(WILDCARD) else host


def transport_security(sites: Sequence[SiteSettings]) -> HostTable[str] | None:
    """Return the Strict-Transport-Security of all sites by host, empty for a site without one; None if none has any."""
    if not any(site.hsts for site in sites):
        return None
    return HostTable((host, site.hsts) for site in sites for host in site.hosts)


def rule_table(sites: Sequence[SiteSettings]) -> RuleTable | None:
    """Return the rules of all sites by host, or None if there are none."""
    if not any(site.rules for site in sites):
        return None
    rows = []
    for number, site in enumerate(sites, 1):
        name = f"site#{number}"
        rules = SiteRules([rule.rule(f"{name}.rules#{n}", name) for n, rule in enumerate(site.rules, 1)])
        # hosts of sites without rules have none, even if a wider pattern of another site matches them
        rows += [(host, rules) for host in site.hosts]
    return HostTable(rows)
