"""TLS for the clients of an edge: the certificate of the site that they ask for, and its reload when files change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from addon.config.certificate_files import CertificateProblem
from addon.config.errors import ConfigError, Fault
from addon.config.site import SiteSettings
from addon.frontend.gateway.certificates import Certificates, LoadedCertificates
from addon.frontend.gateway.client_tls import ClientTls
from cache.http.host_table import HostTable
from cache.http.messages import normalised_host

logger = logging.getLogger(__name__)

CHECK_EVERY = 5
"""Seconds between two looks at the files."""

REMIND_EVERY = 86_400
"""Seconds between two warnings about a certificate that ends soon."""


@dataclass(frozen=True, slots=True)
class SecureSite:
    """A site with its certificates."""

    settings: SiteSettings
    loaded: LoadedCertificates


class SiteTls:
    """The certificates of the sites that have any.

    Attributes:
        port: The port of the listener for TLS.
        context: The context that every handshake begins with.
    """

    def __init__(
        self, certificates: Certificates, sites: Sequence[SiteSettings], port: int, clock: Callable[[], float]
    ) -> None:
        """Read the certificates of all sites. Raises ConfigError if any cannot be used, and never could."""
        self.port = port
        self.context = certificates.entrance
        self.context.sni_callback = self._choose
        self._certificates = certificates
        self._clock = clock
        self._seconds = 0
        self._reminded: dict[str, float] = {}
        self.use(self.read(sites))

    def read(self, sites: Sequence[SiteSettings]) -> list[SecureSite]:
        """Return the sites that have certificates, with their content now. Raises ConfigError as above."""
        faults: list[Fault] = []
        secure: list[SecureSite] = []
        for number, site in enumerate(sites, 1):
            try:
                if site.tls:
                    secure.append(self._read(site))
            except CertificateProblem as problem:
                faults.append(Fault("settings", f"site#{number}.tls.{problem.key}", str(problem)))
        if faults:
            raise ConfigError(*faults)
        return secure

    def _read(self, site: SiteSettings) -> SecureSite:
        return SecureSite(site, self._certificates.read(site.tls))

    def use(self, sites: Sequence[SecureSite]) -> None:
        """Use the certificates of these sites, and no others, from the next handshake on."""
        self._sites, self._first = sites, sites[0] if sites else None
        self._by_host = HostTable((host, site) for site in sites for host in site.settings.hosts)
        self._warn()

    def _choose(self, tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        """Choose the certificate by the server name that the client has sent; without one, that of the first site."""
        wanted = None if name is None else normalised_host(name)
        site = self._first if wanted is None else self._by_host.find(wanted)
        if site is None or not isinstance(tls, ClientTls):
            return ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME  # RFC 6066 §3
        tls.server_name = wanted
        tls.certificates = site.loaded.files
        tls.context = site.loaded.context
        return None

    # ---- files that change

    def second_passed(self) -> None:
        """Look at the files now and then, and read those that have changed. Never raises."""
        self._seconds += 1
        if self._seconds % CHECK_EVERY == 0:
            self.check()

    def check(self) -> None:
        """Read the files that have changed. What cannot be used is logged, and what it was before stays in use."""
        # two sites may have the same files
        pairs = dict.fromkeys(pair for site in self._sites for pair in site.settings.tls)
        changed = {pair for pair in pairs if self._certificates.has_changed(pair)}
        if changed:
            self.use([each if changed.isdisjoint(each.settings.tls) else self._again(each) for each in self._sites])
            return
        self._warn()

    def _again(self, site: SecureSite) -> SecureSite:
        try:
            return self._read(site.settings)
        except CertificateProblem as problem:
            logger.error("the certificates of %s are used as they were before: %s", site.settings.hosts[0], problem)
            return site

    def _warn(self) -> None:
        """Log the certificates that end soon, each once a day."""
        now = self._clock()
        for each in (certificate for site in self._sites for certificate in site.loaded.files):
            note, file = each.end_note(now), str(each.file)
            if note and now - self._reminded.get(file, 0.0) >= REMIND_EVERY:
                self._reminded[file] = now
                logger.warning("%s", note)
