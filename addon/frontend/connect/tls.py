"""TLS taken off a connection: for the socket a protocol, for the conversation inside a transport.

`loop.start_tls` does not serve here: it cannot be given octets that have already been read.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from contextlib import suppress
from math import inf
from typing import Any, cast

from addon.frontend.http1.frontend import HEAD_TIMEOUT, Door
from addon.frontend.http1.request_target import RequestTargets

logger = logging.getLogger(__name__)

_DISTRUST = re.compile("ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)")
"""What clients say (RFC 8446 §6.2) that do not know the authority behind a certificate."""

AT_A_TIME = 262_144
"""Octets that are decrypted at a time."""


class TlsConnection(asyncio.Transport, asyncio.Protocol):
    """Both ends of the TLS layer of one connection."""

    def __init__(self, door: Door, context: ssl.SSLContext, destination: RequestTargets) -> None:
        super().__init__()
        self.deadline = door.now + HEAD_TIMEOUT
        self._door = door
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._destination = destination
        self._inside: asyncio.Protocol | None = None
        self._transport: asyncio.Transport
        self._reading = True
        self._closing = False

    def take(self, transport: asyncio.Transport, octets: bytes) -> None:
        """Begin on a transport from which `octets` were read already."""
        self._transport = transport
        self._door.connections.add(self)
        transport.set_protocol(self)
        self.data_received(octets)

    # ---- the protocol's side

    def data_received(self, data: bytes) -> None:
        """Decrypt, and hand on."""
        self._incoming.write(data)
        if self._inside is None:
            self._shake_hands()
        if self._inside is not None and self._reading:
            self._decrypt()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            logger.info("a client failed at TLS: %s", error.reason or error)
            self._count(error)
            self._flush()  # the alert
            self._transport.close()
            return
        self._flush()
        self._door.connections.discard(self)
        self.deadline = inf
        self._inside = self._door.converse(self._destination)
        self._inside.connection_made(self)

    def _decrypt(self) -> None:
        while self._reading and not self._closing and self._inside is not None:
            try:
                octets = self._tls.read(AT_A_TIME)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                if not isinstance(error, ssl.SSLZeroReturnError):
                    logger.info("a client broke its TLS: %s", error.reason or error)
                    self._count(error)  # in TLS 1.3 it is told of an untrusted certificate only here
                    self._transport.abort()
                    return
                octets = b""
            if not octets:
                self._ended()
                return
            self._inside.data_received(octets)
        if self._outgoing.pending:
            self._flush()

    def _count(self, error: ssl.SSLError) -> None:
        if _DISTRUST.search(error.reason or ""):
            self._door.service.counters.count("distrusted")

    def _ended(self) -> None:
        """Take the client's close_notify: it may still read (RFC 8446 §6.1)."""
        if self._inside is not None and not self._inside.eof_received():
            self.close()

    def eof_received(self) -> bool:
        """Take the end of the client's octets."""
        if self._inside is None:
            return False
        return bool(self._inside.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._door.connections.discard(self)
        self._door.limits.release(self._transport)
        self._closing = True
        inside, self._inside = self._inside, None
        if inside is not None:
            inside.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._inside is not None:
            self._inside.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._inside is not None:
            self._inside.resume_writing()

    # ---- the transport's side

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if data and not self._closing:
            try:
                self._tls.write(data)
            except ssl.SSLError as error:
                logger.info("a client broke its TLS: %s", error.reason or error)
                self.abort()
                return
            self._flush()

    def writelines(self, list_of_data: Any) -> None:
        """Encrypt and send, together."""
        self.write(b"".join(list_of_data))

    def _flush(self) -> None:
        if octets := self._outgoing.read():
            self._transport.write(octets)

    def close(self) -> None:
        """Say close_notify, and close once everything is sent."""
        if self._closing:
            return
        self._closing = True
        with suppress(ssl.SSLError):  # it would wait for the client's, which nobody has to (RFC 8446 §6.1)
            self._tls.unwrap()
        self._flush()
        self._transport.close()

    def expire(self) -> None:
        """End a handshake that takes too long."""
        self.abort()

    def shut(self) -> None:
        """End a handshake."""
        self.abort()

    def cut(self) -> None:
        """End at once."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether the end has begun."""
        return self._closing or self._transport.is_closing()

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._reading = False
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on, with what is here already."""
        if self._reading:
            return
        self._reading = True
        self._transport.resume_reading()
        asyncio.get_running_loop().call_soon(self._decrypt)

    def can_write_eof(self) -> bool:
        """Return False: TLS has no half-closed connections that clients understand."""
        return False

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait for the client."""
        return self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pass it on."""
        self._transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `ssl_object`, or what the socket's transport knows."""
        return self._tls if name == "ssl_object" else self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what is decrypted to another protocol from now on."""
        self._inside = cast("asyncio.Protocol", protocol)  # a stream's protocol, when mitmproxy takes over

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who gets what is decrypted."""
        return self._inside or self
