"""The table `[origin]`: how the proxy connects to origins, and which targets it refuses."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from addon.config.addresses import DEFAULT_REFUSED_TARGETS
from addon.config.model import ExistingFile, Section, Strings
from addon.config.units import PositiveSeconds, Seconds, Size

_PROXY = re.compile(r"http://([^\s/?#@]+@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?/?")


def _proxy(value: str) -> str:
    if value not in ("", "none") and not _PROXY.fullmatch(value):
        raise ValueError('a proxy like "http://proxy.example:3128", "none", or nothing')
    return value


Ports = Annotated[tuple[Annotated[int, Field(ge=1, le=65_535)], ...], Strict(strict=False)]


class OriginSettings(Section):
    """The table `[origin]`."""

    resolve_timeout: PositiveSeconds = 10
    connect_timeout: PositiveSeconds = 3.5
    first_byte_timeout: PositiveSeconds = 60
    between_bytes_timeout: PositiveSeconds = 60
    min_rate: Size = 16
    stream_timeout: PositiveSeconds = 3600
    idle_timeout: Seconds = 55
    max_connections: int = Field(default=64, ge=1)
    http2: Literal["auto", "never"] = "auto"
    via: Literal["on", "off"] = "on"
    lenient: Strings = ()
    ca_files: Annotated[tuple[ExistingFile, ...], Strict(strict=False)] = ()
    client_certificate: ExistingFile = ""
    proxy: Annotated[str, AfterValidator(_proxy)] = ""
    refused_targets: Strings = DEFAULT_REFUSED_TARGETS
    allowed_targets: Strings = ()
    connect_ports: Ports = (443,)
