"""Certificates for intercepted hosts, signed by mitmproxy's CA on a thread of their own."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import tempfile
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from mitmproxy import certs

KEPT = 512
"""TLS contexts that are kept; the least recently used goes first."""

KEY_SIZE = 2048


class LeafContexts:
    """Server-side TLS contexts, by the name that the client asked for."""

    def __init__(self, directory: Path) -> None:
        """Use the CA in `directory`; it is created when it is first needed."""
        self._directory = directory
        self._store: certs.CertStore | None = None
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        # one thread: mitmproxy's store is not thread-safe, and clients must not keep all cores busy with signing
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="certificates")

    async def context(self, name: str) -> ssl.SSLContext:
        """Return the context for a host. Raises ValueError if the name cannot be in a certificate, and OSError."""
        known = self._contexts.get(name)
        if known is None:
            known = await asyncio.get_running_loop().run_in_executor(self._thread, self._make, name)
            self._contexts[name] = known
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(name)
        return known

    def _make(self, name: str) -> ssl.SSLContext:
        from cryptography import x509  # slow to import; see addon/serve/late_imports.py
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from mitmproxy import certs

        if self._store is None:
            self._store = certs.CertStore.from_store(self._directory, "mitmproxy", KEY_SIZE)
        entry = self._store.get_cert(name, x509.GeneralNames([_general_name(name)]), None)
        key = entry.privatekey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(certificate.to_pem() for certificate in entry.chain_certs)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        with tempfile.NamedTemporaryFile() as file:  # OpenSSL only reads files; this one is readable by this user alone
            file.write(key + entry.cert.to_pem() + chain)
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode("ascii"))
