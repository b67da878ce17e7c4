"""A network namespace that reaches nothing but a proxy: no program in it can leave the machine, whatever it heeds.

`python -m addon.run.namespace SOCKET PORT COMMAND...` enters it and becomes the command. A listening socket belongs to
the namespace that made it, whoever accepts from it: it is handed over the Unix socket to our parent, outside, which
passes every connection on to the proxy.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes of shells for a command that cannot be run."""

READY = b"ready"

_SIOCSIFFLAGS = 0x8914  # netdevice(7)
_IFF_UP = 0x1


def enter() -> None:
    """Go into a new network namespace, as the same user. Raises OSError where the system does not allow that."""
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


def main() -> None:
    """Enter, hand the listener over, become the command."""
    outside, port, command = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:]
    try:
        enter()
        listener = socket.create_server(("127.0.0.1", port))
    except (OSError, AttributeError) as error:  # AttributeError: no unshare on this system
        outside.sendall(str(error).encode())
        sys.exit(1)
    with outside, listener:
        socket.send_fds(outside, [READY], [listener.fileno()])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would the command
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user's own
    except FileNotFoundError:
        sys.stderr.write(f"secondhand: {command[0]}: command not found\n")
        sys.exit(NOT_FOUND)
    except OSError as error:
        sys.stderr.write(f"secondhand: {command[0]}: {error.strerror}\n")
        sys.exit(NOT_EXECUTABLE)


if __name__ == "__main__":
    main()
