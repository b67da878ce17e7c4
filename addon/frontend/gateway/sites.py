"""The sites that clients of an edge may ask for, by host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from addon.config.site import SiteSettings, host_without_name
from addon.frontend.gateway.client_tls import ClientTls
from addon.frontend.gateway.gates import Gates
from addon.frontend.gateway.passwords import Passwords
from addon.frontend.gateway.purge_clients import PurgeClients
from addon.frontend.gateway.request_rates import RequestRates
from cache.http.host_table import HostTable
from cache.http.messages import DEFAULT_PORTS, Request
from cache.policy.site_rules import RuleTable, SiteRules

ACME_CHALLENGE = "/.well-known/acme-challenge/"
"""Paths that an authority asks for over http before it issues a certificate (RFC 8555 §8.3): the origin answers."""


class Sites:
    """The sites of an edge. None for a forward proxy.

    Attributes:
        ports: The ports of the listeners that clients reach the edge by.
        tls_port: The one for TLS; 0 if there is none.
        gates: Refuses requests as the rules of the sites say.
        purge_clients: Answers requests to purge; without it, they are refused.
        default_authority: The authority that a request without a Host field is for (HTTP/1.0), if that is clear.
    """

    def __init__(
        self,
        sites: Sequence[SiteSettings] = (),
        rules: RuleTable | None = None,
        *,
        tls_port: int = 0,
        rates: RequestRates | None = None,
    ) -> None:
        """Serve these sites by their rules. Raises ValueError if a file with users is malformed.

        Args:
            sites: The sites.
            rules: Their rules, as the policy of the cache has them.
            tls_port: The port of the listener for TLS.
            rates: Counts the requests of clients, if other processes count them too.
        """
        self.ports: set[int] = set()
        self.tls_port = tls_port
        self._rates = rates or RequestRates()
        self.purge_clients: PurgeClients | None = None
        self.use(sites, rules)

    def use(
        self, sites: Sequence[SiteSettings], rules: RuleTable | None = None, passwords: Passwords | None = None
    ) -> None:
        """Serve these sites by their rules, and no others, from the next request on.

        `passwords` are what `passwords_of` returns for them; without them it is called. Raises ValueError as that does.
        """
        self.gates = Gates(self._rates, passwords or passwords_of(sites))
        self._rules = rules
        self._by_host = HostTable((host, site) for site in sites for host in site.hosts)
        self.default_authority = host_without_name(sites)

    def find(self, host: str) -> SiteSettings | None:
        """Return the site that serves a host as `normalised_host` returns it, or None."""
        return self._by_host.find(host)

    def rules_of(self, host: str) -> SiteRules | None:
        """Return the rules of the site that serves a host, or None if no site has rules."""
        return self._rules.find(host) if self._rules is not None else None

    def port_in_key(self, site: SiteSettings, port: int, default: int) -> int:
        """Return the port that the URL of a request has, whatever port its Host field names.

        Clients can invent ports, and must not fill the store with copies under each of them.
        """
        return port if port in self.ports or site.serves_any_host else default

    def admits(self, tls: ClientTls, site: SiteSettings, host: str) -> bool:
        """Return whether the host of a site may be asked for by a client.

        A client that knows the address of a site may use the same connection for others that the certificate is for
        (RFC 9113 §9.1.1). One that has sent no server name may ask for every site that has a certificate.
        """
        if tls.server_name is None:
            return bool(site.tls)
        return self.find(tls.server_name) is site or (bool(site.tls) and tls.covers(host))

    def https_url(self, site: SiteSettings, request: Request) -> str | None:
        """Return the URL to which a request over http is redirected, or None if it is answered."""
        if not site.redirect_https or request.target.startswith(ACME_CHALLENGE):
            return None
        # a client that has come by the usual port has a way to the usual port for https
        direct = request.port in self.ports and request.port != DEFAULT_PORTS["http"]
        port = self.tls_port if direct and self.tls_port else DEFAULT_PORTS["https"]
        target = "" if request.target == "*" else request.target
        return replace(request, scheme="https", port=port, target=target).uri


def passwords_of(sites: Sequence[SiteSettings]) -> Passwords:
    """Return the passwords in all files that rules of these sites name. Raises ValueError if a file is malformed."""
    return Passwords({file for site in sites for file in site.users_files})
