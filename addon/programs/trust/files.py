"""The files by which programs come to trust the proxy: a bundle of certificates, and what Java, apt and Node want."""

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

STORE_PASSWORD = "changeit"  # noqa: S105 - what everybody uses for certificates that are no secret
PRELOAD = Path(__file__).with_name("preload.cjs")

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian and its like
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its like
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """Where they are."""

    bundle: Path
    """The system's authorities and ours (PEM)."""
    java: Path
    """The same for Java (PKCS #12, STORE_PASSWORD)."""
    apt: Path
    """Settings for apt that name the bundle."""
    preload: Path = PRELOAD
    """For releases of Node that do not heed the proxy variables themselves."""


def write_trust_files(
    folder: Path, authority: bytes, environ: Mapping[str, str], ca_variables: tuple[str, ...]
) -> TrustFiles:
    """Write them into a folder; return where they are.

    Args:
        folder: An existing directory.
        authority: The certificate that the proxy signs with (PEM).
        environ: The environment so far: files of authorities that it names are part of the bundle.
        ca_variables: The variables of `environ` that name such files.

    Raises:
        OSError: a file cannot be read or written.
    """
    sources = [system_bundle(), *(Path(environ[name]) for name in ca_variables if environ.get(name))]
    certificates = [*dict.fromkeys(_certificates(sources)), authority]
    files = TrustFiles(folder / "authorities.pem", folder / "authorities.p12", folder / "apt.conf")
    _write(files.bundle, b"\n".join(certificates))
    _write(files.java, _java_store(certificates))
    _write(files.apt, _apt_settings(files.bundle, environ.get("APT_CONFIG")).encode())
    return files


def system_bundle() -> Path:
    """Return the file of the authorities that this system trusts; certifi's where there is none."""
    named = ssl.get_default_verify_paths().cafile
    for candidate in (named, *_SYSTEM_BUNDLES):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    import certifi

    return Path(certifi.where())


def _certificates(files: list[Path]) -> Iterator[bytes]:
    """Iterate over the certificates (PEM) in files; a file that is gone has none."""
    for file in dict.fromkeys(files):
        if file.is_file():
            begin = b"-----BEGIN CERTIFICATE-----"
            for after in file.read_bytes().split(begin)[1:]:
                yield begin + after.partition(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----\n"


def _java_store(certificates: Sequence[bytes]) -> bytes:
    entries = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # the system's authorities are what they are
        for number, pem in enumerate(certificates):
            with suppress(ValueError):  # one that cannot be read any more does not keep out the others
                certificate = x509.load_pem_x509_certificate(pem)
                entries.append(pkcs12.PKCS12Certificate(certificate, f"authority-{number}".encode()))
        return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _apt_settings(bundle: Path, included: str | None) -> str:
    # a shell that has these settings already would include them in themselves
    before = f'#include "{included}";\n' if included and Path(included) != bundle.with_name("apt.conf") else ""
    return f'{before}Acquire::https::CAInfo "{bundle}";\n'


def _write(file: Path, octets: bytes) -> None:
    """Write a file that others may be reading: it is the old one or the new one, never half of it."""
    draft = file.with_name(f".{file.name}-draft")
    draft.write_bytes(octets)
    draft.chmod(0o644)  # apt reads as a user of its own
    draft.replace(file)
