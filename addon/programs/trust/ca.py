"""The certificate authority that answers for HTTPS sites: mitmproxy's, made at the first need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CaCertificate:
    """Its certificate; the key stays where it is."""

    pem: bytes
    sha256: str
    """The fingerprint, in hexadecimal."""


def ca_certificate(directory: Path) -> CaCertificate:
    """Return the certificate of the authority in a directory, made now if there is none.

    Raises:
        OSError: there is one that cannot be used, or none can be made.
    """
    from mitmproxy.certs import CertStore  # loads mitmproxy, which few commands need

    try:
        certificate = CertStore.from_store(directory, "mitmproxy", 2048).default_ca
    except ValueError as error:
        raise OSError(f"{directory}: expected mitmproxy-ca.pem to hold a key and a certificate: {error}") from None
    return CaCertificate(certificate.to_pem(), certificate.fingerprint().hex())
