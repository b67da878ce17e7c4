"""The CA certificate of the proxy. The CA is mitmproxy's, and is made when it is first needed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from addon.config.user_folders import CA_FILE


@dataclass(frozen=True, slots=True)
class CaCertificate:
    """The CA's certificate, without the private key."""

    pem: bytes
    sha256: str
    """The fingerprint, in hexadecimal."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint as openssl and browsers show it: upper case, with a colon between bytes."""
        return ":".join(self.sha256[place : place + 2] for place in range(0, len(self.sha256), 2)).upper()


def ca_certificate(directory: Path) -> CaCertificate:
    """Return the certificate of the CA in a directory; make the CA if there is none.

    Raises:
        OSError: the CA is invalid, or cannot be made.
    """
    file = directory / CA_FILE
    if not file.exists():
        from mitmproxy.certs import CertStore  # slow to import, and needed once

        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # perhaps the store's directory
        CertStore.create_store(directory, "mitmproxy", 2048)
    try:
        # it refuses a key and a certificate that do not belong together, and a key with a password
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password="")
        der = ssl.PEM_cert_to_DER_cert(_first_certificate(file.read_text("latin-1")))
    except (ssl.SSLError, ValueError) as error:
        raise OSError(f"{directory}: expected {CA_FILE} to hold a key and a certificate: {error}") from None
    return CaCertificate(ssl.DER_cert_to_PEM_cert(der).encode(), sha256(der).hexdigest())


def _first_certificate(text: str) -> str:
    begin, end = ssl.PEM_HEADER, ssl.PEM_FOOTER
    return begin + text.partition(begin)[2].partition(end)[0] + end
