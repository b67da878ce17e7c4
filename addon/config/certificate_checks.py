"""Checks the certificates of all `[[site]]` tables: what is wrong with them now, and what will be soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from addon.config.certificate_files import CertificateFiles, CertificateProblem
from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.site import SiteSettings

Load = Callable[[CertificateFiles], object]
"""Has OpenSSL load a certificate. Raises CertificateProblem."""


def refuse_tls_without_use(configuration: Configuration) -> None:
    """Raise ConfigError if there are certificates and no listener for TLS, or the other way round."""
    settings = configuration.settings
    secure = [number for number, site in enumerate(settings.sites, 1) if site.tls]
    if settings.listen_tls and not secure:
        problem = f'found "{settings.listen_tls}", expected a [[site]] with tls = {{ cert = "...", key = "..." }}'
        raise ConfigError(Fault(configuration.source("listen_tls") or "settings", "listen_tls", problem))
    if secure and not settings.listen_tls:
        problem = 'found certificates, expected listen_tls = "HOST:PORT" for the clients that get them'
        raise ConfigError(Fault(configuration.source("site") or "settings", f"site#{secure[0]}.tls", problem))
    if settings.tls_address and settings.tls_address[1] == settings.address[1]:
        problem = f'found "{settings.listen_tls}", expected another port than that of listen = "{settings.listen}"'
        raise ConfigError(Fault(configuration.source("listen_tls") or "settings", "listen_tls", problem))


def refuse_bad_certificates(configuration: Configuration, load: Load, now: float) -> None:
    """Raise ConfigError if a certificate cannot be used, has expired, or is not for the hosts of its site.

    `now` is in seconds since the epoch.
    """
    source = configuration.source("site") or "settings"
    faults = [
        Fault(source, f"site#{number}.tls.{key}", problem)
        for number, site in enumerate(configuration.settings.sites, 1)
        for key, problem in _problems(site, load, now)
    ]
    if faults:
        raise ConfigError(*faults)


def _problems(site: SiteSettings, load: Load, now: float) -> Iterator[tuple[str, str]]:
    """Return each problem with the certificates of a site, with the key that it is about."""
    for pair in site.tls:
        try:
            files = CertificateFiles.read(pair)
            load(files)
        except CertificateProblem as problem:
            yield problem.key, str(problem)
            continue
        if files.ends <= now:
            yield "cert", f'found "{pair.cert_file}", expected a certificate that is valid now: {files.end_note(now)}'
        if missing := files.uncovered(site.hosts):
            found = ", ".join(files.names) or "no host"
            yield "cert", f"found a certificate for {found}, expected one for {', '.join(missing)} as well"


def certificate_notes(sites: Sequence[SiteSettings], now: float) -> Iterator[str]:
    """Return a sentence for each certificate that cannot be used, has expired, or expires soon."""
    for pair in dict.fromkeys(pair for site in sites for pair in site.tls):
        try:
            note = CertificateFiles.read(pair).end_note(now)
        except CertificateProblem as problem:
            note = f"a certificate cannot be used: {problem}"
        if note:
            yield note
