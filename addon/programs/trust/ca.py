"""The CA certificate of the proxy. The CA is mitmproxy's, and is made when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CaCertificate:
    """The CA's certificate, without the private key."""

    pem: bytes
    sha256: str
    """The fingerprint, in hexadecimal."""


def ca_certificate(directory: Path) -> CaCertificate:
    """Return the certificate of the CA in a directory; make the CA if there is none.

    Raises:
        OSError: the CA is invalid, or cannot be made.
    """
    from mitmproxy.certs import CertStore  # slow to import, and few commands need it

    try:
        certificate = CertStore.from_store(directory, "mitmproxy", 2048).default_ca
    except ValueError as error:
        raise OSError(f"{directory}: expected mitmproxy-ca.pem to hold a key and a certificate: {error}") from None
    return CaCertificate(certificate.to_pem(), certificate.fingerprint().hex())
