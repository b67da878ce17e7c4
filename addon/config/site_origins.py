"""The origins of a site: their URLs and weights, and how they are asked."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from addon.config.model import ExistingFile, Section, not_empty
from addon.config.units import PositiveSeconds, Seconds
from cache.http.origin_address import OriginAddress

_PATH = re.compile(r"/[\x21\x22\x24-\x7e]*")
_NAME = re.compile(r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.?")
_AUTHORITY = re.compile(rf"(?:\[[0-9A-Fa-f:.]+\]|{_NAME.pattern})(?::[0-9]{{1,5}})?")

Statuses = Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Strict(strict=False)]


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
        tuple[
            Annotated[SiteOriginSettings, BeforeValidator(_as_table, json_schema_input_type=SiteOriginSettings | str)],
            ...,
        ],
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
