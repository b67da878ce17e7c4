"""Network namespaces with a loopback interface only, where no program can reach another machine, proxied or not.

Without a network, this process moves into one together with its proxy. With a network, only the command is in one, and
the proxy is outside: a socket stays in the namespace in which it was made, whoever has it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

_SIOCSIFFLAGS = 0x8914  # netdevice(7)
_IFF_UP = 0x1
_USER_NAMESPACE = Path("/proc/self/ns/user")


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


@dataclass(frozen=True, slots=True)
class IsolatedNetwork:
    """A namespace for a command, and a socket in it on which a proxy outside can listen. It closes with the context."""

    listener: socket.socket
    """A listening TCP socket at a free port of 127.0.0.1."""
    namespaces: tuple[int, ...]
    """Descriptors of the namespaces, in the order in which to enter them."""

    @classmethod
    def make(cls) -> Self:
        """Make a namespace. Raises NoNamespace."""
        here, there = socket.socketpair()
        child = os.fork()  # it makes the namespace, since a process can leave its network only for good
        if child == 0:
            _make_and_exit(there)
        there.close()
        with here:
            message, descriptors, _, _ = socket.recv_fds(here, 4096, 3)
        os.waitpid(child, 0)
        if not descriptors:
            raise NoNamespace(message.decode(errors="replace"))
        listener, *namespaces = descriptors
        return cls(socket.socket(fileno=listener), tuple(namespaces))

    def enter(self) -> None:
        """Move this process into the namespace for good; it must not have several threads. Raises OSError."""
        for namespace in self.namespaces:
            os.setns(namespace)

    def __enter__(self) -> Self:
        """Return the network itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket and the descriptors; the namespace ends with the last process in it."""
        self.listener.close()
        for namespace in self.namespaces:
            os.close(namespace)


def _make_and_exit(parent: socket.socket) -> NoReturn:
    """Make a namespace and send its descriptors to the parent, or the reason why it is not possible."""
    try:
        outside = _USER_NAMESPACE.stat().st_ino
        _enter_namespace()
        listener = socket.create_server(("127.0.0.1", 0))
        namespaces = [os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)]
        if _USER_NAMESPACE.stat().st_ino != outside:  # nobody can enter the one in which one is already
            namespaces.insert(0, os.open(_USER_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC))
        socket.send_fds(parent, [b"made"], [listener.fileno(), *namespaces])
    except (OSError, AttributeError) as error:  # AttributeError: not Linux
        parent.send(_reason(error).encode())
    finally:
        os._exit(0)


def _trial_error() -> str:
    """Return why the move is not possible, or nothing. A child tries it, since a partial move cannot be undone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except (OSError, AttributeError) as error:  # AttributeError: not Linux
            os.write(writer, _reason(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        problem = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return problem


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


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
