"""The address of the engine: `redis://`, `rediss://` (TLS), `valkey://`, `valkeys://` (TLS) or `unix://`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote

from cache.http.messages import host_port

EXPECTED = (
    '"redis://HOST:PORT/0", "rediss://..." for TLS, "valkey://...", "unix:///run/redis.sock"; several hosts of a'
    ' Cluster or of Sentinels with commas between them, and for Sentinels "?master=NAME" at the end'
)
"""The text of the error about an address that is malformed."""

USER_ALONE = '":PASSWORD@" or "USER:PASSWORD@" before the host: a user alone cannot log in'
"""The text of the error about an address with a user who has no password, which is mostly a password."""

_ADDRESS = re.compile(r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@/]*)@)?(?P<place>[^?#]*)(?:\?(?P<query>[^#]*))?")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_TLS = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
_PORT, _SENTINEL_PORT = 6379, 26379


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one server: host and port, or the path of a Unix socket."""

    host: str
    port: int = 0
    """0 if `host` is the path of a socket."""

    def __str__(self) -> str:
        """Return the place as text."""
        return host_port(self.host, self.port) if self.port else self.host


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """One engine: the servers to begin with, and what they ask for."""

    places: tuple[Place, ...]
    """Of a single server; of some servers of a Cluster; or of Sentinels."""
    user: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    master: str = ""
    """The name by which Sentinels know the primary server; empty if `places` are no Sentinels."""

    def __str__(self) -> str:
        """Return the address for messages, without the password."""
        return ",".join(map(str, self.places)) + (f" ({self.master})" if self.master else "")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM for connections over TLS; an empty path is none."""

    authorities: str = ""
    """The CAs to trust instead of the system's."""
    certificate: str = ""
    """Certificate and key of this client."""


def parse_address(url: str) -> EngineAddress:
    """Return the address that a URL names. Raises ValueError, with what was expected, if it is malformed."""
    found = _ADDRESS.fullmatch(url)
    if found is None or not (found["scheme"] in _TLS or found["scheme"] == "unix"):
        raise ValueError(EXPECTED)
    user, _, password = (found["user"] or "").partition(":")
    if user and not password:
        raise ValueError(USER_ALONE)
    places: tuple[Place, ...]
    query = {name: last for name, [*_, last] in parse_qs(found["query"] or "", keep_blank_values=True).items()}
    master = query.pop("master", None)
    if master == "":
        raise ValueError(EXPECTED)
    if found["scheme"] == "unix":
        places, database = (Place(unquote(found["place"])),), query.pop("db", "0")
        if not Path(places[0].host).is_absolute() or master:
            raise ValueError(EXPECTED)
    else:
        hosts, _, database = found["place"].partition("/")
        places = tuple(_place(each, _SENTINEL_PORT if master else _PORT) for each in hosts.split(","))
    if query or not (database or "0").isdecimal():
        raise ValueError(EXPECTED)
    return EngineAddress(
        places,
        unquote(user),
        unquote(password),
        int(database or "0"),
        tls=_TLS.get(found["scheme"], False),
        master=master or "",
    )


def _place(text: str, port: int) -> Place:
    found = _HOST.fullmatch(text)
    if found is None or not 0 < int(found["port"] or port) < 65_536:
        raise ValueError(EXPECTED)
    return Place(found["host"].strip("[]"), int(found["port"] or port))
