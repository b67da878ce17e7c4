"""Request and response heads. Content is not part of them.

Field values are `str` decoded as Latin-1, so that every byte survives the round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView
from dataclasses import dataclass, field

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields, immutable. Lines keep their order and letter case; names are compared case-insensitively."""

    lines: tuple[tuple[str, str], ...] = ()
    _index: dict[str, tuple[str, ...]] | None = field(default=None, init=False, repr=False, compare=False)
    _hash: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def _values(self) -> dict[str, tuple[str, ...]]:
        """The values by lower-case name, indexed at the first access."""
        if self._index is None:
            values: dict[str, tuple[str, ...]] = {}
            for name, value in self.lines:
                lower = name.lower()
                values[lower] = (*values[lower], value) if lower in values else (value,)
            object.__setattr__(self, "_index", values)
            return values
        return self._index

    def __hash__(self) -> int:
        """Return the hash of the lines. It is computed once, since functions of fields are cached by it."""
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(self.lines))
        return self._hash or 0

    def __contains__(self, name: str) -> bool:
        """Return whether a line has that name."""
        index = self._index
        return name.lower() in (self._values if index is None else index)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Iterate over the lines, in order, as (name, value)."""
        return iter(self.lines)

    def names(self) -> KeysView[str]:
        """Return the names of these fields in lower case."""
        return self._values.keys()

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of all lines of that name, in order; empty if there is none."""
        return self._values.get(name.lower(), ())

    def get(self, name: str) -> str | None:
        """Return the values of all lines of that name, joined with commas (RFC 9110 §5.2), or None if there is none."""
        index = self._index
        values = (self._values if index is None else index).get(name.lower())
        if values is None:
            return None
        return values[0] if len(values) == 1 else ", ".join(values)

    def without(self, names: Iterable[str]) -> Fields:
        """Return these fields without the lines whose name is in `names`."""
        dropped = {name.lower() for name in names}
        if dropped.isdisjoint(self._values):
            return self
        return Fields(tuple(line for line in self.lines if line[0].lower() not in dropped))

    def appending(self, *lines: tuple[str, str]) -> Fields:
        """Return these fields with `lines` added at the end."""
        return Fields((*self.lines, *lines))

    def replacing(self, name: str, value: str) -> Fields:
        """Return these fields with one line of that name, at the end, in place of all others of that name."""
        return self.without([name]).appending((name, value))


@dataclass(frozen=True, slots=True)
class Request:
    """A request head, with the parts of its target URI."""

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
    """The server name in the client's TLS handshake (SNI); None without TLS or without SNI."""
    cache_target: str = ""
    """The target to use in the primary cache key, if it differs from `target`; else empty."""
    content_digest: str = ""
    """SHA-256 of the content, in hexadecimal, for a POST that only reads: part of the primary key. Else empty."""

    def with_fields(self, fields: Fields) -> Request:
        """Return this request with other fields. Faster than `dataclasses.replace`."""
        return Request(
            method=self.method,
            scheme=self.scheme,
            host=self.host,
            port=self.port,
            target=self.target,
            fields=fields,
            version=self.version,
            has_content=self.has_content,
            tls_name=self.tls_name,
            cache_target=self.cache_target,
            content_digest=self.content_digest,
        )

    @property
    def authority(self) -> str:
        """Return `host:port`, or `host` if the port is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return the target's origin, normalised: `https://example.org`, with a port that is not the default."""
        host = self.host.lower().removesuffix(".")
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://[{host}]{port}" if ":" in host else f"{self.scheme}://{host}{port}"

    @property
    def uri(self) -> str:
        """Return the target URI, with path and query as received."""
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
    """A response head, with the times of its exchange in seconds since the epoch."""

    head: Response
    request_time: float
    """Time at which the request was sent."""
    response_time: float
    """Time at which the response head was complete."""


def host_port(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
