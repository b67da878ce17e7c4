"""The files of a certificate: read and checked, so that a pair that is used is one that works."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Self

from addon.config.site_tls import CertificatePair
from cache.http.host_table import ANY_HOST, WILDCARD

if TYPE_CHECKING:
    from cryptography import x509

SOON = 7 * 86_400
"""Seconds before the end of a certificate from which people are warned: certbot and Caddy renew it weeks earlier."""


class CertificateProblem(Exception):
    """The files of a certificate cannot be used.

    Attributes:
        key: The key of the settings that names the file: `cert` or `key`.
        found: The file.
        expected: What was expected of it.
    """

    def __init__(self, key: str, file: Path, expected: str) -> None:
        super().__init__(f'found "{file}", expected {expected}')
        self.key = key


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate and its key, which belong together."""

    file: Path
    chain: bytes
    """The certificate and those of the authorities between it and the root, in PEM."""
    key: bytes
    """The private key, in PEM."""
    names: tuple[str, ...]
    """The DNS names, with wildcards, and IP addresses that it is for, in lower case."""
    ends: float
    """The time of its end, in seconds since the epoch."""

    @classmethod
    def read(cls, pair: CertificatePair) -> Self:
        """Return the content of the files. Raises CertificateProblem."""
        from cryptography import x509  # slow to import, and only an edge needs it
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

        chain, key = _content("cert", pair.cert_file), _content("key", pair.key_file)
        try:
            leaf = x509.load_pem_x509_certificates(chain)[0]
        except (ValueError, IndexError):
            raise CertificateProblem("cert", pair.cert_file, "a certificate in PEM") from None
        try:
            private = load_pem_private_key(key, None)
        except TypeError:
            raise CertificateProblem("key", pair.key_file, "a key without a passphrase") from None
        except (ValueError, UnsupportedAlgorithm):
            raise CertificateProblem("key", pair.key_file, "a private key in PEM") from None
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
            raise CertificateProblem("key", pair.key_file, f"the key of the certificate in {pair.cert_file}")
        return cls(pair.cert_file, chain, key, _names(leaf), leaf.not_valid_after_utc.timestamp())

    def covers(self, host: str) -> bool:
        """Return whether the certificate is for a host, or for all hosts that a pattern like `*.example.org` names."""
        if host == ANY_HOST or host in self.names:
            return True
        # RFC 9525 §6.3: the wildcard stands for one label
        return not host.startswith(WILDCARD) and WILDCARD + host.partition(".")[2] in self.names

    def end_note(self, now: float) -> str | None:
        """Return a sentence about a certificate that has ended or will soon; `now` is in seconds since the epoch."""
        if self.ends - now > SOON:
            return None
        when = datetime.fromtimestamp(self.ends, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"the certificate in {self.file} {'has expired' if self.ends <= now else 'expires'} on {when}"

    def uncovered(self, hosts: Iterable[str]) -> list[str]:
        """Return the hosts that the certificate is not for."""
        return [host for host in hosts if not self.covers(host)]


def _content(key: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        problem = f"a file that can be read: {error.strerror or error}"
        raise CertificateProblem(key, file, problem) from None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()  # RFC 9525 §2: the common name does not count
    addresses = [str(ip_address(str(each))) for each in names.get_values_for_type(x509.IPAddress)]
    return (*map(str.lower, names.get_values_for_type(x509.DNSName)), *addresses)


def refusal_by_openssl(error: ssl.SSLError) -> str:
    """Return what OpenSSL does not accept about a certificate, in words."""
    return f"a certificate that OpenSSL accepts ({(error.reason or str(error)).lower().replace('_', ' ')})"
