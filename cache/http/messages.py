"""Request and response heads. Content is not part of them.

Field values are `str` decoded as Latin-1, so that every byte survives the round trip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, KeysView
from dataclasses import field, replace
from functools import lru_cache

from cache.http.client import Client
from cache.http.record import record

DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{0,5}))?")
_LOWER_CASE = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@record
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


@record
class Request:
    """A request head, with the parts of its target URI."""

    method: str
    scheme: str
    host: str
    """As `normalised_host` returns it, whatever a request is made with. So keys and what origins get agree."""
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
    client: Client | None = None
    """Whom an edge names to the origin as the client; None if the origin is told nothing about it."""

    def __post_init__(self) -> None:
        """Normalise the host."""
        if (host := normalised_host(self.host)) is not self.host:
            object.__setattr__(self, "host", host)

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
            client=self.client,
        )

    def with_client(self, client: Client | None) -> Request:
        """Return this request as one of another client."""
        return self if client is self.client else replace(self, client=client)

    def with_target(self, target: str, client: Client | None = None) -> Request:
        """Return the request of a client for another target, by which its key is found, without a digest of content."""
        return Request(
            method=self.method,
            scheme=self.scheme,
            host=self.host,
            port=self.port,
            target=target,
            fields=self.fields,
            version=self.version,
            has_content=self.has_content,
            tls_name=self.tls_name,
            client=client,
        )

    @property
    def authority(self) -> str:
        """Return `host:port`, or `host` if the port is the scheme's default."""
        return _authority(self.scheme, self.host, self.port)

    @property
    def origin(self) -> str:
        """Return the target's origin, normalised: `https://example.org`, with a port that is not the default."""
        return f"{self.scheme}://{_authority(self.scheme, self.host, self.port)}"

    @property
    def uri(self) -> str:
        """Return the target URI, with path and query as received."""
        return f"{self.scheme}://{_authority(self.scheme, self.host, self.port)}{self.target}"


@record
class Response:
    """A response head."""

    status: int
    reason: str
    fields: Fields = Fields()
    version: str = "HTTP/1.1"


@record
class Received:
    """A response head, with the times of its exchange in seconds since the epoch."""

    head: Response
    request_time: float
    """Time at which the request was sent."""
    response_time: float
    """Time at which the response head was complete."""


@lru_cache(maxsize=1024)
def normalised_host(host: str) -> str:
    """Return the one spelling of a host: in lower case, without dots at its end (RFC 9110 §4.2.3, RFC 3986 §3.2.2)."""
    # no other characters have a case: those of Latin-1 stand for bytes of an unknown encoding
    return host.translate(_LOWER_CASE).rstrip(".")


@lru_cache(maxsize=1024)
def normalised_authority(text: str, scheme: str) -> str:
    """Return a Host value in the spelling of `Request.authority`, or as it is if it is not `host` or `host:port`."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return text
    host, port = normalised_host(match[1]), match[2]
    return host if not port or int(port) == DEFAULT_PORTS.get(scheme) else f"{host}:{int(port)}"


@lru_cache(maxsize=1024)
def _authority(scheme: str, host: str, port: int) -> str:
    shown = host_in_uri(host)
    return shown if port == DEFAULT_PORTS.get(scheme) else f"{shown}:{port}"


def host_in_uri(host: str) -> str:
    """Return a host as it is written in a URI: with brackets around an IPv6 address."""
    return f"[{host}]" if ":" in host else host


def host_port(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"{host_in_uri(host)}:{port}"
