"""Leaves the TLS of clients alone."""

from mitmproxy import tls


def tls_clienthello(data: tls.ClientHelloData) -> None:
    data.ignore_connection = True
