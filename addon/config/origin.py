"""The table `[origin]`: how origins are reached, and which of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from addon.config.addresses import REFUSED
from addon.config.section import Section
from addon.config.units import PositiveSeconds, Seconds

_PROXY = re.compile(r"http://([^\s/?#@]+@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?/?")


def _proxy(value: str) -> str:
    if value not in ("", "none") and not _PROXY.fullmatch(value):
        raise ValueError('a proxy like "http://proxy.example:3128", "none", or nothing')
    return value


def _readable_file(value: str) -> str:
    if value and not Path(value).expanduser().is_file():
        raise ValueError("a file that exists")
    return value


ExistingFile = Annotated[str, AfterValidator(_readable_file)]
Names = Annotated[tuple[str, ...], Strict(strict=False)]
Ports = Annotated[tuple[Annotated[int, Field(ge=1, le=65_535)], ...], Strict(strict=False)]


class OriginSettings(Section):
    """How origins are reached."""

    connect_timeout: PositiveSeconds = 3.5
    first_byte_timeout: PositiveSeconds = 60
    between_bytes_timeout: PositiveSeconds = 60
    idle_timeout: Seconds = 55
    max_connections: int = Field(default=64, ge=1)
    ca_files: Annotated[tuple[ExistingFile, ...], Strict(strict=False)] = ()
    client_certificate: ExistingFile = ""
    proxy: Annotated[str, AfterValidator(_proxy)] = ""
    refused_targets: Names = REFUSED
    allowed_targets: Names = ()
    connect_ports: Ports = (443,)
