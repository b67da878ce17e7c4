"""The public listener: accepts connections, or refuses them at once, and starts HTTP/1 on them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from addon.frontend.accepting import Accepting
from addon.frontend.connect.tls import TlsConnection
from addon.frontend.connection_limits import address_of
from addon.frontend.gateway.client_tls import ClientTls
from addon.frontend.gateway.proxy_reader import ProxyReader
from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.request_target import GatewayTargets, RequestTargets, TunnelTargets
from addon.frontend.http1.response_head import Framing, head_bytes
from addon.frontend.questions import Questions
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.reply import Reply
from addon.runtime.access_log.file import AccessLog
from cache.policy.reasons import Disconnected, Refused

RETRY_AFTER = 10
"""Seconds after which a refused client may find room: as long as a slow request head is waited for."""


class Listener:
    """The addresses on which clients connect."""

    def __init__(self, handler: Handler, targets: RequestTargets) -> None:
        """Answer requests by `handler`; `targets` reads their request targets."""
        self.handler = handler
        self.targets = targets
        self.address = ("", 0)
        """Host and port of the first, once it listens."""
        self.accepting = Accepting(lambda each: partial(_AcceptedTls if self._is_for_tls(each) else _Accepted, self))
        handler.frontend.inside_tunnel = self._inside_tunnel
        handler.frontend.service.why.read = Questions(handler.frontend).read

    def _inside_tunnel(
        self, scheme: str, host: str, port: int, server_name: str | None, protocol: str | None
    ) -> asyncio.Protocol:
        targets = TunnelTargets.of(scheme, host, port, server_name, page=self.handler.frontend.page)
        return self.handler.http2(targets) if protocol == "h2" else Http1Connection(self.handler, targets)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept clients on bound sockets, which stay open for others who share them. Raises OSError."""
        connections = self.handler.frontend.connections
        connections.share = self.accepting.share
        await self.accepting.start(sockets)
        self.address = sockets[0].getsockname()[:2]
        if self.handler.frontend.page is not None:
            self.handler.frontend.page.port = self.address[1]
        self.handler.frontend.sites.ports.update(each.getsockname()[1] for each in sockets)
        connections.start()

    def _is_for_tls(self, each: socket.socket) -> bool:
        tls = self.handler.frontend.tls
        return tls is not None and each.getsockname()[1] == tls.port

    def inside_tls(self, tls: ssl.SSLObject) -> asyncio.Protocol:
        """Return the protocol inside the TLS of a client of an edge."""
        targets = GatewayTargets.inside(cast("ClientTls", tls), self.handler.frontend.sites)
        if tls.selected_alpn_protocol() == "h2":
            return self.handler.http2(targets)
        return Http1Connection(self.handler, targets)

    async def drain(self) -> None:
        """Accept no more connections, and wait until the responses under way have ended."""
        self.stop_accepting()
        await self.handler.frontend.connections.drain()

    async def hand_over(self, grace: float, seconds: float) -> None:
        """Leave new connections to others on the same sockets, and wait until all that are open have ended.

        No request is lost: see `Connections.retire`, also for the arguments.
        """
        self.stop_accepting()
        await self.handler.frontend.connections.retire(grace, seconds)

    async def close(self) -> None:
        """Accept no more connections, and end those that are open."""
        self.stop_accepting()
        connections = self.handler.frontend.connections
        connections.close()
        if connections.log is not None:
            await connections.log.close()
        if connections.traces is not None:
            await asyncio.to_thread(connections.traces.close)

    def stop_accepting(self) -> None:
        """Leave new connections to others on the same sockets. May be called again."""
        self.handler.fast_path.end_connections()
        self.handler.frontend.connections.share = None
        self.accepting.stop()

    def use_log(self, log: AccessLog | None) -> None:
        """Write the access log there from now on, or nowhere."""
        connections = self.handler.frontend.connections
        if connections.log is not None:
            connections.log.flush()
        connections.log = self.handler.fast_path.log = log


class _Accepted(asyncio.Protocol):
    """A connection that has just been accepted by the kernel."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start its protocol, after the header of the PROXY protocol if there has to be one."""
        accepted = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        frontend = self._listener.handler.frontend
        proxies, connections = frontend.proxy_protocol, frontend.connections
        if proxies is None:
            self._begin(accepted, b"")
        elif address_of(accepted) not in proxies:
            self._drop(Disconnected.NOT_TRUSTED)
            accepted.abort()
        elif problem := connections.limits.shortage(accepted):
            self._refuse(accepted, problem)
        else:
            reader = ProxyReader(connections, self._begin, partial(self._drop, Disconnected.PROXY_PROTOCOL))
            accepted.set_protocol(reader)
            reader.connection_made(accepted)
        self._listener.accepting.note_accepted(len(connections))

    def _drop(self, reason: Disconnected) -> None:
        """Count a connection that ends without a response."""
        self._listener.handler.frontend.service.counters.count(f"disconnected.{reason}")

    def _begin(self, transport: asyncio.Transport, data: bytes) -> None:
        """Start the protocol of a connection that has sent `data` already, or refuse it."""
        problem = self._listener.handler.frontend.connections.limits.admit(transport)
        if problem is None:
            self._start(transport, data)
        else:
            self._refuse(transport, problem)

    def _start(self, transport: asyncio.Transport, data: bytes) -> None:
        connection = Http1Connection(self._listener.handler, self._listener.targets)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if data:
            connection.data_received(data)

    def _refuse(self, transport: asyncio.Transport, sentence: str) -> None:
        """Refuse a connection without reading from it: to wait for its request would be one connection more."""
        # RFC 9209 §2.3.17; connection_limit_reached is for connections to the next hop
        reply = self._errors.error(503, Refused.CONNECTIONS, sentence, "http_request_denied")
        self._send_last(transport, reply, ("Retry-After", str(RETRY_AFTER)))

    @property
    def _errors(self) -> ErrorReplies:
        return self._listener.handler.frontend.service.errors

    def _send_last(self, transport: asyncio.Transport, reply: Reply, *lines: tuple[str, str]) -> None:
        """Send an error with further field lines, and close."""
        content = reply.content if isinstance(reply.content, bytes) else b""
        head = replace(reply.head, fields=reply.head.fields.appending(*lines))
        transport.write(head_bytes(head, Framing(close=True)) + content)
        transport.close()
        connections = self._listener.handler.frontend.connections
        connections.note_sent(reply.logged(len(content)), address_of(transport), transport=transport)


class _AcceptedTls(_Accepted):
    """The same on a listener for TLS."""

    def _start(self, transport: asyncio.Transport, data: bytes) -> None:
        frontend = self._listener.handler.frontend
        if frontend.tls is not None:
            inside = self._listener.inside_tls
            TlsConnection(frontend, frontend.tls.context, inside, self._refuse_http).start(transport, data)

    def _refuse(self, transport: asyncio.Transport, _sentence: str) -> None:
        """Refuse a connection without a handshake, which would be more work than its request."""
        transport.abort()

    def _refuse_http(self, transport: asyncio.Transport) -> None:
        sentence = "This port is for https, and the request came over http."
        self._send_last(transport, self._errors.malformed_request(sentence))
