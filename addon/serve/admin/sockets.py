"""The sockets of the admin listener: TCP, or a Unix socket that only this user can use."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from addon.config.admin import AdminSettings
from addon.config.settings import Settings
from addon.runtime.control_client import ControlClient
from addon.runtime.unix_address import unix_address
from addon.serve.listening_sockets import CannotListen, address_text, bound_sockets, close_all


def admin_sockets(settings: Settings, inherited: Sequence[socket.socket] = ()) -> list[socket.socket]:
    """Return the bound sockets of the admin listener, if there is one. Raises CannotListen.

    `inherited` are those of an older program, which are used if the settings ask for the same address.
    """
    if inherited and _are_asked_for(inherited, settings.admin):
        return list(inherited)
    close_all(inherited)
    admin = settings.admin
    try:
        if admin.socket is not None:
            return [_unix_socket(admin.socket)]
        return bound_sockets(*admin.address) if admin.address else []
    except OSError as error:
        problem = f"{error.strerror or error}; the setting admin.listen chooses another address"
        raise CannotListen(f"cannot listen on {admin.listen} for the admin API: {problem}") from None


def _are_asked_for(sockets: Sequence[socket.socket], admin: AdminSettings) -> bool:
    if sockets[0].family == socket.AF_UNIX:
        return admin.socket is not None and admin.socket.is_socket()
    host, port = sockets[0].getsockname()[:2]
    return admin.address is not None and admin.address[1] in (0, port) and admin.address[0] in (host, "localhost")


def _unix_socket(path: Path) -> socket.socket:
    """Return a Unix socket at a path; one that is left from another process is replaced. Raises OSError."""
    if os.path.lexists(path) and not path.is_socket():
        raise OSError(f"{path} exists, and is no socket")
    if path.is_socket() and ControlClient(path).is_listening():
        raise OSError(f"{path} is in use")
    temporary = path.with_name(f".{path.name}-{token_hex(4)}")
    unbound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with unix_address(temporary) as address:
            unbound.bind(address)
        temporary.chmod(0o600)  # before it has the name by which others find it
        temporary.rename(path)
        unbound.setblocking(False)
    except BaseException:
        unbound.close()
        temporary.unlink(missing_ok=True)
        raise
    return unbound


def with_address(settings: Settings, asked: str, sockets: Sequence[socket.socket]) -> Settings:
    """Return settings with the address that the admin listener has, where they ask for it by the text `asked`.

    The system may have chosen the port. Settings that are read later, and ask for the same, then say the same.
    """
    admin = settings.admin
    if not sockets or sockets[0].family == socket.AF_UNIX or admin.listen != asked:
        return settings
    port = address_text(sockets[0]).rpartition(":")[2]
    admin = admin.model_copy(update={"listen": f"{asked.rpartition(':')[0]}:{port}"})
    return settings.model_copy(update={"admin": admin})
