"""Moves this process into an empty network namespace, where no program can reach another machine, proxied or not."""

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
    """Move this process and its future children into a network namespace with a loopback interface only.

    Raises:
        NoNamespace: it is not possible; nothing has changed.
    """
    if problem := _trial_error():
        raise NoNamespace(problem)
    _enter_namespace()


def _trial_error() -> str:
    """Return why the move is not possible, or nothing. A child tries it, since a partial move cannot be undone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except (OSError, AttributeError) as error:  # AttributeError: not Linux
            os.write(writer, (getattr(error, "strerror", None) or str(error)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        problem = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return problem


def _enter_namespace() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:  # not root: it is allowed inside a new user namespace
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")  # user_namespaces(7): required before gid_map is written
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
