"""The sites of an edge, as the origin client needs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteOrigin:
    """One origin of a site."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Hosts, and the origins that get the requests for them."""

    hosts: tuple[str, ...]
    """Patterns as in `HostTable`."""
    origins: tuple[SiteOrigin, ...]
