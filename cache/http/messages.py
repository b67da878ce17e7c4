"""Request and response heads as the cache sees them. Bodies live elsewhere.

Field values are `str` decoded as Latin-1, so that every octet survives the round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView
from dataclasses import dataclass, field

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields: immutable, order and case of every line kept, names compared without case."""

    lines: tuple[tuple[str, str], ...] = ()
    _index: dict[str, tuple[str, ...]] | None = field(default=None, init=False, repr=False, compare=False)
    _hash: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def _values(self) -> dict[str, tuple[str, ...]]:
        """The lines by lower-case name, put in order when somebody asks."""
        if self._index is None:
            values: dict[str, tuple[str, ...]] = {}
            for name, value in self.lines:
                lower = name.lower()
                values[lower] = (*values[lower], value) if lower in values else (value,)
            object.__setattr__(self, "_index", values)
            return values
        return self._index

    def __hash__(self) -> int:
        """Return the lines' hash, worked out once: what follows from fields alone is remembered by it."""
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(self.lines))
        return self._hash or 0

    def __contains__(self, name: str) -> bool:
        """Tell whether a line of that name exists."""
        index = self._index
        return name.lower() in (self._values if index is None else index)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Iterate over the lines in order."""
        return iter(self.lines)

    def names(self) -> KeysView[str]:
        """Return the lower-case names of these fields."""
        return self._values.keys()

    def all(self, name: str) -> tuple[str, ...]:
        """Return the value of every line of that name, in order; empty if there is none."""
        return self._values.get(name.lower(), ())

    def get(self, name: str) -> str | None:
        """Return all lines of that name joined with a comma, or None if there is none (RFC 9110 §5.2)."""
        index = self._index
        values = (self._values if index is None else index).get(name.lower())
        if values is None:
            return None
        return values[0] if len(values) == 1 else ", ".join(values)

    def without(self, names: Iterable[str]) -> Fields:
        """Return these fields less every line whose name is among `names`."""
        dropped = {name.lower() for name in names}
        if dropped.isdisjoint(self._values):
            return self
        return Fields(tuple(line for line in self.lines if line[0].lower() not in dropped))

    def appending(self, *lines: tuple[str, str]) -> Fields:
        """Return these fields with `lines` at the end."""
        return Fields((*self.lines, *lines))

    def replacing(self, name: str, value: str) -> Fields:
        """Return these fields with exactly one line of that name, at the end."""
        return self.without([name]).appending((name, value))


@dataclass(frozen=True, slots=True)
class Request:
    """A request head with the target taken apart."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    """Path and query exactly as received; never empty."""
    fields: Fields = Fields()
    version: str = "HTTP/1.1"
    has_content: bool = False
    tls_name: str | None = None
    """The server name the client asked for in TLS, where it did."""
    keyed_as: str = ""
    """What stands for the target in the primary key, where that is not the target itself."""
    content_digest: str = ""
    """SHA-256 of the content in hexadecimal, where it is part of the primary key: then a POST only reads."""

    def with_fields(self, fields: Fields) -> Request:
        """Return the same request with other fields."""
        return Request(
            self.method,
            self.scheme,
            self.host,
            self.port,
            self.target,
            fields,
            self.version,
            self.has_content,
            self.tls_name,
            self.keyed_as,
            self.content_digest,
        )

    @property
    def authority(self) -> str:
        """Return `host` or `host:port`, the port left out where it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def uri(self) -> str:
        """Return the target URI as received."""
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response head."""

    status: int
    reason: str
    fields: Fields = Fields()
    version: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Received:
    """A response head and the exchange it ended; times are seconds since the epoch."""

    head: Response
    request_time: float
    """When the request was sent."""
    response_time: float
    """When the head had been received."""


def host_port(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
