"""Network namespaces in a real process, which the kernel must allow."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = (
    "from addon.programs.run.namespace import IsolatedNetwork, leave_the_network, NoNamespace\n"
    "import os, socket, fcntl\n"
)
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


def test_only_a_process_that_enters_an_isolated_network_is_in_it() -> None:
    script = (
        "before = os.readlink('/proc/self/ns/net')\n"
        "with IsolatedNetwork.make() as network:\n"
        "    if os.fork() == 0:\n"
        "        network.enter()\n"
        "        socket.create_connection(network.listener.getsockname())\n"
        "        print([name for _, name in socket.if_nameindex()] == ['lo'], flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    print(network.listener.accept()[1][0])\n"
        "print(before == os.readlink('/proc/self/ns/net'))\n"
    )
    assert output_of(script) == "True\n127.0.0.1\nTrue\n"
