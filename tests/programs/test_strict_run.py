"""`secondhand run --strict`: online, the command can reach nothing but its proxy."""

from __future__ import annotations

import subprocess
import sys

from tests.fixtures.pages import page
from tests.fixtures.proxy_process import COMMANDS
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import Runner

WITHOUT_NAMESPACES = """
import errno, os, sys
from addon.cli import main

def refuse(_flags):
    raise PermissionError(errno.EPERM, "Operation not permitted")

os.unshare = refuse
sys.argv = ["secondhand", "run", "--strict", "--", "true"]
main()
"""


def test_the_command_gets_responses_of_origins_through_the_proxy(runner: Runner, either_origin: Origin) -> None:
    url = either_origin.offer("/strict", page(b"hello"))

    ran = runner("--strict", "--proxy-localhost", "--", program("curl"), "-q", "--silent", url)

    assert (ran.code, ran.output, ran.count("fetched")) == (0, "hello", 1), ran.errors


def test_the_command_reaches_no_origin_around_the_proxy(runner: Runner, origin: Origin) -> None:
    url = origin.offer("/around-the-strict-proxy", page(b"hello"))

    ran = runner("--strict", "--", program("curl"), "-q", "--silent", "--noproxy", "*", url)

    assert ran.code == 7  # curl could not connect
    assert not origin.requests_for("/around-the-strict-proxy")


def test_the_exit_code_is_that_of_the_command(runner: Runner) -> None:
    assert runner("--strict", "--", "sh", "-c", "exit 3").code == 3
    assert runner("--strict", "--", "no-such-command").code == 127


def test_the_loopback_interface_inside_is_that_of_the_command(runner: Runner) -> None:
    script = "import socket; server = socket.create_server(('127.0.0.1', 0));" + (
        "socket.create_connection(server.getsockname()); print('connected')"
    )
    assert runner("--strict", "--", sys.executable, "-c", script).output == "connected\n"


def test_a_system_without_namespaces_is_refused(runner: Runner) -> None:
    done = subprocess.run(
        [COMMANDS / "python", "-c", WITHOUT_NAMESPACES], capture_output=True, text=True, cwd=runner.folder, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "secondhand: no network namespace (Operation not permitted), which --strict needs\n"


def test_the_running_proxy_cannot_be_the_only_one_that_is_reached(runner: Runner) -> None:
    ran = runner("--strict", "--shared", "--", "true")
    assert ran.code == 2
    assert "at most one of --strict and --shared" in " ".join(ran.errors.split())
