"""Headless Chromium that uses the proxy."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.environment import PROXY_VARIABLES, environment
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.programs.installed_programs import program

OPTIONS = (
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
"""Options for no window, no sandbox (root cannot have one), and no requests of the browser itself."""


@contextmanager
def chromium(proxy: Proxy, url: str, profile: Path) -> Iterator[None]:
    """Open a page in a browser for the time of the context. The browser keeps its own cache in the folder `profile`."""
    browser = subprocess.Popen(
        [
            *(program("chromium"), *OPTIONS, f"--user-data-dir={profile}", f"--proxy-server={proxy.url}"),
            "--proxy-bypass-list=<-loopback>",  # use the proxy for loopback addresses too
            f"--ignore-certificate-errors-spki-list={_key_digest(proxy.certificate)}",
            url,
        ],
        env=environment(proxy.folder, PROXY_VARIABLES),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(TIMEOUT)


def _key_digest(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()
