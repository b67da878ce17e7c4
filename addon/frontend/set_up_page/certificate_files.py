"""The CA certificate as files for download, in the formats and under the paths that mitmproxy's own page has."""

from __future__ import annotations

from dataclasses import dataclass

from addon.programs.trust.instructions import CERTIFICATE_FILE

_STEM = CERTIFICATE_FILE.removesuffix(".pem")


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """One file for download.

    Attributes:
        name: The name under which it is saved.
        media_type: The value of Content-Type.
        content: The certificate. The private key is in none of them.
        purpose: The systems that read this format.
    """

    name: str
    media_type: str
    content: bytes
    purpose: str


def certificate_files(pem: bytes) -> dict[str, CertificateFile]:
    """Return the files for a certificate (PEM), by their paths."""
    from cryptography import x509  # slow to import, and few start a proxy to see its page
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12

    certificate = x509.load_pem_x509_certificate(pem)
    der = certificate.public_bytes(Encoding.DER)
    p12 = pkcs12.serialize_key_and_certificates(_STEM.encode(), None, None, [certificate], NoEncryption())
    return {
        "/cert/pem": CertificateFile(
            CERTIFICATE_FILE, "application/x-pem-file", pem, "PEM: Linux, macOS and most programs"
        ),
        "/cert/cer": CertificateFile(f"{_STEM}.cer", "application/x-x509-ca-cert", pem, "PEM as .cer: Android"),
        "/cert/der": CertificateFile(f"{_STEM}.der", "application/x-x509-ca-cert", der, "DER: Java and Windows"),
        "/cert/p12": CertificateFile(
            f"{_STEM}.p12", "application/x-pkcs12", p12, "PKCS #12 without a password: Windows"
        ),
    }
