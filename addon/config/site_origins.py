"""The origins of a site: their URLs and weights, and how they are asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from addon.config.model import ExistingFile, Section, not_empty
from addon.config.units import PositiveSeconds, Seconds
from cache.http.messages import DEFAULT_PORTS, host_port

_TCP = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::(?P<port>[0-9]{1,5}))?(?P<prefix>/[^\s?#]*)?"
)
_PATH = re.compile(r"/[\x21\x22\x24-\x7e]*")
_NAME = re.compile(r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.?")
_AUTHORITY = re.compile(rf"(?:\[[0-9A-Fa-f:.]+\]|{_NAME.pattern})(?::[0-9]{{1,5}})?")
_UNIX = re.compile(r"unix:(?P<socket>/[^\s:]+)(?::(?P<prefix>/[^\s?#]*))?")

Statuses = Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Strict(strict=False)]


@dataclass(frozen=True, slots=True)
class OriginAddress:
    """The parts of an origin's URL."""

    scheme: str
    host: str
    """Empty for a Unix socket."""
    port: int
    """0 for a Unix socket."""
    prefix: str = ""
    """The text in front of the path of each request, like `/app`; without a slash at its end."""
    socket: str = ""
    """The path of a Unix socket, or nothing."""

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the address in a URL. Raises ValueError, whose text names the expected value."""
        if match := _UNIX.fullmatch(url):
            return cls("http", "", 0, _prefix(match), match["socket"])
        match = _TCP.fullmatch(url)
        if match is None or not (match["prefix"] or "").isascii():
            raise ValueError(
                'an origin like "http://127.0.0.1:8000", "https://app.example/prefix", "unix:/run/app.sock" or'
                ' "unix:/run/app.sock:/prefix"'
            )
        port = int(match["port"] or DEFAULT_PORTS[match["scheme"]])
        if not 0 < port <= 65_535:
            raise ValueError("a port from 1 to 65535")
        return cls(match["scheme"], match["host"].strip("[]").lower(), port, _prefix(match))

    @property
    def authority(self) -> str:
        """Return `host` or `host:port` as a Host field has it; `localhost` for a Unix socket."""
        if self.socket:
            return "localhost"
        return host_port(self.host, self.port).removesuffix(f":{DEFAULT_PORTS[self.scheme]}")


def _prefix(match: re.Match[str]) -> str:
    return (match["prefix"] or "").rstrip("/")


def origin_url(value: str) -> str:
    """Return the URL of an origin. Raises ValueError, whose text names the expected value."""
    OriginAddress.of(value)
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise ValueError('a path like "/health"')
    return value


def _host_header(value: str) -> str:
    if not _AUTHORITY.fullmatch(value):
        raise ValueError('"client", "origin", or a host like "app.example" or "app.example:8443"')
    return value


def _server_name(value: str) -> str:
    if value and not _NAME.fullmatch(value):
        raise ValueError("a host name")
    return value


def _different(origins: tuple[SiteOriginSettings, ...]) -> tuple[SiteOriginSettings, ...]:
    if len({origin.url for origin in origins}) < len(origins):
        raise ValueError("each origin once")
    return not_empty(origins)


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


class HealthSettings(Section):
    """The table `health` in `[[site]]`: the requests by which the origins are checked."""

    path: Annotated[str, AfterValidator(_path)]
    interval: PositiveSeconds = 5
    timeout: PositiveSeconds = 2
    status: Statuses = ()
    fails: int = Field(default=3, ge=1)
    passes: int = Field(default=2, ge=1)


def _as_table(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class OriginsSettings(Section):
    """The keys of `[[site]]` about its origins."""

    origins: Annotated[
        tuple[Annotated[SiteOriginSettings, BeforeValidator(_as_table)], ...],
        Strict(strict=False),
        AfterValidator(_different),
    ]
    balance: Literal["least_busy", "hash"] = "least_busy"
    max_fails: int = Field(default=1, ge=0)
    fail_timeout: PositiveSeconds = 10
    fail_status: Statuses = ()
    slow_start: Seconds = 0
    health: HealthSettings | None = None
    host_header: Annotated[str, AfterValidator(_host_header)] = "client"
    sni: Annotated[str, AfterValidator(_server_name)] = ""
    ca_files: Annotated[tuple[ExistingFile, ...], Strict(strict=False)] = ()
    client_certificate: ExistingFile = ""
