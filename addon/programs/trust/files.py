"""The files that make programs trust the proxy's CA: a bundle of certificates, and files for Java, apt and Node."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.utils import CryptographyDeprecationWarning

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


def write_trust_files(folder: Path, ca: bytes, environ: Mapping[str, str], ca_variables: tuple[str, ...]) -> TrustFiles:
    """Write the files into a folder and return their paths.

    Args:
        folder: An existing directory.
        ca: The certificate of the proxy's CA (PEM).
        environ: The environment so far; the bundle includes the CA files that it names.
        ca_variables: The names of the variables that name CA files.

    Raises:
        OSError: a file cannot be read or written.
    """
    sources = [system_bundle(), *(Path(environ[name]) for name in ca_variables if environ.get(name))]
    certificates = [*dict.fromkeys(_certificates(sources)), ca]
    files = TrustFiles(folder / "authorities.pem", folder / "authorities.p12", folder / "apt.conf")
    _write(files.bundle, b"\n".join(certificates))
    _write(files.java, _java_store(certificates))
    _write(files.apt, _apt_settings(files.bundle, environ.get("APT_CONFIG")).encode())
    return files


def system_bundle() -> Path:
    """Return the file of the CA certificates that this system trusts; that of certifi if there is none."""
    default = ssl.get_default_verify_paths().cafile
    for candidate in (default, *_SYSTEM_BUNDLES):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    import certifi

    return Path(certifi.where())


def _certificates(files: list[Path]) -> Iterator[bytes]:
    """Iterate over the certificates (PEM) in files; a file that does not exist has none."""
    for file in dict.fromkeys(files):
        if file.is_file():
            begin = b"-----BEGIN CERTIFICATE-----"
            for after in file.read_bytes().split(begin)[1:]:
                yield begin + after.partition(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"


def _java_store(certificates: Sequence[bytes]) -> bytes:
    entries = []
    with warnings.catch_warnings():
        # some system certificates are old, and cannot be changed here
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for number, pem in enumerate(certificates):
            with suppress(ValueError):  # leave out a certificate that cannot be parsed
                certificate = x509.load_pem_x509_certificate(pem)
                entries.append(pkcs12.PKCS12Certificate(certificate, f"authority-{number}".encode()))
        return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _apt_settings(bundle: Path, included: str | None) -> str:
    # in a shell that has these variables already, the file would include itself
    include = f'#include "{included}";\n' if included and Path(included) != bundle.with_name("apt.conf") else ""
    return f'{include}Acquire::https::CAInfo "{bundle}";\n'


def _write(file: Path, data: bytes) -> None:
    """Replace a file atomically: a program that reads it meanwhile gets the old or the new one."""
    draft = file.with_name(f".{file.name}-draft")
    draft.write_bytes(data)
    draft.chmod(0o644)  # apt reads it as another user
    draft.replace(file)
