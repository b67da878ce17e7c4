"""Opens connections to origins: name resolution, TCP, CONNECT through an upstream proxy, TLS."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import deque
from itertools import chain, zip_longest
from typing import Any

from addon.origin.connection import OriginConnection
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.proxy import Route
from addon.origin.request_head import connect_head
from addon.origin.response_reader import ResponseReader
from cache.policy.operator_rules import TargetRules
from cache.rules.forward_targets import is_listed, is_prohibited

type Address = tuple[socket.AddressFamily, Any]  # the second element is what `socket.connect` takes for the family

_ATTEMPT_DELAY = 0.25
"""Seconds between two attempts to connect (RFC 8305 §5)."""
_UNROUTABLE_ERRORS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


class Dialler:
    """Opens connections. TLS always verifies the chain (system CAs and `ca_files`) and the host name."""

    def __init__(self, options: OriginOptions) -> None:
        """Load the certificates. Raises ValueError that names a file if it cannot be used."""
        self._options = options
        self._context = ssl.create_default_context()
        self._context.set_alpn_protocols(["http/1.1"])
        for path in options.ca_files:
            try:
                self._context.load_verify_locations(path)
            except OSError as error:  # ssl.SSLError is a subclass
                raise ValueError(f"ca_files: {path}: expected a readable file of PEM certificates ({error})") from error

        if options.client_certificate:
            try:
                self._context.load_cert_chain(options.client_certificate)
            except OSError as error:
                expected = f"expected a PEM file of a certificate and its key ({error})"
                raise ValueError(f"client_certificate: {options.client_certificate}: {expected}") from error

    async def dial(self, route: Route, connection: OriginConnection) -> None:
        """Open `connection` along `route`.

        Raises:
            OriginFailure: the connection failed, or took more than `connect_timeout` seconds.
        """
        seconds = self._options.connect_timeout
        try:
            async with asyncio.timeout(seconds):
                await self._open(route, connection)
        except TimeoutError as error:
            sentence = f"{route.subject} could not be reached within {seconds:g} seconds"
            raise OriginFailure(FailureKind.CONNECTION_TIMEOUT, sentence, disconnected=True) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA cannot encode
            raise _failure(error, route) from error

    async def dial_raw(self, route: Route, protocol: asyncio.Protocol) -> None:
        """Open a TCP connection along `route`, without TLS, and attach `protocol` to it. Raises OriginFailure."""
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                sock = await _connect(*route.first_hop, None if route.proxy else self._options.reach)
                loop = asyncio.get_running_loop()
                if route.proxy is None:
                    await loop.create_connection(lambda: protocol, sock=sock)
                    return
                _, tunnel = await loop.create_connection(lambda: OriginConnection(self._options), sock=sock)
                await self._open_tunnel(route, tunnel)
                protocol.connection_made(tunnel.transport)
                tunnel.transport.set_protocol(protocol)
                tunnel.transport.resume_reading()
        except (OSError, UnicodeError) as error:  # TimeoutError is a subclass of OSError
            raise _failure(error, route) from error

    async def _open(self, route: Route, connection: OriginConnection) -> None:
        tls = self._context if route.scheme == "https" else None
        name = route.host.rstrip(".") if tls else None  # RFC 6066 §3: no trailing dot
        sock = await _connect(*route.first_hop, None if route.proxy else self._options.reach)
        loop = asyncio.get_running_loop()
        if tls is None or route.proxy is None:
            await loop.create_connection(lambda: connection, sock=sock, ssl=tls, server_hostname=name)
            return
        _, tunnel = await loop.create_connection(lambda: OriginConnection(self._options), sock=sock)
        await self._open_tunnel(route, tunnel)
        transport = await loop.start_tls(tunnel.transport, connection, tls, server_hostname=name)
        if transport is None:
            raise ConnectionResetError
        connection.connection_made(transport)  # start_tls does not call it

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


async def _connect(host: str, port: int, reach: TargetRules | None) -> socket.socket:
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[socket.AddressFamily, list[Address]] = {}
    for family, _, _, _, address in infos:
        # any name may resolve to a refused address; a host that is allowed by its name may use it
        if reach and is_prohibited(str(address[0]), reach) and not is_listed(host, reach.allowed):
            sentence = f"{host} resolves to {address[0]}, which is a refused target of this proxy"
            raise OriginFailure(FailureKind.DESTINATION_IP_PROHIBITED, sentence)
        families.setdefault(family, []).append((family, address))
    alternating = chain.from_iterable(zip_longest(*families.values()))  # RFC 8305 §4
    return await first_connected([address for address in alternating if address is not None])


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
            attempt.cancel()


async def _attempt(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _failure(error: OSError | UnicodeError, route: Route) -> OriginFailure:
    """Return the failure for an error that occurred while connecting to an origin."""
    match error:
        case ssl.SSLCertVerificationError():
            sentence = f"{route.authority} has no certificate to be trusted: {error.verify_message}"
            return OriginFailure(FailureKind.TLS_CERTIFICATE_ERROR, sentence)
        case ssl.SSLEOFError() | ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return _unreachable(FailureKind.CONNECTION_TERMINATED, f"{route.subject} closed the new connection")
        case ssl.SSLError() if "ALERT" in (error.reason or ""):
            return OriginFailure(FailureKind.TLS_ALERT_RECEIVED, f"{route.authority} sent a TLS alert: {error.reason}")
        case ssl.SSLError():
            return OriginFailure(
                FailureKind.TLS_PROTOCOL_ERROR, f"{route.authority} failed in the TLS handshake: {error.reason}"
            )
        case socket.gaierror() | UnicodeError():
            return _unreachable(FailureKind.DNS_ERROR, f"{route.subject} has a name that cannot be resolved")
        case ConnectionRefusedError():
            return _unreachable(FailureKind.CONNECTION_REFUSED, f"{route.subject} refused the connection")
        case OSError() if error.errno in _UNROUTABLE_ERRORS:
            return _unreachable(FailureKind.DESTINATION_IP_UNROUTABLE, f"There is no route to {route.where}")
    return _unreachable(FailureKind.DESTINATION_UNAVAILABLE, f"{route.subject} could not be reached: {error}")


def _unreachable(kind: FailureKind, sentence: str) -> OriginFailure:
    return OriginFailure(kind, sentence, disconnected=True)
