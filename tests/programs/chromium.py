"""Headless Chromium behind the proxy."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.proxy_process import PATIENCE, Proxy, environment
from tests.programs.programs import NOT_THEIRS, program

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No window, no sandbox (which root cannot have), and no conversations of its own."""


@contextmanager
def chromium(proxy: Proxy, url: str, profile: Path) -> Iterator[None]:
    """Have a browser look at a page while the context is open. A new profile knows no page yet."""
    browser = subprocess.Popen(
        [
            *(program("chromium"), *QUIET, f"--user-data-dir={profile}", f"--proxy-server={proxy.url}"),
            "--proxy-bypass-list=<-loopback>",  # loopback goes through the proxy too
            f"--ignore-certificate-errors-spki-list={_key_digest(proxy.certificate)}",
            url,
        ],
        env=environment(proxy.folder, NOT_THEIRS),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(PATIENCE)


def _key_digest(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()
