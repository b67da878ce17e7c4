"""The hosts for which clients did not accept a certificate by this proxy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

MAX_HOSTS = 1000
"""Hosts that are remembered of each kind."""


class Distrust:
    """Remembers how TLS with clients went, by the host of the tunnel.

    Some clients send an alert, and some only close the connection. A browser also closes connections that it never
    needed, so a connection without a request counts only if no client has sent a request to that host.
    """

    def __init__(self) -> None:
        self._trusted: dict[str, None] = {}
        self._alerts = Counter[str]()
        self._without_request = Counter[str]()

    def trusts(self, host: str) -> None:
        """Note that a client has sent something inside TLS."""
        self._trusted[host] = None
        if len(self._trusted) > MAX_HOSTS:
            del self._trusted[next(iter(self._trusted))]

    def distrusts(self, host: str) -> None:
        """Note that a client has sent an alert about the certificate."""
        _count(self._alerts, host)

    def leaves(self, host: str) -> None:
        """Note that a client has closed the connection without an alert, and without having sent a request."""
        _count(self._without_request, host)

    @property
    def hosts(self) -> Mapping[str, int]:
        """The number of connections that ended because a client did not accept the certificate, by host."""
        left = {host: count for host, count in self._without_request.items() if host not in self._trusted}
        return self._alerts + Counter(left)


def _count(counter: Counter[str], host: str) -> None:
    if host in counter or len(counter) < MAX_HOSTS:
        counter[host] += 1
