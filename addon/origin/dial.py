"""Opens connections to origins: name resolution, TCP, CONNECT through an upstream proxy, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from addon.origin.connect_failures import failure_of
from addon.origin.connection import OriginConnection
from addon.origin.destinations import Address, destinations, refuse_prohibited, refuse_this_machine
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.negotiation import ALPN_HTTP1, ALPN_HTTP2, Negotiation, Offer
from addon.origin.options import OriginOptions
from addon.origin.proxy import Route
from addon.origin.reading import PiecewiseProtocol
from addon.origin.request_head import connect_head
from addon.origin.resolver import Resolver
from addon.origin.response_reader import ResponseReader

_ATTEMPT_DELAY = 0.25
"""Seconds between two attempts to connect (RFC 8305 §5)."""


class Dialler:
    """Opens connections. TLS always verifies the chain (system CAs and `ca_files`) and the host name."""

    def __init__(self, options: OriginOptions, resolver: Resolver) -> None:
        """Load the certificates of the options. Raises ValueError that names a file if it cannot be used."""
        self._options = options
        self._resolver = resolver
        self._contexts: dict[Offer, ssl.SSLContext] = {}
        if options.ca_files or options.client_certificate:
            self._context(Offer.HTTP1)
            self._context(Offer.EITHER)

    def _context(self, offer: Offer) -> ssl.SSLContext:
        """Return the TLS context for an offer. It is made at its first use, since the system has many CAs to load."""
        if offer not in self._contexts:
            protocols = (ALPN_HTTP2, ALPN_HTTP1) if offer is Offer.EITHER else (ALPN_HTTP1,)
            self._contexts[offer] = _tls_context(self._options, *protocols)
        return self._contexts[offer]

    def with_certificates(self, options: OriginOptions) -> Dialler:
        """Return one with the certificates of other options. Raises ValueError as the constructor does."""
        return Dialler(options, self._resolver)

    async def dial[C: PiecewiseProtocol](self, route: Route, offer: Offer, make: Callable[[bool], C]) -> C:
        """Open a connection along `route`, and return the protocol that uses it.

        Args:
            route: The route.
            offer: The protocols that the origin may choose from. Without TLS it cannot choose, and gets HTTP/1.1.
            make: Makes the protocol; its argument is true for HTTP/2.

        Raises:
            OriginFailure: the name was not resolved within `resolve_timeout` seconds, or the connection failed, or it
                took more than `connect_timeout` seconds.
        """
        addresses = await self._addresses(route)
        async with self._connecting(route):
            return await self._open(route, await first_connected(addresses), offer, make)

    async def dial_raw(self, route: Route, protocol: asyncio.Protocol) -> None:
        """Open a TCP connection along `route`, without TLS, and attach `protocol` to it. Raises OriginFailure."""
        addresses = await self._addresses(route)
        async with self._connecting(route):
            sock = await first_connected(addresses)
            loop = asyncio.get_running_loop()
            if route.proxy is None:
                await loop.create_connection(lambda: protocol, sock=sock)
                return
            _, tunnel = await loop.create_connection(lambda: OriginConnection(self._options), sock=sock)
            await self._open_tunnel(route, tunnel)
            tunnel.transport.pause_reading()  # what reads in pieces cannot be replaced while it reads
            protocol.connection_made(tunnel.transport)
            tunnel.transport.set_protocol(protocol)
            tunnel.transport.resume_reading()

    async def reachable_addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of an origin, the preferred one first. Raises OriginFailure if clients may not reach it.

        Any name may resolve to a refused address.
        """
        addresses = await self._resolver.addresses(host)
        if port == self._options.admin_port:
            refuse_this_machine(host, addresses)
        if self._options.reach:
            refuse_prohibited(host, addresses, self._options.reach)
        return destinations(addresses, port)

    async def _addresses(self, route: Route) -> list[Address]:
        if route.socket:
            return [(socket.AF_UNIX, route.socket)]
        if route.proxy is None:
            return await self.reachable_addresses(route.host, route.port)
        host, port = route.first_hop
        return destinations(await self._resolver.addresses(host), port)

    @asynccontextmanager
    async def _connecting(self, route: Route) -> AsyncIterator[None]:
        """Limit the time, and raise OriginFailure for every error. Then the host's addresses are looked up again."""
        seconds = self._options.connect_timeout
        try:
            async with asyncio.timeout(seconds):
                yield
        except (OSError, UnicodeError) as error:
            self._resolver.distrust(route.first_hop[0])
            if not isinstance(error, TimeoutError):
                raise failure_of(error, route) from error
            sentence = f"{route.subject} could not be reached within {seconds:g} seconds"
            raise OriginFailure(FailureKind.CONNECTION_TIMEOUT, sentence, disconnected=True) from error

    async def _open[C: PiecewiseProtocol](
        self, route: Route, sock: socket.socket, offer: Offer, make: Callable[[bool], C]
    ) -> C:
        loop = asyncio.get_running_loop()
        if route.scheme != "https":
            connect = loop.create_unix_connection if route.socket else loop.create_connection
            _, connection = await connect(lambda: make(offer is Offer.HTTP2), sock=sock)
            return connection
        tls, name = self._context(offer), (route.tls_name or route.host).rstrip(".")  # RFC 6066 §3: no trailing dot
        negotiation = Negotiation(make)
        if route.proxy is None:
            await loop.create_connection(lambda: negotiation, sock=sock, ssl=tls, server_hostname=name)
        else:
            _, tunnel = await loop.create_connection(lambda: OriginConnection(self._options), sock=sock)
            await self._open_tunnel(route, tunnel)
            transport = await loop.start_tls(tunnel.transport, negotiation, tls, server_hostname=name)
            if transport is None:
                raise ConnectionResetError
            negotiation.connection_made(transport)  # start_tls does not call it
        if negotiation.connection is None:
            raise ConnectionResetError
        return negotiation.connection

    async def _open_tunnel(self, route: Route, tunnel: OriginConnection) -> None:
        response = ResponseReader("CONNECT", route.subject, self._options)
        tunnel.send(connect_head(route), response)
        head = await tunnel.receive_head(response)
        if tunnel.reusable:
            return
        tunnel.abort()
        if head.status < 300:
            raise OriginFailure(FailureKind.HTTP_PROTOCOL_ERROR, f"{route.subject} sent data before TLS began")
        sentence = f"{route.subject} answered {head.status} {head.reason}".rstrip() + f" to CONNECT {route.authority}"
        if head.status >= 500:
            raise OriginFailure(FailureKind.DESTINATION_UNAVAILABLE, sentence, disconnected=True)
        raise OriginFailure(FailureKind.PROXY_CONFIGURATION_ERROR, sentence)


