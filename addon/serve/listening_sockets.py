"""The sockets on which clients connect. They are bound once, and shared with workers and with a newer program."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from contextlib import suppress

from addon.config.settings import Settings
from addon.serve.port_holder import process_listening_on
from cache.http.messages import host_port


class CannotListen(Exception):
    """It is impossible to listen on an address. The text says why."""


def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of a host. They do not listen yet: clients are refused until they do.

    Args:
        host: A name or an address; empty for all addresses of this machine.
        port: The port; 0 for a free one, which is then the same for all addresses.

    Raises:
        OSError: it is impossible to listen there.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    problem = OSError(errno.EADDRNOTAVAIL, "the host has no address on this machine")
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            free_port = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_bound(socket.socket(family, kind, protocol), (address[0], free_port, *address[2:])))
            except OSError as error:
                # a host file may name ::1 on a machine without IPv6
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                problem = error
    except BaseException:
        close_all(sockets)
        raise
    if not sockets:
        raise problem
    return sockets


def sockets_for(settings: Settings, inherited: Sequence[socket.socket] = ()) -> list[socket.socket]:
    """Return the sockets for all listeners that the settings name. Raises CannotListen.

    Args:
        settings: The operator's settings.
        inherited: Sockets that this process was given. They are returned, too, and no other is bound to their ports.
    """
    sockets = list(inherited)
    ports = {each.getsockname()[1] for each in inherited}
    for name, listen, address in (
        ("listen", settings.listen, settings.address),
        ("listen_tls", settings.listen_tls, settings.tls_address),
    ):
        if address is not None and address[1] not in ports:
            try:
                sockets += bound_sockets(*address)
            except OSError as error:
                close_all(sockets)
                problem = _problem(error, name, address[1], settings)
                raise CannotListen(f"cannot listen on {listen}: {problem}") from None
    return sockets


def _problem(error: OSError, name: str, port: int, settings: Settings) -> str:
    """Return why it is impossible to listen on a port, and what can be done; `name` is that of the setting."""
    text = error.strerror or str(error)
    process = process_listening_on(port, settings.store.directory) if error.errno == errno.EADDRINUSE else None
    held = f" by the secondhand with process id {process}" if process else ""
    option = "--listen HOST:PORT, or the setting listen," if name == "listen" else f"the setting {name}"
    return f"{text}{held}; {option} chooses another address"


def _bound(unbound: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if unbound.family == socket.AF_INET6:
            unbound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        unbound.bind(address)
        unbound.setblocking(False)
    except BaseException:
        unbound.close()
        raise
    return unbound


def close_all(sockets: Sequence[socket.socket]) -> None:
    """Close sockets. Clients are refused once all processes have closed them."""
    for each in sockets:
        with suppress(OSError):
            each.close()


def address_text(bound: socket.socket) -> str:
    """Return the address of a socket, in the form that the setting `listen` has."""
    host, port = bound.getsockname()[:2]
    return host_port(host, port)
