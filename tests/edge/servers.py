"""Servers in processes of their own: they are started, waited for, and stopped."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.environment import environment
from tests.fixtures.free_port import accepts_connections, free_port
from tests.fixtures.proxy_process import TIMEOUT
from tests.programs.installed_programs import program

APPLICATIONS = Path(__file__).parent / "applications"
"""The folder with the applications."""


@contextmanager
def server(folder: Path, port: int, *command: str | Path, **variables: str) -> Iterator[None]:
    """Run a server that listens on a port of 127.0.0.1. Its output goes to the file `log-PORT` in the folder.

    Raises AssertionError, with the output of the server, if it ends or does not listen.
    """
    log = folder / f"log-{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(folder) | variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + TIMEOUT
        while not accepts_connections(port):
            assert process.poll() is None, f"{command[0]} has ended:\n{log.read_text()}"
            assert time.monotonic() < until, f"{command[0]} does not listen:\n{log.read_text()}"
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT)


@contextmanager
def python_application(folder: Path, name: str, *arguments: str) -> Iterator[str]:
    """Run an application that takes its folder and its port as arguments, and provide its URL."""
    port = free_port()
    command = (sys.executable, APPLICATIONS / f"{name}.py", folder, str(port), *arguments)
    with server(folder, port, *command, PYTHONPATH=str(Path.cwd())):
        yield f"http://127.0.0.1:{port}"


def npm_packages(name: str) -> Path:
    """Return a folder with a JavaScript application and its packages; the first time, npm installs them.

    It is in the virtual environment: not in git, and deleted together with the environment.
    """
    application, folder = APPLICATIONS / name, Path(sys.prefix) / name
    locked = "package-lock.json"
    if not folder.exists() or (folder / locked).read_bytes() != (application / locked).read_bytes():
        # in another folder that is renamed at the end, so that an incomplete installation is never used
        building = folder.with_name(f"{name}-building")
        for each in (folder, building):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(application, building)
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([program("npm"), "ci", "--prefix", building, *options], stdin=subprocess.DEVNULL, check=True)
        building.rename(folder)
    shutil.copytree(application, folder, dirs_exist_ok=True)
    return folder