def _tls_context(options: OriginOptions, *alpn: str) -> ssl.SSLContext:
    """Return a TLS context that offers these protocols. Raises ValueError that names a file if it cannot be used."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(alpn)
    for path in options.ca_files:
        try:
            context.load_verify_locations(path)
        except OSError as error:  # ssl.SSLError is a subclass
            raise ValueError(f"ca_files: {path}: expected a readable file of PEM certificates ({error})") from error
    if options.client_certificate:
        try:
            context.load_cert_chain(options.client_certificate)
        except OSError as error:
            expected = f"expected a PEM file of a certificate and its key ({error})"
            raise ValueError(f"client_certificate: {options.client_certificate}: {expected}") from error
    return context


async def first_connected(addresses: list[Address]) -> socket.socket:
    """Return a socket that is connected to the address that accepts first (RFC 8305, "Happy Eyeballs").

    The attempts start one after the other, with a short delay. `loop.create_connection` can do the same, but not under
    an eager task factory (before Python 3.13.1) and not in uvloop.

    Raises:
        OSError: no address accepted the connection; it is the error of the first attempt that failed.
    """
    loop = asyncio.get_running_loop()
    untried, failures = deque(addresses), list[BaseException]()
    attempts: set[asyncio.Task[socket.socket]] = set()
    try:
        while untried or attempts:
            if untried:
                attempts.add(loop.create_task(_attempt(*untried.popleft())))
            done, attempts = await asyncio.wait(
                attempts, timeout=_ATTEMPT_DELAY if untried else None, return_when=asyncio.FIRST_COMPLETED
            )
            failures += [error for attempt in done if (error := attempt.exception())]
            winners = [attempt.result() for attempt in done if not attempt.exception()]
            for extra in winners[1:]:
                extra.close()
            if winners:
                return winners[0]
        raise failures[0]
    finally:
        for attempt in attempts:
            if not attempt.cancel() and not attempt.cancelled() and attempt.exception() is None:
                attempt.result().close()  # it connected just as this request was cancelled


async def _attempt(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
