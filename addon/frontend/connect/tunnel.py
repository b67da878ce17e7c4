"""A CONNECT tunnel: what the client says first decides what becomes of it.

TLS by a client that speaks http/1.1 is taken off here. Hosts that are left alone and what is neither TLS nor HTTP pass
untouched. TLS for h2 or h3 alone and HTTP go to mitmproxy, and stay there until the connection ends.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl

from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy.layers.tls import parse_client_hello
from mitmproxy.tls import ClientHello

from addon.frontend.connect.pipe import RawTunnel
from addon.frontend.connect.tls import TlsConnection
from addon.frontend.http1.frontend import HEAD_TIMEOUT, SILENCE, Door
from addon.frontend.http1.request_target import host_port, tunnel_targets
from addon.runtime.access_log import line_of
from cache.http.messages import Fields

logger = logging.getLogger(__name__)

MAX_HELLO = 65_536
"""Octets of a ClientHello."""

_HTTP = re.compile(rb"[A-Z]{1,20} [/*h]")
_MAY_BE_HTTP = re.compile(rb"[A-Z]{1,20} ?")
"""Too little yet to tell: SSH, SMTP and others begin with capital letters as well."""

HTTPS = 443
"""Whose clients begin, however long they take."""

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectTunnel(asyncio.Protocol):
    """A tunnel whose first octets are still to come."""

    def __init__(self, door: Door, host: str, port: int, asked: str) -> None:
        self.deadline = door.now + HEAD_TIMEOUT
        self._door = door
        self._host = host
        self._port = port
        self._asked = asked
        self._octets = b""
        self._choosing: asyncio.Task[None] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def take(self, transport: asyncio.Transport, octets: bytes) -> None:
        """Open the tunnel on a transport; `octets` came behind the CONNECT."""
        self._transport = transport
        self._door.connections.add(self)
        transport.set_protocol(self)
        transport.write(ESTABLISHED)
        if self._port != HTTPS:  # some protocols begin with the server: their client waits
            self._silence = asyncio.get_running_loop().call_later(SILENCE, self._pass_on, "tcp")
        if octets:
            self.data_received(octets)

    def data_received(self, data: bytes) -> None:
        """Look at what the client says first."""
        self._octets += data
        if self._choosing is not None:
            return
        self._hear()
        if self._door.leaves_alone(self._host):
            self._pass_on("tcp")
        elif len(self._octets) < 3:
            return
        elif not starts_like_tls_record(self._octets):
            if not _MAY_BE_HTTP.fullmatch(self._octets):
                self._pass_on("http" if _HTTP.match(self._octets) else "tcp")
        elif hello := self._hello():
            self._choose(hello)

    def _hear(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _hello(self) -> ClientHello | None:
        try:
            hello = parse_client_hello(self._octets)
        except ValueError as error:
            logger.info("%s:%d: the client's TLS is malformed: %s", self._host, self._port, error)
            self.cut()
            return None
        if hello is None and len(self._octets) > MAX_HELLO:
            self.cut()
        return hello

    def _choose(self, hello: ClientHello) -> None:
        if hello.alpn_protocols and b"http/1.1" not in hello.alpn_protocols:
            self._pass_on("https")
            return
        self._transport.pause_reading()
        self._choosing = asyncio.get_running_loop().create_task(self._terminate(hello.sni))

    async def _terminate(self, name: str | None) -> None:
        """Take TLS off, with a certificate for the name that the client asked for."""
        try:
            context = await self._door.leaves.context(name or self._host)
        except (ValueError, OSError, ssl.SSLError) as error:
            logger.warning("no certificate for %s: %s", name or self._host, error)
            self.cut()
            return
        if not self._transport.is_closing():
            transport, octets = self._give_up()
            self._note()
            connection = TlsConnection(self._door, context, tunnel_targets(self._host, self._port, name))
            connection.take(transport, octets)
            transport.resume_reading()

    def _pass_on(self, scheme: str) -> None:
        transport, octets = self._give_up()
        if scheme == "tcp":
            if self._door.service.refused_tunnel(self._host, self._port, Fields(), opened=False):
                self._note()
                transport.abort()  # offline, nobody is asked in ways that cannot be seen either
                return
            RawTunnel(self._door, self._host, self._port, self._asked).take(transport, octets)
            return
        self._note()
        self._door.hand_over(transport, octets, f"reverse:{scheme}://{host_port(self._host, self._port)}")

    def _give_up(self) -> tuple[asyncio.Transport, bytes]:
        self._hear()
        self._door.connections.discard(self)
        return self._transport, self._octets

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take the end of the connection."""
        if self in self._door.connections:  # it has not become anything else
            self._note()
        self._give_up()
        self._door.limits.release(self._transport)

    def _note(self) -> None:
        self._door.note(self._transport, line_of(self._asked, 200, 0, "tunnel"))

    def expire(self) -> None:
        """End a tunnel in which nothing was said that could be understood."""
        self.cut()

    def shut(self) -> None:
        """End: nothing is under way."""
        self.cut()

    def cut(self) -> None:
        """End at once."""
        self._transport.abort()
