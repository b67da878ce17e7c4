"""A CONNECT tunnel: the first bytes from the client decide what it becomes.

- TLS: terminated here, with HTTP/2 inside if the client offers it by ALPN, else HTTP/1.
- HTTP in clear text: answered here.
- Hosts that are left alone, and protocols other than TLS and HTTP: a raw tunnel.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from functools import partial
from typing import TYPE_CHECKING

from addon.frontend.connect.raw_tunnel import RawTunnel
from addon.frontend.connect.tls import TlsConnection
from addon.frontend.connection_limits import address_of
from addon.frontend.connections import HEAD_TIMEOUT
from addon.frontend.frontend import Frontend
from addon.runtime.access_log.logged_response import LoggedResponse
from cache.http.messages import Fields

if TYPE_CHECKING:
    from mitmproxy.tls import ClientHello

logger = logging.getLogger(__name__)

MAX_CLIENT_HELLO = 65_536
"""Bytes of a ClientHello."""

SERVER_FIRST_DELAY = 1.0
"""Seconds without a byte from the client after which the protocol is taken for one in which the server speaks first."""

HTTPS_PORT = 443
"""Clients of this port speak first, however long that takes."""

_TLS = re.compile(rb"\x16\x03[\x00-\x03]")
"""The first bytes of a TLS record with a ClientHello (RFC 8446 §5.1)."""

_HTTP = re.compile(rb"[A-Z]{1,20} [/*h]")
_MAY_BE_HTTP = re.compile(rb"[A-Z]{1,20} ?")
"""Too few bytes to tell: SSH, SMTP and other protocols begin with capital letters as well."""


class ConnectTunnel(asyncio.Protocol):
    """A tunnel before its first bytes have arrived."""

    def __init__(self, frontend: Frontend, host: str, port: int, request_line: str) -> None:
        """Open a tunnel to a host, logged under `request_line`."""
        self.deadline = frontend.connections.now + HEAD_TIMEOUT
        self._frontend = frontend
        self._host = host
        self._port = port
        self._request_line = request_line
        self._received = b""
        self._terminating: asyncio.Task[None] | None = None
        self._server_first: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def start(self, transport: asyncio.Transport, data: bytes) -> None:
        """Open the tunnel on a transport whose client was told so already; `data` followed the CONNECT."""
        self._transport = transport
        self._frontend.connections.add(self)
        transport.set_protocol(self)
        if self._port != HTTPS_PORT:
            loop = asyncio.get_running_loop()
            self._server_first = loop.call_later(SERVER_FIRST_DELAY, self._pass_through)
        if data:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Decide by the first bytes."""
        self._received += data
        if self._terminating is not None:
            return
        self._cancel_timer()
        if self._frontend.leaves_alone(self._host):
            self._pass_through()
        elif len(self._received) < 3:
            return
        elif not _TLS.match(self._received):
            if _HTTP.match(self._received):
                self._begin_http()
            elif not _MAY_BE_HTTP.fullmatch(self._received):
                self._pass_through()
        elif hello := self._client_hello():
            self._decide_by(hello)

    def _cancel_timer(self) -> None:
        if self._server_first is not None:
            self._server_first.cancel()
            self._server_first = None

    def _client_hello(self) -> ClientHello | None:
        """Return the ClientHello once it is complete. Ends the connection if it never will be."""
        from mitmproxy.proxy.layers.tls import parse_client_hello  # slow to import; see addon/serve/late_imports.py

        try:
            hello = parse_client_hello(self._received)
        except ValueError as error:
            logger.info("%s:%d: the client's TLS is malformed: %s", self._host, self._port, error)
            self.abort()
            return None
        if hello is None and len(self._received) > MAX_CLIENT_HELLO:
            self.abort()
        return hello

    def _decide_by(self, hello: ClientHello) -> None:
        self._transport.pause_reading()
        self._terminating = asyncio.get_running_loop().create_task(self._terminate_tls(hello.sni))

    async def _terminate_tls(self, server_name: str | None) -> None:
        """Terminate TLS, with a certificate for the name that the client asked for."""
        name = server_name or self._host
        try:
            context = await self._frontend.certificates.context(name)
        except (ValueError, OSError, ssl.SSLError) as error:
            logger.warning("no certificate for %s: %s", name, error)
            self.abort()
            return
        if not self._transport.is_closing():
            transport, data = self._release()
            self._log()
            inside = partial(self._inside, server_name)
            TlsConnection(self._frontend, context, inside, host=self._host).start(transport, data)
            transport.resume_reading()

    def _inside(self, server_name: str | None, tls: ssl.SSLObject) -> asyncio.Protocol:
        protocol = tls.selected_alpn_protocol()
        return self._frontend.inside_tunnel("https", self._host, self._port, server_name, protocol)

    def _pass_through(self) -> None:
        transport, data = self._release()
        # offline, no origin is asked in ways that cannot be seen either
        if self._frontend.service.refused_tunnel(self._host, self._port, Fields(), opened=False):
            self._log()
            transport.abort()
            return
        self._frontend.service.counters.count("passed_through")
        RawTunnel(self._frontend, self._logged).start(transport, data, self._host, self._port)

    def _begin_http(self) -> None:
        """Answer HTTP in clear text; it may be HTTP/2 as well, with prior knowledge (RFC 9113 §3.3)."""
        transport, data = self._release()
        self._log()
        inside = self._frontend.inside_tunnel("http", self._host, self._port, None, None)
        transport.set_protocol(inside)
        inside.connection_made(transport)
        inside.data_received(data)

    def _release(self) -> tuple[asyncio.Transport, bytes]:
        """Stop being the transport's protocol; return the transport and the bytes received."""
        self._cancel_timer()
        self._frontend.connections.discard(self)
        return self._transport, self._received

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection."""
        if self in self._frontend.connections:  # else another protocol has taken over
            self._log()
        self._release()
        self._frontend.connections.limits.release(self._transport)

    def _log(self) -> None:
        self._frontend.connections.note_sent(self._logged(0), address_of(self._transport), transport=self._transport)

    def _logged(self, size: int) -> LoggedResponse:
        """Return what is logged of a tunnel in which the host has sent `size` bytes."""
        return LoggedResponse(200, size, line=self._request_line, is_tunnel=True)

    def expire(self) -> None:
        """Close a tunnel whose client has sent nothing that could be understood."""
        self.abort()

    def end_if_idle(self) -> None:
        """Do nothing: the connection inside ends after its first response."""

    def finish(self) -> None:
        """Close: no response is under way."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
