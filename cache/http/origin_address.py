"""The address of an origin, as the settings of an edge name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from cache.http.messages import DEFAULT_PORTS, host_port

_TCP = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::(?P<port>[0-9]{1,5}))?(?P<prefix>/[^\s?#]*)?"
)
_UNIX = re.compile(r"unix:(?P<socket>/[^\s:]+)(?::(?P<prefix>/[^\s?#]*))?")


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
