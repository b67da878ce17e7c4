"""The files that make programs trust the proxy's CA: a bundle of certificates, and files for Java, apt and Node."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from addon.programs.trust.client_authorities import client_authorities
from addon.programs.trust.client_files import write_client_files
from addon.programs.trust.replaced_files import replace_file

if TYPE_CHECKING:
    from cryptography import x509

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


@dataclass(frozen=True, slots=True)
class KnownCertificates:
    """The CA certificates (PEM) that programs in an environment trust."""

    system: tuple[bytes, ...]
    """Those that the system trusts."""
    told: tuple[bytes, ...]
    """The others, which only single programs were told to trust."""


def known_certificates(environ: Mapping[str, str]) -> KnownCertificates:
    """Return the CA certificates that programs in an environment trust. Raises OSError if a file cannot be read."""
    system = dict.fromkeys(_certificates([system_bundle(environ)]))
    told = dict.fromkeys(_certificates(client_authorities(environ)))
    return KnownCertificates(tuple(system), tuple(each for each in told if each not in system))


def write_trust_files(
    folder: Path, ca: bytes, known: KnownCertificates, environ: Mapping[str, str], *, kept: Path | None = None
) -> TrustFiles:
    """Write the files into a folder and return their paths.

    Args:
        folder: An existing directory.
        ca: The certificate of the proxy's CA (PEM).
        known: What programs trust so far; the files include it.
        environ: The environment so far.
        kept: A directory that keeps the trust store for Java, which takes long to make, until the next call.

    Raises:
        OSError: a file cannot be read or written.
    """
    own = [each for each in known.told if each != ca]
    certificates = [*known.system, *own, ca]
    bundle, java, apt = folder / "authorities.pem", folder / "authorities.p12", folder / "apt.conf"
    replace_file(bundle, b"\n".join(certificates))
    replace_file(java, _kept_java_store(certificates, kept) if kept else _java_store(certificates))
    replace_file(apt, _apt_settings(bundle, environ.get("APT_CONFIG")).encode())
    variables = write_client_files(folder, bundle, environ)
    return TrustFiles(bundle, java, apt, variables=variables)


def write_origins_file(folder: Path, known: KnownCertificates, ca: bytes = b"") -> Path | None:
    """Write the certificates that only single programs were told to trust (PEM), but for our CA; None: there are none.

    Those that cannot be parsed are left out: OpenSSL refuses a file in which one cannot.
    """
    valid = [pem for pem in known.told if pem != ca and _parsed(pem) is not None]
    if not valid:
        return None
    file = folder / "origins.pem"
    replace_file(file, b"\n".join(valid))
    return file


def has_others(file: Path, known: Iterable[Path]) -> bool:
    """Return whether a file has certificates (PEM) that none of the known files has."""
    return not set(_certificates([file])) <= set(_certificates(known))


def system_bundle(environ: Mapping[str, str]) -> Path:
    """Return the file of the CA certificates that all programs trust in an environment; that of certifi if none."""
    paths = ssl.get_default_verify_paths()
    for candidate in (environ.get(paths.openssl_cafile_env), paths.openssl_cafile, *_SYSTEM_BUNDLES):
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


def _kept_java_store(certificates: Sequence[bytes], directory: Path) -> bytes:
    """Return the trust store for Java that a directory keeps for these certificates; if there is none, make it."""
    digest = sha256(b"".join(certificates)).hexdigest()
    file = directory / f"java-{digest[:32]}.p12"
    with suppress(OSError):
        return file.read_bytes()
    store = _java_store(certificates)
    with suppress(OSError):  # without a place it is made each time
        for older in directory.glob("java-*.p12"):
            older.unlink()
        replace_file(file, store)
    return store


def _java_store(certificates: Sequence[bytes]) -> bytes:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12  # slow to import

    parsed = [certificate for pem in certificates if (certificate := _parsed(pem)) is not None]
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"authority-{number}".encode())
        for number, certificate in enumerate(parsed)
    ]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _parsed(pem: bytes) -> x509.Certificate | None:
    """Return a certificate, or None if it cannot be parsed."""
    from cryptography import x509
    from cryptography.utils import CryptographyDeprecationWarning

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
