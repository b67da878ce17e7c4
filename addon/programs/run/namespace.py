"""A network namespace of our own, with nothing in it: no program in it can leave the machine, whatever it heeds."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from pathlib import Path

_SIOCSIFFLAGS = 0x8914  # netdevice(7)
_IFF_UP = 0x1


class NoNamespace(Exception):
    """This system allows no network namespace. The text says why."""


def leave_the_network() -> None:
    """Take this process, and what it starts from now on, to where only its own loopback interface is.

    Raises:
        NoNamespace: nothing has changed.
    """
    if trouble := _trouble():
        raise NoNamespace(trouble)
    _leave()


def _trouble() -> str:
    """Return why a process cannot leave, or nothing: tried in a child, as there is no way back from half the way."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _leave()
        except (OSError, AttributeError) as error:  # AttributeError: not Linux
            os.write(writer, (getattr(error, "strerror", None) or str(error)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        trouble = said.read().decode(errors="replace")
    os.waitpid(child, 0)
    return trouble


def _leave() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:  # not root: in a user namespace of our own we may
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")  # user_namespaces(7): else nobody may write gid_map
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
