"""The TLS of one client of an edge: the name that it has asked for, and the certificates that it has been shown."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from addon.config.certificate_files import CertificateFiles


class ClientTls(ssl.SSLObject):
    """The TLS of one client.

    Attributes:
        server_name: The name in its handshake (SNI), as `normalised_host` returns it; None if it has sent none.
        certificates: Those of the site, one for each kind of key.
    """

    server_name: str | None = None
    certificates: Sequence[CertificateFiles] = ()

    def covers(self, host: str) -> bool:
        """Return whether the client has seen a certificate for a host."""
        return all(each.covers(host) for each in self.certificates)
