"""TLS termination: a protocol for the socket, and a transport for the HTTP connection inside.

`loop.start_tls` cannot be used, since it cannot be given bytes that were read already.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any, cast

from addon.frontend.connections import HEAD_TIMEOUT
from addon.frontend.frontend import Frontend

logger = logging.getLogger(__name__)

_DISTRUST = re.compile("ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|ACCESS_DENIED)")
"""Alerts of clients that do not accept a certificate (RFC 8446 §6.2)."""

MAX_READ = 262_144
"""Bytes that are decrypted at a time."""

MakeInside = Callable[[ssl.SSLObject], asyncio.Protocol]
"""Makes the protocol inside TLS, by what the handshake has led to: `selected_alpn_protocol` and others."""


def can_end_sending(transport: asyncio.Transport) -> bool:
    """Return whether `write_eof` can tell a client of HTTP that no more is sent, while it still sends."""
    # TLS has no half-closed connections, but HTTP needs none: what the client still sends is dropped
    return isinstance(transport, TlsConnection) or transport.can_write_eof()


class TlsConnection(asyncio.Transport, asyncio.Protocol):
    """The TLS layer of one client connection."""

    def __init__(
        self,
        frontend: Frontend,
        context: ssl.SSLContext,
        inside: MakeInside,
        refuse_http: Callable[[asyncio.Transport], None] = asyncio.Transport.close,
        *,
        host: str = "",
    ) -> None:
        """Terminate TLS.

        Args:
            frontend: The parts that all connections share.
            context: The TLS context.
            inside: Makes the protocol inside once the handshake is complete.
            refuse_http: Ends a connection whose client does not use TLS, and has sent a request in clear text.
            host: The host of a tunnel, for which the proxy has made the certificate.
        """
        super().__init__()
        self.deadline = frontend.connections.now + HEAD_TIMEOUT
        self._frontend = frontend
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._make_inside = inside
        self._refuse_http = refuse_http
        self._undecided_host = host
        """The host, until it is known whether the client accepts its certificate; empty then, and without a tunnel."""
        self._inside: asyncio.Protocol | None = None
        self._transport: asyncio.Transport
        self._reading = True
        self._dropping = False
        """Nothing is sent any more, and what comes is dropped."""
        self._closing = False

    def start(self, transport: asyncio.Transport, data: bytes) -> None:
        """Start the handshake on a transport from which `data` was read already."""
        self._transport = transport
        self._frontend.connections.add(self)
        transport.set_protocol(self)
        if data:
            self.data_received(data)

    # ---- the protocol of the socket

    def data_received(self, data: bytes) -> None:
        """Decrypt, and pass on."""
        if self._dropping:
            return
        self._incoming.write(data)
        if self._inside is None:
            self._handshake()
        if self._inside is not None and self._reading:
            self._decrypt()

    def _handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            logger.info("a client failed at TLS%s: %s", self._for_host, error.reason or error)
            self._note_failure(error)
            if error.reason == "HTTP_REQUEST":
                self._refuse_http(self._transport)
                return
            self._flush()  # the alert
            self._transport.close()
            return
        self._flush()
        self._frontend.connections.discard(self)
        self.deadline = inf
        self._inside = self._make_inside(self._tls)
        self._inside.connection_made(self)

    def _decrypt(self) -> None:
        while self._reading and not (self._closing or self._dropping) and self._inside is not None:
            try:
                data = self._tls.read(MAX_READ)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                if not isinstance(error, ssl.SSLZeroReturnError):
                    logger.info("a client broke its TLS%s: %s", self._for_host, error.reason or error)
                    self._note_failure(error)  # in TLS 1.3 the alert about an untrusted certificate arrives only here
                    self._transport.abort()
                    return
                data = b""
            if not data:
                self._ended()
                return
            if self._undecided_host:
                self._frontend.service.distrust.trusts(self._undecided_host)
                self._undecided_host = ""
            self._inside.data_received(data)
            if not self._incoming.pending:
                break  # reading once more would only raise an error, which takes longer than a look
        if self._outgoing.pending:
            self._flush()

    @property
    def _for_host(self) -> str:
        return f" for {self._undecided_host}" if self._undecided_host else ""

    def _note_failure(self, error: ssl.SSLError) -> None:
        service, host, self._undecided_host = self._frontend.service, self._undecided_host, ""
        if not _DISTRUST.search(error.reason or ""):
            service.counters.count("tls_failures")
            return
        service.counters.count("distrusted")
        if host:
            service.distrust.distrusts(host)

    def _note_departure(self) -> None:
        """Note that the client closes the connection; without a request, it has perhaps disliked the certificate."""
        if self._undecided_host and not self._closing:
            logger.info("a client closed its TLS connection%s without a request", self._for_host)
            self._frontend.service.distrust.leaves(self._undecided_host)
        self._undecided_host = ""

    def _ended(self) -> None:
        """Pass on the client's close_notify; the client may still read (RFC 8446 §6.1)."""
        self._note_departure()
        if self._inside is not None and not self._inside.eof_received():
            self.close()

    def eof_received(self) -> bool:
        """Pass on the end of the client's bytes."""
        self._note_departure()
        if self._inside is None:
            return False
        return bool(self._inside.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and pass its end on."""
        self._note_departure()
        self._frontend.connections.discard(self)
        self._frontend.connections.limits.release(self._transport)
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

    # ---- the transport of the HTTP connection inside

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
        if data := self._outgoing.read():
            self._transport.write(data)

    def close(self) -> None:
        """Send close_notify, and close once everything is sent."""
        if self._closing:
            return
        self._closing = True
        with suppress(ssl.SSLError):  # the client's close_notify need not be waited for (RFC 8446 §6.1)
            self._tls.unwrap()
        self._flush()
        self._transport.close()

    def expire(self) -> None:
        """End a handshake that takes too long."""
        self.abort()

    def end_if_idle(self) -> None:
        """Do nothing: the connection inside ends after its first response."""

    def finish(self) -> None:
        """End a handshake."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether the connection is being closed."""
        return self._closing or self._transport.is_closing()

    def pause_reading(self) -> None:
        """Stop reading from the client."""
        self._reading = False
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on, beginning with what was received already."""
        if self._reading:
            return
        self._reading = True
        self._transport.resume_reading()
        asyncio.get_running_loop().call_soon(self._decrypt)

    def can_write_eof(self) -> bool:
        """Return False: TLS has no half-closed connections that clients understand."""
        return False

    def write_eof(self) -> None:
        """Send close_notify, and drop what the client still sends: only HTTP knows that this is enough for it."""
        self._dropping = True
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pass it on."""
        self._transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `ssl_object`, or what the transport of the socket returns."""
        return self._tls if name == "ssl_object" else self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass decrypted bytes to another protocol from now on."""
        self._inside = cast("asyncio.Protocol", protocol)  # a StreamReaderProtocol when mitmproxy takes over

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets decrypted bytes."""
        return self._inside or self
