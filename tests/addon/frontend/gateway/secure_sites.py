"""Sites of an edge with certificates, and an origin that tells what it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fixtures.raw_origin import HEAD, Peer
from tests.fixtures.site_certificates import SiteCertificate

type Hosts = list[tuple[list[str], SiteCertificate | None]]
"""The hosts of each site, and its certificate."""


async def host_and_path(peer: Peer) -> None:
    """Answer every request with its Host and its path; the answers may be stored."""
    while True:
        lines = (await peer.request()).decode("latin-1").split("\r\n")
        host = next(line[6:] for line in lines if line.lower().startswith("host: "))
        body = f"{host} {lines[0].split(' ')[1]}".encode()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def sites(hosts: Hosts, **more: Any) -> Callable[[list[str]], list[dict[str, Any]]]:
    """Return what makes the `[[site]]` tables, each with the keys in `more`."""

    def tables(urls: list[str]) -> list[dict[str, Any]]:
        return [
            {"hosts": names, "origins": urls, **({"tls": certificate.table} if certificate else {}), **more}
            for names, certificate in hosts
        ]

    return tables
