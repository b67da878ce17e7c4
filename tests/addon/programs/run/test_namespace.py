"""`leave_the_network` moves the process into an empty network namespace, or changes nothing."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = "from addon.programs.run.namespace import leave_the_network, NoNamespace\nimport os, socket, fcntl\n"
CHECK = (
    "server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname())\n"
    "print([name for _, name in socket.if_nameindex()] == ['lo'])\n"
)


def output_of(code: str) -> str:
    """Return what a new process with this code prints."""
    return subprocess.run([sys.executable, "-c", IMPORTS + code], check=True, capture_output=True, text=True).stdout


def test_only_a_loopback_interface_is_left() -> None:
    assert output_of("leave_the_network()\n" + CHECK) == "True\n"


def test_if_a_later_step_fails_nothing_has_changed() -> None:
    code = (
        "before = socket.if_nameindex(), os.readlink('/proc/self/ns/net')\n"
        "def refuse(*_): raise PermissionError(1, 'not permitted')\n"
        "fcntl.ioctl = refuse\n"
        "try: leave_the_network()\n"
        "except NoNamespace as error: print(error)\n"
        "print(before == (socket.if_nameindex(), os.readlink('/proc/self/ns/net')))\n"
    )
    assert output_of(code) == "not permitted\nTrue\n"


def test_a_system_without_namespaces_is_reported() -> None:
    code = "del os.unshare\ntry: leave_the_network()\nexcept NoNamespace as error: print('unshare' in str(error))\n"
    assert output_of(code) == "True\n"
