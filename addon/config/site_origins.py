"""The origins of a site: their URLs, and their weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from addon.config.model import Section
from cache.http.messages import DEFAULT_PORTS, host_port

_TCP = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?")


@dataclass(frozen=True, slots=True)
class OriginAddress:
    """What the URL of an origin says."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the address in a URL. Raises ValueError, whose text names the expected value."""
        match = _TCP.fullmatch(url)
        if match is None:
            raise ValueError('an origin like "http://127.0.0.1:8000" or "https://app.example"')
        port = int(match["port"] or DEFAULT_PORTS[match["scheme"]])
        if not 0 < port <= 65_535:
            raise ValueError("a port from 1 to 65535")
        return cls(match["scheme"], match["host"].strip("[]").lower(), port)

    @property
    def authority(self) -> str:
        """Return `host` or `host:port`, as a Host field has it."""
        return host_port(self.host, self.port).removesuffix(f":{DEFAULT_PORTS[self.scheme]}")


def origin_url(value: str) -> str:
    """Return the URL of an origin. Raises ValueError, whose text names the expected value."""
    OriginAddress.of(value)
    return value


OriginUrl = Annotated[str, AfterValidator(origin_url)]


class SiteOriginSettings(Section):
    """One origin in `[[site]]`: a URL, or a table `{ url = "...", weight = 2 }`."""

    url: OriginUrl
    weight: int = Field(default=1, ge=1, le=1000)

    @property
    def address(self) -> OriginAddress:
        """The parts of the URL."""
        return OriginAddress.of(self.url)

    def __str__(self) -> str:
        """Return the URL, and the weight if it is not 1."""
        return self.url if self.weight == 1 else f"{self.url} (weight {self.weight})"


def _as_table(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def one[Member](value: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return a list with one member. Raises ValueError, whose text names the expected value."""
    if len(value) != 1:
        raise ValueError("a list with one member")
    return value


SiteOrigin = Annotated[SiteOriginSettings, BeforeValidator(_as_table)]
SiteOrigins = Annotated[tuple[SiteOrigin, ...], Strict(strict=False), AfterValidator(one)]
