"""The protocol of a new connection: by the scheme of its origin, and over TLS by ALPN (RFC 7301)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, Self, cast

from addon.origin.reading import FIRST_PIECE, PiecewiseProtocol

ALPN_HTTP2, ALPN_HTTP1 = "h2", "http/1.1"
"""The names of the protocols in ALPN."""


class Offer(Enum):
    """The protocols that an origin may choose from."""

    HTTP1 = auto()
    """HTTP/1.1 only."""
    EITHER = auto()
    """HTTP/2 or HTTP/1.1, by ALPN."""
    HTTP2 = auto()
    """HTTP/2 without asking: "prior knowledge" (RFC 9113 §3.3)."""


@dataclass(slots=True)
class KnownProtocols:
    """The knowledge about the protocols of one origin. It outlives the connections."""

    offer: Offer
    """The protocols that the origin may choose from."""
    http2: bool = False
    """The connection that was opened last speaks HTTP/2."""

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Return what is known before the first connection."""
        return cls(offer, http2=offer is Offer.HTTP2)


def offer_for(scheme: str, *, grpc: bool, http2: bool) -> Offer:
    """Return the protocols that an origin of a scheme may choose from, for gRPC or not, if HTTP/2 is on or not."""
    if http2 and scheme == "https":
        return Offer.EITHER
    return Offer.HTTP2 if http2 and grpc else Offer.HTTP1


class _TlsTransport(Protocol):
    """The TLS transport of any event loop; the types of asyncio do not have this method."""

    def set_read_buffer_limits(self, high: int) -> None:
        """Stop reading from the socket while more bytes than this wait to be decrypted."""


class Negotiation[C: PiecewiseProtocol](asyncio.Protocol):
    """Waits for the end of a TLS handshake, and then has the protocol that ALPN selected take over the transport.

    Attributes:
        connection: The protocol that has taken over; None before.
    """

    def __init__(self, make: Callable[[bool], C]) -> None:
        """Have `make` make the protocol; its argument is true for HTTP/2."""
        self.connection: C | None = None
        self._make = make
        self._received = b""
        self._end: tuple[Exception | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have the selected protocol take over, with what has arrived before."""
        cast("_TlsTransport", transport).set_read_buffer_limits(FIRST_PIECE)  # of what is not decrypted yet
        tls = transport.get_extra_info("ssl_object")
        connection = self.connection = self._make(tls.selected_alpn_protocol() == ALPN_HTTP2)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._received:
            connection.data_received(self._received)
        if self._end is not None:
            connection.connection_lost(*self._end)

    def data_received(self, data: bytes) -> None:
        """Keep data that arrives before the transport is known, as it can through a tunnel."""
        self._received += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep the end of the connection likewise."""
        self._end = (exc,)
