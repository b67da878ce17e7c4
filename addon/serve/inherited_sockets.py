"""Sockets that this process was given at its start: by systemd (socket activation), or by an older program."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass

from addon.serve.listening_sockets import address_text

FIRST_PASSED = 3
"""The first descriptor that systemd passes: sd_listen_fds(3)."""

UPGRADE = "UPGRADE_OF_SECONDHAND"
"""The variable by which an older program passes its sockets, like `3 4;5;;6`: the descriptors of those for clients, of
the one on which it waits until this program is ready, and of those of the admin listener. `3 4;5;kept;6`: systemd holds
those for clients, too."""


class UnusableSockets(Exception):
    """Sockets were passed on which clients cannot connect. The text says why."""


@dataclass(frozen=True, slots=True)
class InheritedSockets:
    """The sockets."""

    sockets: tuple[socket.socket, ...] = ()
    ready: socket.socket | None = None
    """The end of a connection on which an older program waits until this one is ready."""
    admin: tuple[socket.socket, ...] = ()
    """Those of the admin listener."""
    are_kept: bool = False
    """The sockets for clients stay open when this program ends: systemd holds them, and clients wait for the next."""

    def tell_ready(self) -> None:
        """Tell the older program, if there is one, that this one serves clients."""
        if self.ready is not None:
            with suppress(OSError):  # it has ended meanwhile
                self.ready.send(b"ready")
            self.ready.close()

    @property
    def listen(self) -> str | None:
        """The address of the first socket, as `listen` in the settings has it; None without sockets."""
        return address_text(self.sockets[0]) if self.sockets else None


def inherited_sockets(environ: MutableMapping[str, str] = os.environ) -> InheritedSockets:
    """Return the sockets that were passed to this process, and remove them from the environment.

    Raises:
        UnusableSockets: one of them is no listening TCP socket.
    """
    from_systemd = environ.pop("LISTEN_PID", "") == str(os.getpid())
    passed = environ.pop("LISTEN_FDS", "0")
    environ.pop("LISTEN_FDNAMES", None)
    if older := environ.pop(UPGRADE, ""):
        sockets, ready, kept, admin = (*older.split(";"), "", "")[:4]
        return InheritedSockets(_all_taken(sockets), _taken(int(ready)), _all_taken(admin), are_kept=bool(kept))
    count = int(passed) if from_systemd and passed.isdecimal() else 0
    activated = tuple(map(_taken, range(FIRST_PASSED, FIRST_PASSED + count)))
    for each in activated:
        _check(each)
    return InheritedSockets(activated, are_kept=bool(activated))


def inherited_socket(descriptor: int) -> InheritedSockets:
    """Return a listening socket that a parent has passed under this number. Raises UnusableSockets."""
    return InheritedSockets((_taken(descriptor),))


def _all_taken(descriptors: str) -> tuple[socket.socket, ...]:
    return tuple(_taken(int(each)) for each in descriptors.split())


def _taken(descriptor: int) -> socket.socket:
    try:
        taken = socket.socket(fileno=descriptor)
    except OSError as error:
        raise UnusableSockets(f"descriptor {descriptor} was passed as a socket: {error.strerror}") from None
    taken.set_inheritable(False)
    taken.setblocking(False)
    return taken


def _check(passed: socket.socket) -> None:
    """Raise UnusableSockets unless clients can connect over TCP."""
    is_tcp = passed.family in (socket.AF_INET, socket.AF_INET6) and passed.type == socket.SOCK_STREAM
    if not is_tcp or not passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        address = passed.getsockname() or "without an address"
        raise UnusableSockets(
            f"systemd passed the socket {address}, expected one that listens for TCP: ListenStream=HOST:PORT, Accept=no"
        )
