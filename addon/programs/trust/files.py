"""The files that make programs trust the proxy's CA: a bundle of certificates, and files for Java, apt and Node."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.utils import CryptographyDeprecationWarning

from addon.programs.trust.client_authorities import client_authorities
from addon.programs.trust.client_files import write_client_files
from addon.programs.trust.replaced_files import replace_file

STORE_PASSWORD = "changeit"  # noqa: S105 - the usual password of trust stores, which hold no secrets
PRELOAD = Path(__file__).with_name("preload.cjs")

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian and its derivatives
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its derivatives
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """The paths of the files."""

    bundle: Path
    """The system's CA certificates and ours (PEM)."""
    java: Path
    """The same certificates for Java (PKCS #12, password STORE_PASSWORD)."""
    apt: Path
    """A configuration for apt that names the bundle."""
    preload: Path = PRELOAD
    """A script for releases of Node that ignore the proxy variables."""
    variables: Mapping[str, str] = MappingProxyType({})
    """The variables that lead programs to settings files of their own kind."""
    origins: Path | None = None
    """The certificates that only single programs were told to trust (PEM); None if there are none."""


def write_trust_files(folder: Path, ca: bytes, environ: Mapping[str, str]) -> TrustFiles:
    """Write the files into a folder and return their paths.

    Args:
        folder: An existing directory.
        ca: The certificate of the proxy's CA (PEM).
        environ: The environment so far; the files include the CAs that programs in it were told to trust.

    Raises:
        OSError: a file cannot be read or written.
    """
    system = list(dict.fromkeys(_certificates([system_bundle()])))
    own = [each for each in dict.fromkeys(_certificates(client_authorities(environ))) if each not in {*system, ca}]
    certificates = [*system, *own, ca]
    bundle, java, apt = folder / "authorities.pem", folder / "authorities.p12", folder / "apt.conf"
    replace_file(bundle, b"\n".join(certificates))
    replace_file(java, _java_store(certificates))
    replace_file(apt, _apt_settings(bundle, environ.get("APT_CONFIG")).encode())
    variables = write_client_files(folder, bundle, environ)
    return TrustFiles(bundle, java, apt, variables=variables, origins=_origins_file(folder, own))


def _origins_file(folder: Path, certificates: list[bytes]) -> Path | None:
    """Write those certificates that can be parsed: OpenSSL refuses a file in which one cannot."""
    valid = [pem for pem in certificates if _parsed(pem) is not None]
    if not valid:
        return None
    file = folder / "origins.pem"
    replace_file(file, b"\n".join(valid))
    return file


def has_others(file: Path, known: Iterable[Path]) -> bool:
    """Return whether a file has certificates (PEM) that none of the known files has."""
    return not set(_certificates([file])) <= set(_certificates(known))


def system_bundle() -> Path:
    """Return the file of the CA certificates that this system trusts; that of certifi if there is none."""
    default = ssl.get_default_verify_paths().cafile
    for candidate in (default, *_SYSTEM_BUNDLES):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    import certifi

    return Path(certifi.where())


def _certificates(files: Iterable[Path]) -> Iterator[bytes]:
    """Iterate over the certificates (PEM) in files; a file that does not exist has none."""
    for file in dict.fromkeys(files):
        if file.is_file():
            begin = b"-----BEGIN CERTIFICATE-----"
            for after in file.read_bytes().split(begin)[1:]:
                yield begin + after.partition(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"


def _java_store(certificates: Sequence[bytes]) -> bytes:
    parsed = [certificate for pem in certificates if (certificate := _parsed(pem)) is not None]
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"authority-{number}".encode())
        for number, certificate in enumerate(parsed)
    ]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _parsed(pem: bytes) -> x509.Certificate | None:
    """Return a certificate, or None if it cannot be parsed."""
    with warnings.catch_warnings():
        # some system certificates are old, and cannot be changed here
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(pem)
        except ValueError:
            return None


def _apt_settings(bundle: Path, included: str | None) -> str:
    # in a shell that has these variables already, the file would include itself
    include = f'#include "{included}";\n' if included and Path(included) != bundle.with_name("apt.conf") else ""
    return f'{include}Acquire::https::CAInfo "{bundle}";\n'
