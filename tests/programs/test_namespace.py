"""`leave_the_network` in a real process. The kernel must allow the process a network namespace."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = "from addon.programs.run.namespace import leave_the_network, NoNamespace\nimport os, socket, fcntl\n"
PRINT_ONLY_LOOPBACK_WORKS = (
    "server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname())\n"
    "print([name for _, name in socket.if_nameindex()] == ['lo'])\n"
)


def output_of(script: str) -> str:
    """Run a Python script in a new process, and return its output."""
    return subprocess.run([sys.executable, "-c", IMPORTS + script], check=True, capture_output=True, text=True).stdout


def test_only_a_working_loopback_interface_is_left() -> None:
    assert output_of("leave_the_network()\n" + PRINT_ONLY_LOOPBACK_WORKS) == "True\n"


def test_if_a_later_step_fails_the_network_stays_as_it_was() -> None:
    script = (
        "before = socket.if_nameindex(), os.readlink('/proc/self/ns/net')\n"
        "def refuse(*_): raise PermissionError(1, 'Not today')\n"
        "fcntl.ioctl = refuse\n"
        "try: leave_the_network()\n"
        "except NoNamespace as error: print(error)\n"
        "print(before == (socket.if_nameindex(), os.readlink('/proc/self/ns/net')))\n"
    )
    assert output_of(script) == "Not today\nTrue\n"
