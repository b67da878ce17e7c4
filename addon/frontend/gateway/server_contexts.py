"""TLS contexts for the clients of an edge: protocols, ciphers, and certificates."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from addon.config.certificate_files import CertificateFiles, CertificateProblem, refusal_by_openssl

CIPHERS = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for signature in ("ECDSA", "RSA")
)
"""The ciphers of TLS 1.2: Mozilla's "intermediate" ones, without those that need Diffie-Hellman parameters."""


def server_context() -> ssl.SSLContext:
    """Return a context without a certificate: TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # all of them are good: a client without hardware for AES may choose ChaCha20
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def load(certificate: CertificateFiles, context: ssl.SSLContext) -> None:
    """Give a context a certificate; it may have one for each kind of key. Raises CertificateProblem."""
    try:
        with _file_of(certificate.chain) as chain, _file_of(certificate.key) as key:
            context.load_cert_chain(chain, key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise CertificateProblem("cert", certificate.file, refusal_by_openssl(error)) from None


def _no_passphrase() -> str:
    return ""  # OpenSSL would ask on the terminal


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """Return the name of a file with this content: OpenSSL only reads files, and those on disk may change meanwhile."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pem")
        name = f"/proc/self/fd/{descriptor}"
    else:  # readable by this user alone
        descriptor, name = tempfile.mkstemp()
    try:
        os.write(descriptor, content)
        yield name
    finally:
        os.close(descriptor)
        if not name.startswith("/proc/"):
            Path(name).unlink()
