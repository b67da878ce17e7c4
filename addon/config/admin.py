"""The table `[admin]`: the listener by which programs look into a running proxy, and have it purge or switch modes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Strict, ValidationInfo

from addon.config.addresses import UNSPECIFIED_ADDRESSES, is_loopback
from addon.config.model import PathText, Section, path_text
from addon.config.user_folders import expanded
from cache.http.messages import host_in_uri

OFF = "off"

_UNIX = "unix:"

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")

_LISTEN = re.compile(rf"(?P<host>{_HOST.pattern}):(?P<port>[0-9]{{1,5}})")

_EXPECTED = 'an address of this machine only like "127.0.0.1:9000", a socket like "unix:/run/admin.sock", or "off"'


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError('host names and addresses without a port, like "proxy.example" or "[fd00::1]"')
    return value.lower()


def _listen(value: str, info: ValidationInfo) -> str:
    if value == OFF:
        return value
    if value.startswith(_UNIX) and value != _UNIX:
        path_text(value.removeprefix(_UNIX))
        return value
    match = _LISTEN.fullmatch(value)
    if not match or int(match["port"]) > 65_535:
        raise ValueError(_EXPECTED)
    if not is_loopback(match["host"].strip("[]")) and not info.data.get("hosts"):
        raise ValueError(f"{_EXPECTED}; or, in admin.hosts, the names by which other machines may use it")
    return value


class AdminSettings(Section):
    """The table `[admin]`."""

    # before `listen`, whose validator needs them
    hosts: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], Strict(strict=False)] = ()
    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:0"
    token_file: PathText = ""
    ready_needs_origin: bool = False
    metrics_without_token: bool = False

    @property
    def address(self) -> tuple[str, int] | None:
        """The host (an IPv6 address without brackets) and the port to listen on; None for a Unix socket or none."""
        match = _LISTEN.fullmatch(self.listen)
        return (match["host"].strip("[]").lower(), int(match["port"])) if match else None

    @property
    def names(self) -> frozenset[str]:
        """The hosts by which it may be asked, besides those of the loopback interface; IPv6 addresses in brackets."""
        if self.address is None or self.address[0] in UNSPECIFIED_ADDRESSES:
            return frozenset(self.hosts)
        host, _ = self.address
        return frozenset({*self.hosts, host_in_uri(host)})

    @property
    def port(self) -> int | None:
        """The port, once it is known; None for a Unix socket or none."""
        return (self.address[1] or None) if self.address else None

    @property
    def socket(self) -> Path | None:
        """The Unix socket to listen on, if it is one."""
        name = self.listen.removeprefix(_UNIX)
        return None if name == self.listen else expanded(name).absolute()

    @property
    def place(self) -> str | None:
        """The URL of a listener that has its port, or the name of its Unix socket; None for none."""
        if self.socket is not None:
            return f"{_UNIX}{self.socket}"
        return f"http://{self.listen}" if self.port else None

    def token(self, store: Path) -> Path:
        """Return the file with the token; `store` is the directory of the store."""
        return expanded(self.token_file).absolute() if self.token_file else store / "admin-token"
