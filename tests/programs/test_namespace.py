"""A process leaves the network for good, or not at all; the kernel must allow it a network namespace."""

from __future__ import annotations

import subprocess
import sys

LEAVE = "from addon.programs.run.namespace import leave_the_network, NoNamespace\nimport os, socket, fcntl\n"
LOOK = (
    "server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname())\n"
    "print([name for _, name in socket.if_nameindex()] == ['lo'])\n"
)


def told(story: str) -> str:
    """Return what a process of its own prints."""
    return subprocess.run([sys.executable, "-c", LEAVE + story], check=True, capture_output=True, text=True).stdout


def test_only_the_own_loopback_is_left() -> None:
    assert told("leave_the_network()\n" + LOOK) == "True\n"


def test_where_a_later_step_fails_nothing_has_changed() -> None:
    story = (
        "before = socket.if_nameindex(), os.readlink('/proc/self/ns/net')\n"
        "def refuse(*_): raise PermissionError(1, 'Not today')\n"
        "fcntl.ioctl = refuse\n"
        "try: leave_the_network()\n"
        "except NoNamespace as error: print(error)\n"
        "print(before == (socket.if_nameindex(), os.readlink('/proc/self/ns/net')))\n"
    )
    assert told(story) == "Not today\nTrue\n"
