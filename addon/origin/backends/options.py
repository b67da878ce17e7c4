"""The settings of the sites of an edge, as the origin client needs them. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cache.http.client import NOBODY, Client
from cache.http.origin_address import OriginAddress

CLIENT, ORIGIN = "client", "origin"
"""Values of `host_header` that are not names."""


@dataclass(frozen=True, slots=True)
class SiteOriginOptions:
    """One origin of a site."""

    url: str
    """As in the settings; its name in messages."""
    address: OriginAddress
    weight: int = 1


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The requests by which the origins of a site are checked."""

    path: str
    interval: float = 5.0
    timeout: float = 2.0
    """For the whole check, the connection included."""
    statuses: frozenset[int] = frozenset()
    """The statuses of a check that is passed; if there are none, all from 200 to 399."""
    fails: int = 3
    """Checks in a row that fail, after which an origin is down."""
    passes: int = 2
    """Checks in a row that are passed, after which it is up again."""
    scheme: str = "http"
    """The scheme by which clients ask for the site: applications redirect requests over http that want https."""
    client: Client = NOBODY
    """The client of the checks, which says which forwarded fields they have."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Hosts, the origins that get the requests for them, and how."""

    hosts: tuple[str, ...]
    """Patterns as in `HostTable`."""
    origins: tuple[SiteOriginOptions, ...]
    balance: Literal["least_busy", "hash"] = "least_busy"
    max_fails: int = 1
    """Failures within `fail_timeout` after which an origin is down. 0: never."""
    fail_timeout: float = 10.0
    """Also the time after which an origin that is down gets a request again."""
    fail_statuses: frozenset[int] = frozenset()
    """Statuses of responses that count as failures."""
    slow_start: float = 0.0
    """Time in which an origin that is up again gets its full share of the requests."""
    check: CheckOptions | None = None
    host_header: str = CLIENT
    """The Host that origins get: `client` for that of the request, `origin` for that of the origin's URL, or a name."""
    sni: str = ""
    """The name that an origin's certificate must have, and that is sent in the TLS handshake. Empty: the URL's host."""
    ca_files: tuple[str, ...] = ()
    """PEM files of CAs that are trusted besides those of `OriginOptions`."""
    client_certificate: str = ""
    """PEM file of a certificate and its key, in place of that of `OriginOptions`."""

    @property
    def name(self) -> str:
        """The first host, the name of the site in messages."""
        return self.hosts[0]
